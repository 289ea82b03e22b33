using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Sessions;

public sealed class WillTests
{
    private readonly Bench _bench = new();
    private readonly Client _watcher;

    public WillTests()
    {
        _watcher = _bench.Connect("watcher");
        _watcher.Subscribe("will/#", QoS.ExactlyOnce, retainAsPublished: true);
    }

    [Fact]
    public void Is_published_when_the_connection_breaks()
    {
        _bench.Connect("c", will: Bench.WillOf("will/c", "gone", qos: QoS.AtLeastOnce, retain: true, expirySeconds: 30)).Drop();
        Packet packet = Assert.Single(_watcher.Sent);
        Assert.Equal(("gone", QoS.AtLeastOnce, true, 30u), (packet.Payload, packet.QoS, packet.Retain, packet.ExpirySeconds!.Value));
        Assert.Equal(1, _bench.Broker.Retained.Count);
    }

    [Fact]
    public void Is_forgotten_when_the_client_says_goodbye()
    {
        Client client = _bench.Connect("c", expirySeconds: 60, will: Bench.WillOf("will/c", "gone", delaySeconds: 5));
        client.Disconnect();
        _bench.Advance(100);
        Assert.Empty(_watcher.Sent);
    }

    [Fact]
    public void Waits_for_its_delay_and_is_published_once()
    {
        _bench.Connect("c", expirySeconds: 60, will: Bench.WillOf("will/c", "gone", delaySeconds: 5)).Drop();
        _bench.Advance(4.9);
        Assert.Empty(_watcher.Sent);
        _bench.Advance(0.1);
        Assert.Single(_watcher.Sent);
        _bench.Advance(100);
        Assert.Single(_watcher.Sent);
        Assert.Equal(1, _bench.Broker.SessionCount);
    }

    [Fact]
    public void Does_not_outlive_the_session_however_long_its_delay()
    {
        _bench.Connect("c", expirySeconds: 3, will: Bench.WillOf("will/c", "gone", delaySeconds: 50)).Drop();
        _bench.Advance(3);
        Assert.Single(_watcher.Sent);
        _bench.Connect("d", expirySeconds: 0, will: Bench.WillOf("will/d", "gone", delaySeconds: 50)).Drop();
        Assert.Equal(2, _watcher.Sent.Count);
    }

    [Fact]
    public void Is_stopped_by_a_new_connection_within_the_delay()
    {
        _bench.Connect("c", expirySeconds: 60, will: Bench.WillOf("will/c", "gone", delaySeconds: 5)).Drop();
        _bench.Advance(3);
        _bench.Connect("c", expirySeconds: 60);
        _bench.Advance(30);
        Assert.Empty(_watcher.Sent);
    }

    [Theory]
    [InlineData(0u, false, 1)]
    [InlineData(5u, false, 0)]
    [InlineData(5u, true, 1)]
    public void A_takeover_publishes_it_unless_a_delay_lets_the_session_go_on(uint delaySeconds, bool cleanStart, int expected)
    {
        _bench.Connect("c", expirySeconds: 60, will: Bench.WillOf("will/c", "old", delaySeconds));
        Client fresh = _bench.Connect("c", cleanStart, expirySeconds: 60, will: Bench.WillOf("will/c", "new", delaySeconds));
        Assert.Equal(expected, _watcher.Sent.Count);
        _bench.Advance(30);
        Assert.Equal(expected, _watcher.Sent.Count);
        fresh.Drop();
        _bench.Advance(30);
        Assert.Equal("new", _watcher.Payloads.Last());
        Assert.Equal(expected + 1, _watcher.Sent.Count);
    }
}
