using System.Text;
using EdgeBroker.Core;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Testing;

/// <summary>A connection with a bug: it throws whenever its session sends a message.</summary>
public sealed class FaultyLink : ISessionLink
{
    private volatile object? _closedWith;

    /// <summary>Why the broker closed it; null: it has not.</summary>
    public ReasonCode? ClosedWith => (ReasonCode?)_closedWith;

    /// <inheritdoc/>
    public bool HasRoom => true;

    /// <inheritdoc/>
    public void RequestPumpWhenDrained()
    {
    }

    /// <summary>Connects a client by such a connection, and subscribes it.</summary>
    public static FaultyLink Connect(Broker broker, string clientId, string filter, QoS qos = QoS.AtMostOnce, uint expirySeconds = 0)
    {
        var link = new FaultyLink();
        var grant = new SessionGrant(expirySeconds, ushort.MaxValue, null);
        ConnectionLease lease = broker.Connect(clientId, cleanStart: true, grant, broker.CreateContext(), link)!.Value;
        var options = new SubscriptionOptions(qos, false, false, RetainHandling.DoNotSend);
        broker.Subscribe(lease.Session, lease, Encoding.UTF8.GetBytes(filter), options, 0, out _);
        return link;
    }

    /// <inheritdoc/>
    public void Prepare(Session session)
    {
    }

    /// <inheritdoc/>
    public void SendConnack(bool sessionPresent)
    {
    }

    /// <inheritdoc/>
    public SendOutcome Send(in Delivery delivery, in Publication message, RoutingContext context) => throw new InvalidTimeZoneException("a bug");

    /// <inheritdoc/>
    public bool TrySend(in MessageSegment segment, Subscription subscription, RoutingContext context) => throw new InvalidTimeZoneException("a bug");

    /// <inheritdoc/>
    public void SendPubrel(ushort packetId)
    {
    }

    /// <inheritdoc/>
    public void RequestPump()
    {
    }

    /// <inheritdoc/>
    public void Close(ReasonCode reason) => _closedWith = reason;
}
