using System.Buffers;
using CsCheck;
using EdgeBroker.Transport.Buffers;

namespace EdgeBroker.Transport.Tests.Buffers;

public sealed class OutputBufferTests
{
    [Fact]
    public void Gives_back_what_was_written_in_order_and_keeps_nothing() =>
        Gen.Select(Gen.Int[0, 6], Gen.Int[0, 40_000]).Array[0, 80].Sample(steps =>
        {
            var buffer = new OutputBuffer();
            using Lock.Scope held = buffer.SyncRoot.EnterScope();
            var model = new Queue<byte>();
            byte next = 0;
            foreach ((int op, int value) in steps)
            {
                int count = op % 2 == 0 ? value : value % 300;
                if (op < 3)
                {
                    byte[] bytes = Make(count);
                    bytes.CopyTo(buffer.GetSpan(count));
                    buffer.Advance(count);
                }
                else if (op < 5)
                {
                    buffer.Write(Make(count));
                }
                else
                {
                    count = Math.Min(value, buffer.Length);
                    byte[] front = [.. Content(buffer).Take(count)];
                    Assert.Equal(model.Take(count), front);
                    for (int i = 0; i < count; i++) model.Dequeue();
                    buffer.Consume(count);
                }

                Assert.Equal(model.Count, buffer.Length);
            }

            Assert.Equal(model, Content(buffer));
            buffer.Clear();
            Assert.Null(buffer.First);
            Assert.Equal(0, buffer.Length);

            byte[] Make(int count)
            {
                byte[] bytes = new byte[count];
                for (int i = 0; i < count; i++) model.Enqueue(bytes[i] = next++);
                return bytes;
            }
        }, iter: 40);

    [Fact]
    public void Bytes_written_while_the_front_is_being_sent_stay_where_they_are()
    {
        var buffer = new OutputBuffer();
        using Lock.Scope held = buffer.SyncRoot.EnterScope();
        buffer.Write("first"u8);
        OutputBuffer.Chunk sending = buffer.First!;
        int end = sending.End;
        buffer.Write("second"u8);
        buffer.Consume(end);
        Assert.Equal("second"u8.ToArray(), Content(buffer));
    }

    [Fact]
    public void Who_writes_without_the_lock_is_found() =>
        Assert.Throws<InvalidOperationException>(() => new OutputBuffer().Write("without"u8));

    [Fact]
    public void Chunks_are_used_again()
    {
        byte[] chunk = ChunkPool.Rent(1);
        Assert.Equal(ChunkPool.SmallBytes, chunk.Length);
        ChunkPool.Return(chunk);
        Assert.Same(chunk, ChunkPool.Rent(ChunkPool.SmallBytes));
        Assert.Equal(ChunkPool.LargeBytes, ChunkPool.Rent(ChunkPool.SmallBytes + 1).Length);
        Assert.Equal(100_000, ChunkPool.Rent(100_000).Length);
    }

    [Fact]
    public void After_a_storm_the_pool_lets_its_chunks_go()
    {
        WeakReference[] storm = Storm();
        for (int i = 0; i < 20; i++) ChunkPool.Trim();
        GC.Collect();
        // A few stay at hand.
        Assert.InRange(storm.Count(one => one.IsAlive), 0, 64);

        static WeakReference[] Storm()
        {
            byte[][] chunks = [.. Enumerable.Range(0, 1_000).Select(_ => ChunkPool.Rent(ChunkPool.LargeBytes))];
            foreach (byte[] chunk in chunks) ChunkPool.Return(chunk);
            return [.. chunks.Select(chunk => new WeakReference(chunk))];
        }
    }

    private static byte[] Content(OutputBuffer buffer)
    {
        var all = new List<byte>();
        for (OutputBuffer.Chunk? chunk = buffer.First; chunk is not null; chunk = chunk.Next)
        {
            all.AddRange(chunk.Bytes.AsSpan(chunk.Start, chunk.End - chunk.Start));
        }

        return [.. all];
    }
}
