using System.Text;
using EdgeBroker.Core;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Storage.Tests.Journal;

/// <summary>Sessions with a queue policy of their own, as a part of the broker would begin them: no MQTT client can.</summary>
internal static class AbsentSession
{
    /// <summary>Begins a session, or resumes it, subscribes it to a filter, and leaves it.</summary>
    public static void Begin(Broker broker, string clientId, string filter, QueuePolicy policy)
    {
        RoutingContext context = broker.CreateContext();
        var grant = new SessionGrant(1000, 100, null) { QueuePolicy = policy };
        ConnectionLease lease = broker.Connect(clientId, cleanStart: false, grant, context, new DeafLink())!.Value;
        broker.Subscribe(lease.Session, lease, Encoding.UTF8.GetBytes(filter), new SubscriptionOptions(QoS.ExactlyOnce), 0, out _);
        broker.Disconnect(lease, discardWill: true, newExpirySeconds: null, context);
    }

    private sealed class DeafLink : ISessionLink
    {
        public bool HasRoom => false;

        public void RequestPumpWhenDrained()
        {
        }

        public void Prepare(Session session)
        {
        }

        public void SendConnack(bool sessionPresent)
        {
        }

        public SendOutcome Send(in Delivery delivery, in Publication message, RoutingContext context) => SendOutcome.NoRoom;

        public void SendPubrel(ushort packetId)
        {
        }

        public void RequestPump()
        {
        }

        public void Close(ReasonCode reason)
        {
        }
    }
}
