using EdgeBroker.Core.Events;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core;

/// <summary>What a connection's end meant for its session.</summary>
/// <param name="SessionKept">Whether the session goes on.</param>
/// <param name="WillPublished">Whether its will was published.</param>
public readonly record struct Disconnection(bool SessionKept, bool WillPublished);

// What is told of sessions and messages, where more than a line makes it. A connection tells of its own beginning and end; of one that loses its session,
// whoever takes that: so what happens to one client is told in the order in which it was decided.
public sealed partial class Broker
{
    private readonly Action<Message> _tellExpired;

    internal static bool IsSys(ReadOnlySpan<byte> topic) => topic.StartsWith("$SYS/"u8);

    private void TellDisconnected(string clientId, string? userName, ISessionLink link, ReasonCode reason, Disconnection end)
    {
        if (!Events.Wants(EventKinds.ClientDisconnected) || link.Describe() is not { } description) return;
        Events.ClientDisconnected(new DisconnectedEvent(
            description.Of(clientId, userName),
            DisconnectedBy.Broker,
            reason,
            ReasonText.For(reason),
            Clock.NowMs - description.ConnectedAtMs,
            end.SessionKept,
            end.WillPublished));
    }

    private void TellTakenOver(string clientId, string? userName, ISessionLink link, in Displaced displaced)
    {
        if (!Events.Wants(EventKinds.SessionTakenOver) || link.Describe() is not { } description) return;
        string previous = displaced.Link.Describe()?.Address ?? "";
        Events.SessionTakenOver(new TakenOverEvent(description.Of(clientId, userName), previous, displaced.UserName == userName));
    }

    // Of other messages their receiver tells, when it has them.
    private void TellSent(in Publication message, Subscription to, in DeliveryOutcome outcome)
    {
        if (outcome.Result != DeliveryResult.Sent || to.Receiver is not Session || Lower(message.QoS, to) != QoS.AtMostOnce || IsSys(message.Topic)) return;
        Events.MessageDelivered(new DeliveredEvent
        {
            Message = message,
            To = to.Receiver,
            QoS = QoS.AtMostOnce,
            DelayMs = Clock.MillisecondsSince(message.Passage),
        });
    }

    private void TellRetained(in Publication message, RetainedChange change)
    {
        if (change == RetainedChange.None || !Events.Wants(EventKinds.MessageRetained) || IsSys(message.Topic)) return;
        Events.MessageRetained(new RetainedEvent { Message = message, Change = change });
    }

    private void TellExpired(Message message) => TellRetained(Publication.Of(message, Clock.NowMs), RetainedChange.Expired);

    /// <summary>The connection that lost its client id to a newer one.</summary>
    private readonly record struct Displaced(ISessionLink Link, string? UserName);
}
