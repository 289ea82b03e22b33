using System.Text;
using EdgeBroker.Core.Ingress;
using EdgeBroker.Core.Security;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Rig;

/// <summary>A client by its lease and its link.</summary>
internal sealed class Client(Bench bench, FakeLink link, ConnectionLease lease)
{
    private readonly Principal _principal = new()
    {
        Receiver = lease.Session,
        Generation = lease.Generation,
        Identity = AuthenticationResult.Admitted(null, Permissions.All),
        Grants = bench.Broker.Options,
    };

    public FakeLink Link => link;

    public ConnectionLease Lease => lease;

    public Session Session => lease.Session;

    public List<Packet> Sent => link.Sent;

    public IEnumerable<string> Payloads => link.Sent.Select(packet => packet.Payload);

    public ReasonCode Subscribe(
        string filter, QoS qos = QoS.AtMostOnce, uint identifier = 0, bool noLocal = false, bool retainAsPublished = false,
        RetainHandling handling = RetainHandling.SendOnSubscribe) =>
        bench.Broker.Ingress.Subscribe(
            Encoding.UTF8.GetBytes(filter),
            new SubscriptionOptions(qos, noLocal, retainAsPublished, handling),
            identifier,
            _principal,
            bench.Broker.Clock.NowMs).Reason;

    public ReasonCode Unsubscribe(string filter) => bench.Broker.Unsubscribe(Session, lease, Encoding.UTF8.GetBytes(filter), out _);

    public PublishOutcome Publish(string topic, string payload, QoS qos = QoS.AtMostOnce, bool retain = false, bool waits = false) =>
        bench.Publish(topic, payload, qos, retain, publisher: Session, waits: waits);

    /// <summary>Iterates, as long as the session asks for them.</summary>
    /// <returns>How many turns it took.</returns>
    public int Pump()
    {
        int iterations = 0;
        for (; link.PumpRequested; iterations++)
        {
            link.PumpRequested = false;
            bench.Broker.Pump(lease, bench.Context);
        }

        return iterations;
    }

    public AckOutcome Puback(int id, bool refused = false) => Session.Puback(lease, (ushort)id, refused);

    public AckOutcome Pubrec(int id, bool refused = false) => Session.Pubrec(lease, (ushort)id, refused);

    public AckOutcome Pubcomp(int id) => Session.Pubcomp(lease, (ushort)id);

    public void Disconnect(bool discardWill = true, uint? newExpirySeconds = null) =>
        bench.Broker.Disconnect(lease, discardWill, newExpirySeconds, bench.Context);

    /// <summary>The network is gone without a word.</summary>
    public void Drop() => Disconnect(discardWill: false);
}
