namespace EdgeBroker.Crash.Tests.History;

/// <summary>A client's subscription from SUBSCRIBE to UNSUBACK, in places of the history; what has not happened is at <see cref="Never"/>.</summary>
internal sealed class Subscription(int client, string filter, int qos, int requested)
{
    /// <summary>Later than everything.</summary>
    public const int Never = int.MaxValue;

    public int Client => client;

    public string Filter => filter;

    public int QoS => qos;

    public bool IsShared { get; } = TopicFilter.IsShared(filter);

    public int Requested => requested;

    public int Granted { get; set; } = Never;

    public int CancelRequested { get; set; } = Never;

    public int Cancelled { get; set; } = Never;

    /// <summary>Whether it certainly holds for a message: it was granted before the message was sent, and nobody asked for its end.</summary>
    public bool CertainlyHolds(int sentAt) => Granted < sentAt && CancelRequested == Never;

    /// <summary>Whether it may have held for a message that came when it did.</summary>
    public bool MayHold(int sentAt, int cameAt) => requested < cameAt && Cancelled > sentAt;
}
