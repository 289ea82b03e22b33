using System.Net;
using EdgeBroker.Coap.Messages;
using EdgeBroker.Coap.Resources;
using EdgeBroker.Transport.Listeners;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Coap.Tests.Rig;

/// <summary>A server without sockets, under a clock that moves when the test says so, and peers behind links that lose what the test says.</summary>
internal sealed class CoapRig : IDatagramOutput
{
    private readonly Dictionary<PeerEndPoint, TestPeer> _peers = [];

    public CoapRig(Site? site = null, CoapLimits? limits = null)
    {
        Faults = [];
        Resources = new TestSite(this);
        Server = new ResourceServer(site ?? Resources.Site, limits ?? new CoapLimits(), this, Time, new Random(1), Faults.Add);
    }

    public FakeTimeProvider Time { get; } = new();

    /// <summary>The site, unless the test has brought its own.</summary>
    public TestSite Resources { get; }

    public ResourceServer Server { get; }

    public List<Exception> Faults { get; }

    /// <summary>A peer; on this machine unless said otherwise.</summary>
    public TestPeer Peer(int port = 40_000, string address = "127.0.0.1")
    {
        var endPoint = PeerEndPoint.Of(new IPEndPoint(IPAddress.Parse(address), port));
        var peer = new TestPeer((from, datagram) => Server.Layer.Receive(from, datagram), endPoint);
        _peers[endPoint] = peer;
        return peer;
    }

    /// <summary>Moves the clock, stopping wherever the server has something to do.</summary>
    public void Advance(double seconds)
    {
        long untilMs = Server.Layer.NowMs + (long)(seconds * 1_000);
        while (Server.Layer.NextDueMs is var next && next <= untilMs)
        {
            Time.Advance(TimeSpan.FromMilliseconds(Math.Max(0, next - Server.Layer.NowMs)));
            Server.Layer.RunDue();
        }

        Time.Advance(TimeSpan.FromMilliseconds(untilMs - Server.Layer.NowMs));
    }

    public void Send(in PeerEndPoint to, ReadOnlySpan<byte> datagram) => _peers[to].Take(datagram.ToArray());
}
