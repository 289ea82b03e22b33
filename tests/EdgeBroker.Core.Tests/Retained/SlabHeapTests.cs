using CsCheck;
using EdgeBroker.Core.Retained;
using EdgeBroker.Core.Tests.Rig;

namespace EdgeBroker.Core.Tests.Retained;

public sealed unsafe class SlabHeapTests
{
    private static readonly int[] Sizes = [1, 16, 17, 100, 128, 129, 160, 161, 255, 256, 257, 1_000, 4_096, 8_191, 8_192, 8_193, 70_000, 1_000_000];

    [Fact]
    public void Blocks_keep_what_is_written_to_them_and_all_memory_goes_back() => Steps.Of(4, 600).Sample(steps =>
    {
        var heap = new SlabHeap();
        var blocks = new List<(uint Handle, int Bytes, byte Mark)>();
        byte mark = 0;
        foreach ((int op, int a, int b) in steps)
        {
            if (op < 2)
            {
                int bytes = Sizes[(a + (7 * b)) % Sizes.Length];
                uint handle = heap.Allocate(bytes);
                Assert.NotEqual(0u, handle);
                Assert.Equal(0, (nint)heap.At(handle) & 15);
                new Span<byte>(heap.At(handle), bytes).Fill(++mark);
                blocks.Add((handle, bytes, mark));
            }
            else if (blocks.Count > 0)
            {
                int at = (a + (3 * b)) % blocks.Count;
                Check(blocks[at]);
                heap.Free(blocks[at].Handle);
                blocks.RemoveAt(at);
            }

            Assert.InRange(heap.UsedBytes, blocks.Sum(one => (long)one.Bytes), heap.MappedBytes);
        }

        foreach ((uint Handle, int Bytes, byte Mark) block in blocks)
        {
            Check(block);
            heap.Free(block.Handle);
        }

        Assert.Equal((0, 0), (heap.UsedBytes, heap.MappedBytes));

        void Check((uint Handle, int Bytes, byte Mark) block) =>
            Assert.Equal(-1, new Span<byte>(heap.At(block.Handle), block.Bytes).IndexOfAnyExcept(block.Mark));
    });

    [Fact]
    public void A_block_is_at_most_a_quarter_larger_than_asked_for()
    {
        var heap = new SlabHeap();
        for (int bytes = 64; bytes <= 8_192; bytes++)
        {
            uint handle = heap.Allocate(bytes);
            Assert.InRange(heap.UsedBytes, bytes, Math.Max(bytes + 15, bytes * 1.25));
            heap.Free(handle);
        }
    }

    [Fact]
    public void Slabs_that_are_not_full_are_filled_first()
    {
        var heap = new SlabHeap();
        uint[] blocks = [.. Enumerable.Range(0, 10_000).Select(_ => heap.Allocate(100))];
        long mapped = heap.MappedBytes;
        for (int i = 0; i < blocks.Length; i += 2) heap.Free(blocks[i]);
        for (int i = 0; i < blocks.Length; i += 2) blocks[i] = heap.Allocate(100);
        Assert.Equal(mapped, heap.MappedBytes);
        Assert.Equal(blocks.Length, blocks.Distinct().Count());
    }
}
