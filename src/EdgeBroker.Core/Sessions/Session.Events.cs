using EdgeBroker.Core.Events;
using EdgeBroker.Core.Messages;

namespace EdgeBroker.Core.Sessions;

// What is told of messages when the client has them.
public sealed partial class Session
{
    /// <summary>Tells that the client has a message, without the lock; of one that is not known any more nothing is told.</summary>
    private void TellDelivered(in QueuedMessage delivered)
    {
        if (delivered.Message is not { } message || !_environment.Events.WantsDelivery(message.Passage) || Broker.IsSys(message.Topic)) return;
        long nowMs = _environment.Clock.NowMs;
        Publication publication = Publication.Of(message, nowMs);
        double? sinceQueuedMs = delivered.HasWaited ? 1_000.0 * Math.Max(0, SecondsOf(nowMs) - delivered.QueuedAtSeconds) : null;
        _environment.Events.MessageDelivered(new DeliveredEvent
        {
            Message = publication,
            To = this,
            QoS = delivered.QoS,
            DelayMs = _environment.Clock.MillisecondsSince(message.Passage) ?? sinceQueuedMs,
            HasWaited = delivered.HasWaited,
        });
    }
}
