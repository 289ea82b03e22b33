using System.Text;
using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Topics;

/// <summary>What the tree knows of other nodes, and tells them.</summary>
public sealed class PeerInterestTests
{
    private readonly Bench _bench = new();

    [Fact]
    public void A_node_is_matched_once_with_all_it_wants()
    {
        PeerOutbox peer = _bench.Broker.OpenPeer(2, life: 1, 1_000);
        peer.SetInterest("a/+"u8, Interest.Any);
        peer.SetInterest("a/#"u8, Interest.Any | Interest.Acknowledged | Interest.Kept);
        MatchResult match = Match("a/b");
        Assert.Empty(match.Plain);
        PeerInterest interest = Assert.Single(match.Peers);
        Assert.Same(peer, interest.Receiver);
        Assert.Equal(Interest.Any | Interest.Acknowledged | Interest.Kept, interest.Interest);
        peer.SetInterest("a/#"u8, Interest.None);
        Assert.Equal(Interest.Any, Assert.Single(Match("a/b").Peers).Interest);
        peer.SetInterest("a/+"u8, Interest.None);
        Assert.True(Match("a/b").IsEmpty);
        Assert.Equal((0, 0), (_bench.Broker.Subscriptions.Count, _bench.Broker.Subscriptions.PeerCount));
    }

    [Fact]
    public void Filters_of_other_nodes_are_not_counted_as_subscriptions()
    {
        _bench.Broker.OpenPeer(2, life: 1, 1_000).SetInterest("a"u8, Interest.Any);
        Assert.Equal((0, 1), (_bench.Broker.Subscriptions.Count, _bench.Broker.Subscriptions.PeerCount));
    }

    [Fact]
    public void The_observer_hears_of_each_change_of_what_is_wanted_and_of_nothing_else()
    {
        var observer = new Heard();
        _bench.Broker.Subscriptions.Observer = observer;
        Client one = _bench.Connect("one");
        Client kept = _bench.Connect("kept", expirySeconds: 100);
        one.Subscribe("a", QoS.AtMostOnce);
        one.Subscribe("a", QoS.AtMostOnce);
        kept.Subscribe("a", QoS.AtLeastOnce);
        one.Unsubscribe("a");
        kept.Unsubscribe("a");
        Assert.Equal(["a Any", "a Any, Acknowledged, Kept", "a None"], observer.Lines);
    }

    [Fact]
    public void Of_a_group_the_observer_hears_who_is_there()
    {
        var observer = new Heard();
        _bench.Broker.Subscriptions.Observer = observer;
        Client one = _bench.Connect("one");
        Client kept = _bench.Connect("kept", expirySeconds: 100);
        one.Subscribe("$share/g/b", QoS.AtMostOnce);
        kept.Subscribe("$share/g/b", QoS.AtLeastOnce);
        one.Unsubscribe("$share/g/b");
        kept.Disconnect();
        _bench.Connect("kept", cleanStart: false, expirySeconds: 100).Unsubscribe("$share/g/b");
        Assert.Equal(
            [
                "$share/g/b Any, Connected",
                "$share/g/b Any, Acknowledged, Kept, Connected",
                "$share/g/b Any, Acknowledged, Kept",
                "$share/g/b Any, Acknowledged, Kept, Connected",
                "$share/g/b None",
            ],
            observer.Lines);
    }

    [Fact]
    public void What_comes_from_a_node_goes_to_plain_subscribers_here_and_to_no_node()
    {
        PeerOutbox peer = _bench.Broker.OpenPeer(2, life: 1, 1_000_000);
        peer.IsReachable = true;
        peer.SetInterest("a"u8, Interest.Any | Interest.Acknowledged);
        Client plain = _bench.Connect("plain");
        plain.Subscribe("a", QoS.AtLeastOnce);
        Client shared = _bench.Connect("shared");
        shared.Subscribe("$share/g/a", QoS.AtLeastOnce);
        _bench.Broker.Publish(
            new Core.Messages.Publication { Topic = "a"u8, Payload = "from afar"u8, QoS = QoS.AtLeastOnce }, _bench.Broker.CreatePeerContext());
        Assert.Equal(["from afar"], plain.Payloads);
        Assert.Empty(shared.Sent);
        Assert.Equal(0, peer.PendingMessages);
        _bench.Publish("a", "from here", QoS.AtLeastOnce);
        Assert.Equal(1, peer.PendingMessages);
    }

    [Fact]
    public void Only_kept_filters_count_for_a_node_that_is_away_for_long()
    {
        PeerOutbox peer = _bench.Broker.OpenPeer(2, life: 1, 1_000_000);
        peer.SetInterest("connected"u8, Interest.Any | Interest.Acknowledged);
        peer.SetInterest("kept"u8, Interest.Any | Interest.Acknowledged | Interest.Kept);
        _bench.Publish("connected", "m", QoS.AtLeastOnce);
        Assert.Equal(0, peer.PendingMessages);
        _bench.Publish("kept", "m", QoS.ExactlyOnce);
        Assert.Equal(1, peer.PendingMessages);
        peer.IsReachable = true;
        _bench.Publish("connected", "m", QoS.AtLeastOnce);
        Assert.Equal(2, peer.PendingMessages);
    }

    [Fact]
    public void Beyond_its_bytes_the_oldest_messages_for_a_node_go()
    {
        PeerOutbox peer = _bench.Broker.OpenPeer(2, life: 1, maxQueuedBytes: 1_000);
        peer.IsReachable = true;
        peer.SetInterest("a"u8, Interest.Any | Interest.Acknowledged);
        for (int i = 0; i < 100; i++) Assert.False(_bench.Publish("a", new string('x', 99), QoS.AtLeastOnce).Reason.IsError());
        Assert.Equal(10, peer.PendingMessages);
        Assert.Equal(90, _bench.Events.Dropped.Sum(one => one.Count));
    }

    private MatchResult Match(string topic) => new SubscriptionMatcher().Match(_bench.Broker.Subscriptions.Root, Encoding.UTF8.GetBytes(topic));

    private sealed class Heard : IInterestObserver
    {
        public List<string> Lines { get; } = [];

        public void Changed(ReadOnlySpan<byte> filter, Interest interest) => Lines.Add($"{Encoding.UTF8.GetString(filter)} {interest}");
    }
}
