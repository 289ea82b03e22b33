using CsCheck;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Routing;

public sealed class MessageBatchTests
{
    private static readonly byte[] Property = [(byte)PropertyId.PayloadFormatIndicator, 1];

    [Fact]
    public void Segments_are_the_longest_stretches_of_one_publisher_and_one_match_and_hold_what_was_added() =>
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, 3], Gen.Int[0, 3], Gen.Int[0, 300]).Array[0, 40].Array[1, 3].Sample(batches =>
        {
            Session?[] publishers = [null, Loose.Session("1"), Loose.Session("2")];
            MatchResult group = new([], [new SharedGroup("g"u8.ToArray())]);
            MatchResult[] matches = [new([], []), new([], []), new([], []), group];
            var batch = new MessageBatch();
            // Several, since it keeps its memory.
            foreach ((int, int, int, int)[] steps in batches)
            {
                var added = new List<Message>();
                foreach ((int publisher, _, int form, int length) in steps)
                {
                    Publication message = Make(publishers[publisher], form, length);
                    Assert.True(MessageBatch.MayHold(message));
                    Assert.True(batch.TryAdd(message));
                    added.Add(message.ToMessage(0));
                }

                for (int i = 0; i < steps.Length; i++) batch.Matches[i] = matches[steps[i].Item2];
                int at = 0;
                while (at < steps.Length)
                {
                    MessageSegment segment = batch.SegmentAt(at);
                    Assert.Same(matches[steps[at].Item2], segment.Match);
                    Assert.Same(publishers[steps[at].Item1], segment.Publisher);
                    Assert.Equal(Expected(steps, at), segment.Count);
                    Check(segment, added.GetRange(at, segment.Count), [.. steps.Skip(at).Take(segment.Count).Select(step => step.Item3)]);
                    at += segment.Count;
                }

                batch.Clear();
                Assert.Equal(0, batch.Count);
            }
        });

    [Fact]
    public void It_takes_no_more_than_it_may_hold_but_one_message_of_any_length()
    {
        var batch = new MessageBatch();
        int taken = 0;
        while (batch.TryAdd(new Publication { Topic = "t"u8 })) taken++;
        Assert.Equal(MessageBatch.MaxMessages, taken);
        batch.Clear();
        byte[] longest = new byte[ushort.MaxValue], payload = new byte[4096];
        Assert.True(batch.TryAdd(new Publication { Topic = longest, Payload = payload }));
        Assert.False(batch.TryAdd(new Publication { Topic = "t"u8 }));
        batch.Clear();
        taken = 0;
        while (batch.TryAdd(new Publication { Topic = "t"u8, Payload = payload })) taken++;
        Assert.Equal(64 * 1024 / 4097, taken);
    }

    [Fact]
    public void Only_short_messages_at_QoS_0_that_are_not_retained_may_wait()
    {
        Assert.True(MessageBatch.MayHold(new Publication { Payload = new byte[4096] }));
        Assert.False(MessageBatch.MayHold(new Publication { Payload = new byte[4096], Properties = Property }));
        Assert.False(MessageBatch.MayHold(new Publication { QoS = QoS.AtLeastOnce }));
        Assert.False(MessageBatch.MayHold(new Publication { Retain = true }));
    }

    /// <summary>0: parts only; 1: a packet of 3.1.1; 2 and 3: of 5.0, without and with a property and an expiry.</summary>
    private static Publication Make(Session? publisher, int form, int length)
    {
        byte[] topic = new byte[1 + (length % 5)], payload = new byte[length];
        Array.Fill(topic, (byte)('a' + form));
        Array.Fill(payload, (byte)length);
        if (form == 0) return new Publication { Topic = topic, Payload = payload, Properties = Property, ExpirySeconds = 7, Publisher = publisher };
        ProtocolVersion version = form == 1 ? ProtocolVersion.V311 : ProtocolVersion.V5;
        var publish = new OutgoingPublish { Topic = topic, Payload = payload };
        if (form == 3) publish = publish with { ForwardedProperties = Property, ExpirySeconds = 7 };
        byte[] packet = new byte[publish.Length(version)];
        publish.Write(packet, version);
        Assert.Equal(FrameStatus.Complete, Frame.Cut(packet, int.MaxValue, out Frame frame, out _));
        Assert.True(PublishPacket.TryParse(frame, version, out PublishPacket parsed, out _));
        Assert.True(parsed.MayGoUnchanged);
        Assert.True(parsed.Properties.TryGetForwarded(out ReadOnlySpan<byte> forwarded));
        return new Publication
        {
            Topic = parsed.Topic,
            Payload = parsed.Payload,
            Properties = forwarded,
            ExpirySeconds = form == 3 ? 7u : null,
            Publisher = publisher,
            Packet = parsed.Bytes,
            PacketVersion = version,
        };
    }

    private static int Expected((int Publisher, int Match, int Form, int Length)[] steps, int at)
    {
        int end = at + 1;
        while (steps[at].Match != 3 && end < steps.Length && (steps[end].Publisher, steps[end].Match) == (steps[at].Publisher, steps[at].Match)) end++;
        return end - at;
    }

    private static void Check(in MessageSegment segment, List<Message> added, int[] forms)
    {
        var packets = new List<byte>();
        int largest = 0;
        for (int i = 0; i < segment.Count; i++)
        {
            Publication message = segment[i];
            Assert.True(message.Topic.SequenceEqual(segment.TopicOf(i)));
            Assert.True(message.Topic.SequenceEqual(added[i].Topic));
            Assert.True(message.Payload.SequenceEqual(added[i].Payload));
            Assert.True(message.Properties.SequenceEqual(added[i].Properties));
            Assert.Equal(forms[i] is 0 or 3 ? 7u : null, message.ExpirySeconds);
            Assert.Equal(forms[i] == 0, message.Packet.IsEmpty);
            packets.AddRange(message.Packet);
            largest = Math.Max(largest, message.Packet.Length);
        }

        Assert.Equal(added.Sum(one => (long)one.Payload.Length), segment.PayloadBytes);
        foreach (ProtocolVersion version in (ProtocolVersion[])[ProtocolVersion.V311, ProtocolVersion.V5])
        {
            bool isTheirs = forms.All(form => (form, version) is (1, ProtocolVersion.V311) or (2 or 3, ProtocolVersion.V5));
            Assert.Equal(isTheirs, segment.TryGetPackets(version, out ReadOnlySpan<byte> received, out int largestPacketBytes));
            if (!isTheirs) continue;
            Assert.True(received.SequenceEqual(packets.ToArray()));
            Assert.Equal(largest, largestPacketBytes);
        }
    }
}
