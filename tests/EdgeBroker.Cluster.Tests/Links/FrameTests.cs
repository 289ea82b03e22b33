using EdgeBroker.Cluster.Links;

namespace EdgeBroker.Cluster.Tests.Links;

public sealed class FrameTests
{
    [Fact]
    public void A_frame_comes_back_however_it_is_cut()
    {
        var random = new Random(1);
        for (int round = 0; round < 200; round++)
        {
            byte[] body = new byte[random.Next(3) == 0 ? random.Next(200_000) : random.Next(100)];
            random.NextBytes(body);
            var taken = new Taken();
            var reader = new FrameReader(250_000);
            ReadOnlySpan<byte> bytes = [.. Frames.Of(FrameType.Ping, []), .. Frames.Of(FrameType.Message, body), .. Frames.Of(FrameType.Bye, [7])];
            while (!bytes.IsEmpty)
            {
                int length = random.Next(1, bytes.Length + 1);
                Assert.True(reader.Feed(bytes[..length], taken));
                bytes = bytes[length..];
            }

            Assert.Equal([FrameType.Ping, FrameType.Message, FrameType.Bye], taken.Frames.Select(frame => frame.Type));
            Assert.Equal(body, taken.Frames[1].Body);
        }
    }

    [Fact]
    public void What_is_waited_for_goes_between_the_pieces_of_a_long_message()
    {
        var taken = new Taken();
        var reader = new FrameReader(250_000);
        var output = new LinkOutput(1_000_000);
        output.Add(FrameClass.Messages, Frames.Of(FrameType.Message, new byte[100_000]));
        Assert.True(output.TryTake(out ReadOnlyMemory<byte> first));
        output.Add(FrameClass.Control, Frames.Of(FrameType.Ping, [1]));
        reader.Feed(first.Span, taken);
        while (output.TryTake(out ReadOnlyMemory<byte> next)) Assert.True(reader.Feed(next.Span, taken));
        Assert.Equal([FrameType.Ping, FrameType.Message], taken.Frames.Select(frame => frame.Type));
        Assert.Equal(100_000, taken.Frames[1].Body.Length);
        Assert.True(output.IsEmpty);
    }

    [Fact]
    public void A_length_beyond_the_limit_ends_it_before_anything_is_kept()
    {
        var reader = new FrameReader(1_000);
        Assert.False(reader.Feed([0xFF, 0xFF, 0xFF, (byte)FrameType.Message], new Taken()));
        Assert.NotNull(reader.Fault);
    }

    [Fact]
    public void Pieces_beyond_the_limit_end_it()
    {
        var reader = new FrameReader(60_000);
        Assert.False(reader.Feed(Frames.Of(FrameType.Message, new byte[70_000]), new Taken()));
        Assert.NotNull(reader.Fault);
    }

    [Fact]
    public void Only_messages_and_values_come_in_pieces()
    {
        byte[] frame = Frames.Of(FrameType.Interest, [1]);
        frame[3] |= FrameReader.More;
        Assert.False(new FrameReader(1_000).Feed(frame, new Taken()));
    }

    private sealed class Taken : IFrameHandler
    {
        public List<(FrameType Type, byte[] Body)> Frames { get; } = [];

        public bool Handle(FrameType type, ReadOnlySpan<byte> body)
        {
            Frames.Add((type, body.ToArray()));
            return true;
        }
    }
}
