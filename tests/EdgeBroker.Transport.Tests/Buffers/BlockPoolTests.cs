using EdgeBroker.Transport.Buffers;
using EdgeBroker.Transport.Linux;

namespace EdgeBroker.Transport.Tests.Buffers;

/// <summary>The pool is the process's: other tests may take and give back meanwhile.</summary>
public sealed class BlockPoolTests
{
    private const int Megabyte = 1024 * 1024;

    [Theory]
    [InlineData(1)]
    [InlineData((64 * 1024) + 1)]
    [InlineData((5 * Megabyte) + 1)]
    public void Blocks_are_long_enough_and_not_much_longer(int bytes)
    {
        MappedBlock block = BlockPool.Take(bytes);
        Assert.InRange(block.Bytes, bytes, Math.Max(8 * bytes, 64 * 1024) + Environment.SystemPageSize);
        block.Span[bytes - 1] = 1;
        BlockPool.Return(ref block);
        Assert.Equal(0, block.Bytes);
        BlockPool.Return(ref block);
    }

    [Fact]
    public void What_is_in_a_block_stays_when_it_grows()
    {
        MappedBlock block = BlockPool.Take(100_000);
        for (int i = 0; i < 100_000; i++) block.Span[i] = (byte)i;
        block.Resize(3 * Megabyte);
        for (int i = 0; i < 100_000; i++) Assert.Equal((byte)i, block.Span[i]);
        block.Span[^1] = 1;
        BlockPool.Return(ref block);
    }

    [Fact]
    public void Few_blocks_are_kept_and_none_for_long()
    {
        MappedBlock[] blocks = [.. Enumerable.Range(0, 100).Select(_ => BlockPool.Take(Megabyte))];
        for (int i = 0; i < blocks.Length; i++) BlockPool.Return(ref blocks[i]);
        Assert.InRange(BlockPool.KeptBytes, Megabyte, 4 * Megabyte);
        // The first call sees what was used since the last one.
        BlockPool.Trim();
        BlockPool.Trim();
        Assert.InRange(BlockPool.KeptBytes, 0, 3 * Megabyte);
    }
}
