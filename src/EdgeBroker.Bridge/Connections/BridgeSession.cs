using System.Text;
using EdgeBroker.Bridge.Routes;
using EdgeBroker.Client;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bridge.Connections;

/// <summary>
/// A bridge's durable sessions in the broker, one for each lane: made before the first connection, so that what is published meanwhile waits.
/// </summary>
internal static class BridgeSession
{
    // They end when their bridge, or lane, is taken out of the configuration, not by time.
    private const uint Forever = uint.MaxValue - 1;

    /// <summary>Makes the sessions that are not there yet, and has them take what the routes carry.</summary>
    public static void Prepare(BridgeState bridge)
    {
        foreach (BridgeLane lane in bridge.Lanes)
        {
            var dormant = new DormantLink();
            ConnectionLease lease = Attach(bridge, lane, dormant, ushort.MaxValue, QoS.ExactlyOnce, RetainHandling.DoNotSend);
            Detach(bridge, lease);
        }
    }

    /// <summary>Gives a lane's session to a connection.</summary>
    public static ConnectionLease Attach(BridgeState bridge, BridgeLink link, ConnectResult granted)
    {
        // A server that has kept its session has the retained messages already; for one that keeps none they would be new messages each time.
        bool isOwed = !granted.SessionPresent && granted.RetainAvailable && bridge.Options.RetainAvailable;
        RetainHandling retained = isOwed ? RetainHandling.SendOnSubscribe : RetainHandling.DoNotSend;
        return Attach(bridge, link.Lane, link, ShareOf(bridge, link.Lane, granted), granted.MaximumQoS, retained);
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

    /// <summary>
    /// How many messages of a lane may be in flight. What the other side takes is divided once and for all, so that a lane that goes first finds room at once,
    /// however long the queue of another is: half of it is for the main lane, the other half for the rest.
    /// </summary>
    private static int ShareOf(BridgeState bridge, BridgeLane lane, ConnectResult granted)
    {
        int all = Math.Min(granted.ReceiveMaximum, bridge.Options.MaximumInflight);
        int others = bridge.Lanes.Count - 1;
        if (others == 0) return all;
        all = Math.Min(all, 2 * BridgeChannel.Range);
        if (all <= others)
        {
            throw new MqttException(
                $"The other side takes {all} message(s) in flight, and each of {others + 1} lanes needs one; take a [[bridge.lane]] out.",
                ReasonCode.ReceiveMaximumExceeded);
        }

        int share = Math.Max(1, all / 2 / others);
        return lane.IsMain ? all - (share * others) : share;
    }

    private static ConnectionLease Attach(
        BridgeState bridge, BridgeLane lane, ISessionLink link, int receiveMaximum, QoS maximumQoS, RetainHandling retained)
    {
        bridge.Broker.Loops.Begin();
        try
        {
            QueuePolicy policy = lane.Options.Queue with { Filter = lane, TellsWait = bridge.Options.CaptureTime != CaptureTime.Off };
            var grant = new SessionGrant(Forever, receiveMaximum, null)
            {
                QueuePolicy = policy,
                Way = bridge.Options.LeadsToBroker ? bridge.Options.SessionId : null,
            };
            ConnectionLease? lease = bridge.Broker.Connect(lane.SessionId, cleanStart: false, grant, bridge.PumpContext, link);
            if (lease is not { } right) throw new MqttException($"The session {lane.SessionId} belongs to somebody else.");
            // Identifiers that outlive a connection are the main lane's alone.
            Subscribe(bridge, lane, right, lane.IsMain || maximumQoS < QoS.AtLeastOnce ? maximumQoS : QoS.AtLeastOnce, retained);
            return right;
        }
        finally
        {
            bridge.Broker.Loops.End();
        }
    }

    private static void Subscribe(BridgeState bridge, BridgeLane lane, ConnectionLease lease, QoS maximumQoS, RetainHandling retained)
    {
        var wanted = new Dictionary<string, (QoS QoS, RetainHandling Retained)>(StringComparer.Ordinal);
        foreach ((string filter, QoS qos, bool keepsRetain) in bridge.Routes.LocalFiltersOf(lane.Options.Name))
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

        public bool IsClient => false;

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
