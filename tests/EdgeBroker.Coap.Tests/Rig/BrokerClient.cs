using EdgeBroker.Core;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Coap.Tests.Rig;

/// <summary>A connected MQTT client, as the broker sees one: a session with a connection that takes everything and shows nothing.</summary>
internal sealed class BrokerClient : ISessionLink, IDisposable
{
    private readonly Broker _broker;
    private readonly RoutingContext _context;
    private readonly ConnectionLease _lease;

    public BrokerClient(Broker broker, string clientId, string? userName = null)
    {
        _broker = broker;
        _context = broker.CreateContext();
        var grant = new SessionGrant(0, ReceiveMaximum: 10, Will: null) { UserName = userName };
        _lease = broker.Connect(clientId, cleanStart: true, grant, _context, this) ?? throw new InvalidOperationException("The client id is another user's.");
    }

    public bool HasRoom => true;

    public void RequestPumpWhenDrained()
    {
    }

    public void Prepare(Session session)
    {
    }

    public void SendConnack(bool sessionPresent)
    {
    }

    public SendOutcome Send(in Delivery delivery, in Publication message, RoutingContext context) => SendOutcome.Sent;

    public void SendPubrel(ushort packetId)
    {
    }

    public void RequestPump()
    {
    }

    public void Close(ReasonCode reason)
    {
    }

    public void Dispose() => _broker.Disconnect(_lease, discardWill: true, newExpirySeconds: null, _context);
}
