using EdgeBroker.Testing;
using EdgeBroker.Transport.Buffers;

namespace EdgeBroker.Transport.Tests.Buffers;

/// <summary>The pool of output chunks.</summary>
public sealed class ChunkPoolTests
{
    [Fact]
    public void Chunks_that_are_out_while_it_is_trimmed_find_their_places_again()
    {
        byte[][] chunks = new byte[200][];
        Rent(chunks);
        Return(chunks);
        Assert.Equal(0, Allocations.Least(() => Return(chunks), prepare: () =>
        {
            Rent(chunks);
            ChunkPool.Trim();
        }));
    }

    private static void Rent(byte[][] chunks)
    {
        for (int i = 0; i < chunks.Length; i++) chunks[i] = ChunkPool.Rent(ChunkPool.LargeBytes);
    }

    private static void Return(byte[][] chunks)
    {
        foreach (byte[] chunk in chunks) ChunkPool.Return(chunk);
    }
}
