using System.Text;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Messages;

namespace EdgeBroker.Core.Tests.Events;

/// <summary>Writes down each call; keeps to one kind a method.</summary>
internal sealed class EventSheet(EventKinds wanted) : BrokerEventSink
{
    public override EventKinds Wanted => wanted;

    public List<EventKinds> Kinds { get; } = [];

    /// <summary>What was told of messages, in words.</summary>
    public List<string> Lines { get; } = [];

    /// <summary>Whether it has a bug.</summary>
    public bool Throws { get; init; }

    public override void ClientConnected(in ConnectedEvent what) => Note(EventKinds.ClientConnected);

    public override void ClientDisconnected(in DisconnectedEvent what) => Note(EventKinds.ClientDisconnected);

    public override void SessionTakenOver(in TakenOverEvent what) => Note(EventKinds.SessionTakenOver);

    public override void SessionEnded(string clientId) => Note(EventKinds.SessionEnded);

    public override void ConnectRefused(in ConnectRefusedEvent what) => Note(EventKinds.ConnectRefused);

    public override void AuthenticationSucceeded(in AuthenticationSucceededEvent what) => Note(EventKinds.AuthenticationSucceeded);

    public override void AuthenticationFailed(in AuthenticationFailedEvent what) => Note(EventKinds.AuthenticationFailed);

    public override void SubscriptionCreated(in SubscriptionCreatedEvent what)
    {
        Note(EventKinds.SubscriptionCreated);
        Lines.Add($"{what.ClientId} subscribed to {Text(what.Filter)} with {(int)what.Granted}{(what.Replaced ? " again" : "")}");
    }

    public override void SubscriptionRemoved(in SubscriptionRemovedEvent what)
    {
        Note(EventKinds.SubscriptionRemoved);
        Lines.Add($"{what.ClientId} lost {Text(what.Filter)}: {what.Cause}");
    }

    public override void SubscribeRefused(in RefusedEvent what) => Note(EventKinds.SubscribeRefused);

    public override void PublishRefused(in RefusedEvent what) => Note(EventKinds.PublishRefused);

    public override void MessagePublished(in Publication message)
    {
        Note(EventKinds.MessagePublished);
        Lines.Add($"published {Text(message.Topic)} {Text(message.Payload)} by {message.Publisher?.Id}");
    }

    public override void MessageAcknowledged(in AcknowledgedEvent what) => Note(EventKinds.MessageFollowed);

    public override void MessageDelivered(in DeliveredEvent what)
    {
        Note(EventKinds.MessageDelivered);
        Lines.Add($"delivered {Text(what.Message.Payload)} to {what.To.Id} with {(int)what.QoS}");
    }

    public override void MessageRetained(in RetainedEvent what)
    {
        Note(EventKinds.MessageRetained);
        Lines.Add($"{what.Change} {Text(what.Message.Topic)} {Text(what.Message.Payload)}");
    }

    public override void MessagesDropped(in DroppedEvent what) => Note(EventKinds.MessagesDropped);

    public override void LimitReached(in LimitReachedEvent what) => Note(EventKinds.LimitReached);

    public override void MemoryStageChanged(in MemoryStageEvent what) => Note(EventKinds.MemoryStageChanged);

    public override void Fault(in FaultEvent what)
    {
        Note(EventKinds.Fault);
        Lines.Add(what.Where);
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);

    private void Note(EventKinds kind)
    {
        if (Throws) throw new InvalidTimeZoneException("a bug");
        Kinds.Add(kind);
    }
}
