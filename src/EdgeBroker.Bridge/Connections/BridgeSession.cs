using System.Text;
using EdgeBroker.Client;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bridge.Connections;

/// <summary>The bridge's durable session in the broker: made before the first connection, so that what is published meanwhile waits.</summary>
internal static class BridgeSession
{
    // It ends when its bridge is taken out of the configuration, not by time.
    private const uint Forever = uint.MaxValue - 1;

    /// <summary>Makes the session if there is none yet, and has it take what the routes carry.</summary>
    public static void Prepare(BridgeState bridge)
    {
        var dormant = new DormantLink();
        ConnectionLease lease = Attach(bridge, dormant, ushort.MaxValue, QoS.ExactlyOnce, RetainHandling.DoNotSend);
        Detach(bridge, lease);
    }

    /// <summary>Gives the session to a connection.</summary>
    public static ConnectionLease Attach(BridgeState bridge, BridgeLink link, ConnectResult granted)
    {
        // A server that has kept its session has the retained messages already; for one that keeps none they would be new messages each time.
        bool isOwed = !granted.SessionPresent && granted.RetainAvailable && bridge.Options.RetainAvailable;
        RetainHandling retained = isOwed ? RetainHandling.SendOnSubscribe : RetainHandling.DoNotSend;
        return Attach(bridge, link, Math.Min(granted.ReceiveMaximum, bridge.Options.MaximumInflight), granted.MaximumQoS, retained);
    }

    /// <summary>The connection is gone.</summary>
    public static void Detach(BridgeState bridge, ConnectionLease lease)
    {
        bridge.Broker.Loops.Begin();
        try
        {
            bridge.Broker.Disconnect(lease, discardWill: true, newExpirySeconds: null, bridge.PumpContext);
        }
        finally
        {
            bridge.Broker.Loops.End();
        }
    }

    private static ConnectionLease Attach(BridgeState bridge, ISessionLink link, int receiveMaximum, QoS maximumQoS, RetainHandling retained)
    {
        bridge.Broker.Loops.Begin();
        try
        {
            var grant = new SessionGrant(Forever, receiveMaximum, null) { QueuePolicy = bridge.Options.Queue with { Filter = bridge } };
            ConnectionLease? lease = bridge.Broker.Connect(bridge.Options.SessionId, cleanStart: false, grant, bridge.PumpContext, link);
            if (lease is not { } right) throw new MqttException($"The session {bridge.Options.SessionId} belongs to somebody else.");
            Subscribe(bridge, right, maximumQoS, retained);
            return right;
        }
        finally
        {
            bridge.Broker.Loops.End();
        }
    }

    private static void Subscribe(BridgeState bridge, ConnectionLease lease, QoS maximumQoS, RetainHandling retained)
    {
        var wanted = new Dictionary<string, (QoS QoS, RetainHandling Retained)>(StringComparer.Ordinal);
        foreach ((string filter, QoS qos, bool keepsRetain) in bridge.Routes.LocalFilters)
        {
            wanted[filter] = (qos < bridge.Options.MaximumQoS ? qos : bridge.Options.MaximumQoS, keepsRetain ? retained : RetainHandling.DoNotSend);
        }

        foreach (string filter in FiltersOf(lease.Session))
        {
            if (!wanted.ContainsKey(filter)) bridge.Broker.Unsubscribe(lease.Session, lease, Encoding.UTF8.GetBytes(filter), out _);
        }

        foreach ((string filter, (QoS qos, RetainHandling handling)) in wanted)
        {
            // What came in by this bridge does not go out by it again.
            var options = new SubscriptionOptions(qos < maximumQoS ? qos : maximumQoS, noLocal: true, retainAsPublished: true, handling);
            ReasonCode outcome = bridge.Broker.Subscribe(lease.Session, lease, Encoding.UTF8.GetBytes(filter), options, 0, out _);
            if (outcome.IsError()) bridge.NoteNotSubscribed(filter, outcome);
        }
    }

    private static List<string> FiltersOf(Session session) => [.. session.Filters.Select(filter => Encoding.UTF8.GetString(filter))];

    /// <summary>A connection that is none: the session changes hands by it, and no message goes.</summary>
    private sealed class DormantLink : ISessionLink
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
