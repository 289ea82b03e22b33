using EdgeBroker.Cluster.Forwarding;
using EdgeBroker.Cluster.Links;
using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Messages;
using EdgeBroker.Protocol;

namespace EdgeBroker.Cluster.Tests.Forwarding;

public sealed class MessageFrameTests
{
    [Theory]
    [InlineData(1, false, null)]
    [InlineData(2, true, 60u)]
    [InlineData(2, false, uint.MaxValue)]
    public void A_message_comes_back_as_it_was(int qos, bool retain, uint? expiry)
    {
        var sent = new Publication
        {
            Topic = "plant/press7"u8,
            Payload = "71.5"u8,
            Properties = [1, 1],
            QoS = (QoS)qos,
            Retain = retain,
            ExpirySeconds = expiry,
            Stamp = new Stamp(77),
        };
        byte[] frame = MessageFrames.Write(new PeerLaneId(5, (byte)qos), 9, sent);
        Assert.True(MessageFrames.TryRead(frame.AsSpan(FrameReader.HeaderBytes), 10, out ForwardedMessage read));
        Assert.Equal((5L, (byte)qos, 9L), (read.Life, read.Lane, read.Position));
        Publication taken = read.Publication;
        Assert.Equal("plant/press7"u8, taken.Topic);
        Assert.Equal("71.5"u8, taken.Payload);
        Assert.Equal(new byte[] { 1, 1 }, taken.Properties);
        Assert.Equal(((QoS)qos, retain, expiry, 77L), (taken.QoS, taken.Retain, taken.ExpirySeconds, taken.Stamp.Value));
    }

    [Theory]
    [InlineData("a/+")]
    [InlineData("$SYS/broker/uptime")]
    [InlineData("a/b/c/d/e")]
    [InlineData("")]
    public void A_topic_nobody_here_could_publish_to_is_none(string topic)
    {
        byte[] frame = MessageFrames.Write(new PeerLaneId(5, 1), 9, new Publication { Topic = Simulation.World.Bytes(topic), QoS = QoS.AtLeastOnce });
        Assert.False(MessageFrames.TryRead(frame.AsSpan(FrameReader.HeaderBytes), 4, out _));
    }

    [Fact]
    public void A_lane_takes_messages_of_its_QoS_only()
    {
        byte[] frame = MessageFrames.Write(new PeerLaneId(5, 2), 9, new Publication { Topic = "a"u8, QoS = QoS.AtLeastOnce });
        Assert.False(MessageFrames.TryRead(frame.AsSpan(FrameReader.HeaderBytes), 4, out _));
    }

    [Fact]
    public void Properties_that_a_client_could_not_send_are_refused()
    {
        byte[] frame = MessageFrames.Write(new PeerLaneId(5, 1), 9, new Publication { Topic = "a"u8, Properties = [11, 1], QoS = QoS.AtLeastOnce });
        Assert.False(MessageFrames.TryRead(frame.AsSpan(FrameReader.HeaderBytes), 4, out _));
    }
}
