using EdgeBroker.Cluster.Forwarding;
using EdgeBroker.Cluster.Interest;
using EdgeBroker.Cluster.Links;
using EdgeBroker.Cluster.Ownership;
using EdgeBroker.Cluster.Tests.Simulation;
using EdgeBroker.Cluster.Wills;
using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Messages;
using EdgeBroker.Protocol;

namespace EdgeBroker.Cluster.Tests.Links;

/// <summary>Whatever a peer sends is a valid action or closes its link; nothing throws, and the node goes on.</summary>
public sealed class HostileLinkTests
{
    private static readonly Message Message = new() { Topic = "will/1"u8.ToArray(), Payload = "gone"u8.ToArray(), QoS = QoS.AtLeastOnce };

    [Fact]
    public void Random_bytes_close_the_link_and_nothing_else()
    {
        for (int seed = 1; seed <= 500; seed++)
        {
            var random = new Random(seed);
            SimNode node = new World(seed, 2).Nodes[0];
            PeerLink link = Introduce(node, random);
            for (int i = 0; i < 50 && !link.IsClosed; i++) node.Mesh.Receive(link, Frame(random));
            // Who keeps to the protocol is served all the same.
            PeerLink next = Introduce(node, random);
            Assert.True(node.LinkTo(new World(seed, 2).Nodes[1]) is not null && !next.IsClosed);
        }
    }

    [Fact]
    public void Mutated_frames_of_a_real_peer_do_no_harm()
    {
        for (int seed = 1; seed <= 300; seed++)
        {
            var random = new Random(seed);
            SimNode node = new World(seed, 2, votes: true).Nodes[0];
            PeerLink link = Introduce(node, random);
            foreach (byte[] good in Good())
            {
                byte[] bad = [.. good];
                for (int i = 0; i < 1 + (seed % 3); i++) bad[random.Next(FrameReader.HeaderBytes, bad.Length)] = (byte)random.Next(256);
                node.Mesh.Receive(link, bad);
                if (link.IsClosed) link = Introduce(node, random);
            }

            node.Mesh.Tick(node.NowMs);
        }
    }

    [Theory]
    [InlineData(3, "node 3 is not in cluster.peers")]
    [InlineData(1, "another node 1")]
    public void A_stranger_is_told_why_and_turned_away(byte number, string words)
    {
        SimNode node = new World(1, 2).Nodes[0];
        PeerLink link = node.Mesh.Open(expected: null, isDialed: false, static () => { });
        node.Mesh.Receive(link, Hello(number).ToFrame());
        Assert.True(link.IsClosed);
        Assert.Contains(words, link.Cause, StringComparison.Ordinal);
        Assert.True(link.TryTake(out ReadOnlyMemory<byte> bye));
        Assert.Equal((byte)FrameType.Bye, bye.Span[3]);
    }

    [Fact]
    public void Nothing_is_taken_before_a_node_has_said_who_it_is()
    {
        SimNode node = new World(1, 2).Nodes[0];
        PeerLink link = node.Mesh.Open(expected: null, isDialed: false, static () => { });
        node.Mesh.Receive(link, Good()[0]);
        Assert.True(link.IsClosed);
    }

    [Fact]
    public void A_lane_that_was_not_named_ends_the_link()
    {
        SimNode node = new World(1, 2).Nodes[0];
        PeerLink link = Introduce(node, new Random(1));
        node.Mesh.Receive(link, MessageFrames.Write(new PeerLaneId(99, 1), 1, new Publication { Topic = "a"u8, QoS = QoS.AtLeastOnce }));
        Assert.True(link.IsClosed);
    }

    private static PeerLink Introduce(SimNode node, Random random)
    {
        PeerLink link = node.Mesh.Open(expected: null, isDialed: false, static () => { });
        node.Mesh.Receive(link, Hello(2, random.Next()).ToFrame());
        foreach (byte[] frame in InterestFrames.Write(0, [], isFull: true)) node.Mesh.Receive(link, frame);
        foreach (byte[] frame in SessionFrames.Write(0, [], isFull: true)) node.Mesh.Receive(link, frame);
        return link;
    }

    private static Hello Hello(byte number, long life = 7) => new()
    {
        ClusterId = "",
        Node = number,
        Name = "hostile",
        StoreId = Guid.NewGuid(),
        Life = life,
        Clock = Stamp.None,
        MaxMessageBytes = 1_000_000,
        RetainedCursor = 0,
        RetainedLife = 0,
        Lanes = [new PeerLaneId(7, 1), new PeerLaneId(7, 2)],
    };

    private static byte[] Frame(Random random)
    {
        byte[] body = new byte[random.Next(80)];
        random.NextBytes(body);
        return Frames.Of((FrameType)random.Next(1, 18), body);
    }

    private static List<byte[]> Good() =>
    [
        MessageFrames.Write(new PeerLaneId(7, 1), 1, new Publication { Topic = "t/1"u8, Payload = "one"u8, QoS = QoS.AtLeastOnce, ExpirySeconds = 9 }),
        MessageFrames.Write(new PeerLaneId(7, 2), 1, new Publication { Topic = "t/2"u8, Payload = "two"u8, QoS = QoS.ExactlyOnce, Stamp = new Stamp(512) }),
        MessageFrames.Write(default, 0, new Publication { Topic = "t/3"u8, Payload = "three"u8 }),
        MessageFrames.WriteRow(new Publication { Topic = "r/1"u8, Payload = "value"u8, Retain = true, Stamp = new Stamp(1024) }),
        .. InterestFrames.Write(1, [new InterestChange("t/#"u8.ToArray(), Core.Topics.Interest.Any | Core.Topics.Interest.Kept)], isFull: false),
        .. SessionFrames.Write(
            1, Enum.GetValues<SessionKind>().Select((kind, i) => new SessionEntry("client1" + (i % 2), kind, new Stamp(900 + i), UInt128.One)), isFull: false),
        WillFrames.Write(new WillFrame(WillNews.Begin, 0, 1, "", Stamp.None)),
        WillFrames.Write(1, "client1", new WillCopy(new Stamp(900), new HeldWill("user", Message, 5, 60))),
        WillFrames.Write(new WillFrame(WillNews.End, 0, 1, "", Stamp.None)),
        WillFrames.Write(new WillFrame(WillNews.Gone, 0, 1, "client1", Stamp.None)),
        WillFrames.Write(new WillFrame(WillNews.Published, 3, 0, "client1", new Stamp(900))),
        Frames.Of(FrameType.InterestSeen, new byte[8]),
        Frames.Of(FrameType.SessionsSeen, new byte[8]),
        Frames.Of(FrameType.MessageSeen, new byte[17]),
        Frames.Of(FrameType.RetainedSince, new byte[8]),
        Frames.Of(FrameType.Ping, new byte[8]),
    ];
}
