using EdgeBroker.Core.Events;
using EdgeBroker.Core.Messages;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Sessions;

// What is told of messages when the client has them.
public sealed partial class Session
{
    private bool IsDeliveryTold => _environment.Events.Wants(EventKinds.MessageDelivered);

    /// <summary>Tells that the client has a message, without the lock; null: it is not known any more, or there is none.</summary>
    private void TellDelivered(Message? message, QoS qos)
    {
        if (message is null || !IsDeliveryTold || Broker.IsSys(message.Topic)) return;
        Publication publication = Publication.Of(message, _environment.Clock.NowMs);
        _environment.Events.MessageDelivered(new DeliveredEvent { Message = publication, To = this, QoS = qos });
    }
}
