using System.Net;
using EdgeBroker.Coap.Gateway;
using EdgeBroker.Coap.Listeners;
using EdgeBroker.Coap.Messages;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Coap.Tests.Rig;

/// <summary>A broker with CoAP before it, without sockets, on a clock that moves when told.</summary>
internal sealed class GatewayRig : IDisposable
{
    private readonly Dictionary<PeerEndPoint, TestPeer> _peers = [];

    public GatewayRig(
        IJournal? journal = null, IAuthenticator? authenticator = null, DoorSettings? door = null, CoapLimits? limits = null, MqttOptions? options = null)
    {
        Broker = new Broker(
            options ?? TestBrokerOptions.Quiet, new BrokerClock(Time), journal ?? VolatileJournal.Instance, new BrokerEvents(Events), "test");
        Door = new Replaceable<DoorSettings>(door ?? new DoorSettings("127.0.0.1:5683", AllowAnonymous: true, AllowQueryCredentials: false));
        Server = new CoapServer(
            Broker, authenticator ?? new AnonymousAuthenticator(Rules), limits ?? new CoapLimits(), Door, Time, Clients = new CoapClients(Broker),
            all =>
            {
                Sending();
                all.ForEach(one => _peers[one.To].Take(one.Datagram));
            });
    }

    public FakeTimeProvider Time { get; } = new();

    public RecordedEvents Events { get; } = new();

    public Broker Broker { get; }

    public CoapClients Clients { get; }

    public CoapServer Server { get; }

    /// <summary>Happens when the server sends.</summary>
    public Action Sending { get; set; } = static () => { };

    public Replaceable<DoorSettings> Door { get; }

    public Replaceable<AclRuleSet> Rules { get; } = new(AclRuleSet.Unrestricted);

    public TestPeer Peer(int port = 40_000, string address = "127.0.0.1")
    {
        var peer = new TestPeer((from, datagram) => Server.Receive(from, datagram), PeerEndPoint.Of(new IPEndPoint(IPAddress.Parse(address), port)));
        _peers[peer.EndPoint] = peer;
        return peer;
    }

    /// <summary>Subscribes as an MQTT client would.</summary>
    public LocalClient Subscribe(string filter)
    {
        LocalClient client = Broker.OpenLocal("test-" + filter, new LocalClientOptions());
        Assert.False(client.Subscribe(filter, new SubscriptionOptions(QoS.ExactlyOnce, retainAsPublished: true)).IsError());
        return client;
    }

    /// <summary>Publishes as an MQTT client would.</summary>
    public void Publish(string topic, string payload, bool retain = false, QoS qos = QoS.AtMostOnce, uint? expirySeconds = null, byte[]? properties = null)
    {
        using LocalClient client = Broker.OpenLocal("publisher", new LocalClientOptions());
        ReasonCode reason = client.PublishAsync(new Message
        {
            Topic = System.Text.Encoding.UTF8.GetBytes(topic),
            Payload = System.Text.Encoding.UTF8.GetBytes(payload),
            Properties = properties ?? [],
            QoS = qos,
            Retain = retain,
            ExpiresAtMs = expirySeconds is { } seconds ? Broker.Clock.NowMs + (seconds * 1_000) : Message.Never,
        }).GetAwaiter().GetResult();
        Assert.False(reason.IsError());
    }

    public void Dispose() => Server.Dispose();
}
