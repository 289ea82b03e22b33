using System.Net;
using System.Text;
using EdgeBroker.Core.Security;
using EdgeBroker.Core.Topics;

namespace EdgeBroker.Core.Management;

/// <summary>Which sessions are meant.</summary>
public sealed record SessionFilter
{
    /// <summary>All.</summary>
    public static readonly SessionFilter All = new();

    /// <summary>The client id, with <c>*</c> and <c>?</c>; null: any.</summary>
    public string? ClientId { get; init; }

    /// <summary>The user, with <c>*</c> and <c>?</c>; null: any, anonymous clients too.</summary>
    public string? User { get; init; }

    /// <summary>Whether it has a connection; null: either way.</summary>
    public bool? IsConnected { get; init; }

    /// <summary>A part of the client id, the user or the address, in any case; null: any.</summary>
    public string? Text { get; init; }

    /// <summary>Where it connects from, without the port, or a network as <c>10.0.0.0/8</c>; null: anywhere.</summary>
    public IPNetwork? Address { get; init; }

    /// <summary>The listener it came by, as configured; null: any.</summary>
    public string? Listener { get; init; }

    /// <summary>The version it speaks; null: any.</summary>
    public string? Protocol { get; init; }

    /// <summary>What carries it; null: anything.</summary>
    public string? Transport { get; init; }

    /// <summary>Messages that wait at least.</summary>
    public long QueueMessagesMin { get; init; }

    /// <summary>Messages dropped at least.</summary>
    public long DroppedMin { get; init; }

    /// <summary>Connected at this time or later; null: whenever.</summary>
    public DateTimeOffset? ConnectedAfter { get; init; }

    /// <summary>Subscribed to exactly this filter, <c>$share/group/</c> included; null: whatever it has subscribed to.</summary>
    public string? Subscription { get; init; }

    private bool AsksForRow =>
        Text is not null || Address is not null || Listener is not null || Protocol is not null || Transport is not null || QueueMessagesMin > 0
        || DroppedMin > 0 || ConnectedAfter is not null;

    /// <summary>Whether a session is meant, by all there is to know of it; takes its lock only where its row is asked for.</summary>
    internal bool Includes(Sessions.Session session, out SessionSummary? row)
    {
        row = null;
        if (!Includes(session)) return false;
        if (Subscription is { } filter && session.FindSubscription(Encoding.UTF8.GetBytes(filter)) is null) return false;
        if (!AsksForRow) return true;
        row = session.Summarize();
        return row is not null && HasRest(row);
    }

    /// <summary>Whether a client is meant that has a row and no session.</summary>
    internal bool Includes(SessionSummary row) =>
        Subscription is null
        && (IsConnected is not { } connected || connected == (row.State == SessionSummary.Connected))
        && (ClientId is null || Glob.Matches(ClientId, row.ClientId))
        && (User is null || Glob.Matches(User, row.User ?? ""))
        && HasRest(row);

    private bool HasRest(SessionSummary row) =>
        (Text is null || Has(row.ClientId) || Has(row.User) || Has(row.Address))
        && (Address is not { } network || (IPEndPoint.TryParse(row.Address ?? "", out IPEndPoint? at) && network.Contains(at.Address)))
        && (Listener is null || Listener == row.Listener)
        && (Protocol is null || Protocol == row.Protocol)
        && (Transport is null || Transport == row.Transport)
        && row.QueueMessages >= QueueMessagesMin
        && row.DroppedTotal >= DroppedMin
        && (ConnectedAfter is not { } after || row.ConnectedAt >= after);

    private bool Has(string? text) => text is not null && text.Contains(Text!, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a session is meant, as far as that is known without its lock.</summary>
    internal bool Includes(Sessions.Session session) =>
        (IsConnected is not { } connected || connected == session.IsConnected)
        && (ClientId is null || Glob.Matches(ClientId, session.Id))
        && (User is null || Glob.Matches(User, session.UserName ?? ""));
}

/// <summary>One session in a list.</summary>
public record SessionSummary
{
    /// <summary><see cref="State"/> of one with a connection.</summary>
    public const string Connected = "connected";

    /// <summary><see cref="State"/> of one without.</summary>
    public const string Disconnected = "disconnected";

    public required string ClientId { get; init; }

    /// <summary>Whether it has a connection, in a word.</summary>
    public required string State { get; init; }

    /// <summary>The user it belongs to; null: anonymous.</summary>
    public string? User { get; init; }

    /// <summary>Which of its connections it has, or had last, so that a wish to end it cannot hit another.</summary>
    public string? Connection { get; init; }

    /// <summary>Where its client connects from.</summary>
    public string? Address { get; init; }

    /// <summary>The listener it came by, as configured.</summary>
    public string? Listener { get; init; }

    /// <summary>What carries MQTT: tcp, tls, ws, wss or unix; what carries CoAP: udp or dtls.</summary>
    public string? Transport { get; init; }

    /// <summary>The version it speaks, 3.1.1 or 5.0; or coap, coaps.</summary>
    public string? Protocol { get; init; }

    /// <summary>The name that its certificate, or the kernel, attests; null: none.</summary>
    public string? Identity { get; init; }

    public DateTimeOffset? ConnectedAt { get; init; }

    public int? KeepAliveSeconds { get; init; }

    /// <summary>How long it outlives its connection; 0: not at all.</summary>
    public required long ExpirySeconds { get; init; }

    /// <summary>Without a connection: how long it is still kept.</summary>
    public long? EndsInSeconds { get; init; }

    public required int SubscriptionsCount { get; init; }

    /// <summary>Messages sent and not acknowledged.</summary>
    public required int InflightCount { get; init; }

    /// <summary>Messages that wait.</summary>
    public required int QueueMessages { get; init; }

    public required long QueueBytes { get; init; }

    /// <summary>How long the oldest has waited; null: none waits.</summary>
    public long? QueueOldestSeconds { get; init; }

    /// <summary>Messages that did not reach it, since the broker's start.</summary>
    public required long DroppedTotal { get; init; }

    /// <summary>What went over its connection; null: it has none.</summary>
    public SessionTraffic? Traffic { get; init; }
}

/// <summary>What went over one connection since it began.</summary>
/// <param name="MessagesReceived">PUBLISH packets of the client.</param>
/// <param name="MessagesSent">PUBLISH packets to the client.</param>
/// <param name="BytesReceived">Bytes of all packets of the client.</param>
/// <param name="BytesSent">Bytes of all packets to the client.</param>
/// <param name="BytesUnsent">Of these, bytes that the client has not read yet.</param>
public sealed record SessionTraffic(long MessagesReceived, long MessagesSent, long BytesReceived, long BytesSent, long BytesUnsent);

/// <summary>One session, with all it holds.</summary>
/// <param name="Summary">What a list says of it.</param>
/// <param name="Subscriptions">Its subscriptions, by filter.</param>
/// <param name="Inflight">The oldest of its messages that are sent and not acknowledged.</param>
/// <param name="OpenReceives">Open QoS 2 exchanges in which the client publishes.</param>
/// <param name="Will">Its will; null: none.</param>
/// <param name="Queue">How its queue behaves.</param>
public sealed record SessionDetail(
    SessionSummary Summary, IReadOnlyList<SubscriptionView> Subscriptions, IReadOnlyList<InflightView> Inflight, int OpenReceives, WillView? Will,
        QueueView Queue);

/// <summary>One subscription of a session.</summary>
/// <param name="Filter">The filter, <c>$share/group/</c> included.</param>
/// <param name="Qos">The QoS granted.</param>
/// <param name="NoLocal">Whether its own messages do not come back to it.</param>
/// <param name="RetainAsPublished">Whether it sees RETAIN as published.</param>
/// <param name="RetainHandling">When it gets retained messages, in MQTT's numbers.</param>
/// <param name="Identifiers">Identifiers that go with its messages; null: none.</param>
public sealed record SubscriptionView(string Filter, int Qos, bool NoLocal, bool RetainAsPublished, int RetainHandling, IReadOnlyList<uint>? Identifiers)
{
    internal static SubscriptionView Of(Subscription one) => new(
        Encoding.UTF8.GetString(one.Filter),
        (int)one.Options.MaximumQoS,
        one.Options.NoLocal,
        one.Options.RetainAsPublished,
        (int)one.Options.RetainHandling,
        one.Identifiers);
}

/// <summary>One message sent and not acknowledged.</summary>
/// <param name="PacketId">Its packet identifier.</param>
/// <param name="Qos">Its QoS.</param>
/// <param name="State">What is awaited: <c>puback</c>, <c>pubrec</c>, <c>store</c> (PUBREL waits for the disk) or <c>pubcomp</c>.</param>
/// <param name="Topic">Its topic; null: the message itself is not needed any more.</param>
/// <param name="Bytes">Its bytes; null with the topic.</param>
public sealed record InflightView(int PacketId, int Qos, string State, string? Topic, int? Bytes);

/// <summary>A will.</summary>
public sealed record WillView(string Topic, int Qos, bool Retain, int Bytes, long DelaySeconds);

/// <summary>How a queue behaves.</summary>
public sealed record QueueView(long MaxMessages, long MaxBytes, double? MaxAgeSeconds, long? MaxStoreBytes, string Overflow, bool KeepsQos0);
