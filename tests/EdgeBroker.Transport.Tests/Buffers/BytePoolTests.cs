using EdgeBroker.Transport.Buffers;

namespace EdgeBroker.Transport.Tests.Buffers;

/// <summary>The pool is the process's: other tests may take and give back meanwhile.</summary>
public sealed class BytePoolTests
{
    private const int Megabyte = 1024 * 1024;

    [Theory]
    [InlineData(1)]
    [InlineData(64 * 1024)]
    [InlineData((64 * 1024) + 1)]
    [InlineData(Megabyte)]
    [InlineData((3 * Megabyte) + 1)]
    [InlineData((5 * Megabyte) + 1)]
    public void Arrays_are_long_enough(int bytes)
    {
        byte[] array = BytePool.Rent(bytes);
        Assert.True(array.Length >= bytes);
        BytePool.Return(array);
    }

    [Fact]
    public void Few_long_arrays_are_kept_and_none_for_long()
    {
        byte[][] arrays = [.. Enumerable.Range(0, 100).Select(_ => BytePool.Rent(Megabyte))];
        foreach (byte[] array in arrays) BytePool.Return(array);
        Assert.InRange(BytePool.KeptBytes, Megabyte, 4 * Megabyte);
        // The first call sees what was used since the last one.
        BytePool.Trim();
        BytePool.Trim();
        Assert.InRange(BytePool.KeptBytes, 0, 3 * Megabyte);
    }
}
