using EdgeBroker.Core.Limits;
using EdgeBroker.Memory;

namespace EdgeBroker.Tests.Memory;

public sealed class HeapTrimTests
{
    private const long Mega = 1 << 20;

    private readonly MemoryLedger _ledger = new();
    private readonly HeapTrim _trim;
    private long _heapBytes = Mega;
    private int _collections;
    private int _releases;

    public HeapTrimTests() => _trim = new HeapTrim(_ledger, () => _heapBytes, () => _collections++, () => _releases++);

    [Fact]
    public void After_the_start_pages_are_given_back_once_and_nothing_is_collected()
    {
        Look(5);
        Assert.Equal(0, _releases);
        Look(100);
        Assert.Equal((1, 0), (_releases, _collections));
    }

    [Fact]
    public void A_start_that_leaves_garbage_is_followed_by_a_collection()
    {
        _heapBytes = 20 * Mega;
        Look(100);
        Assert.Equal((1, 1), (_releases, _collections));
    }

    [Fact]
    public void Not_after_a_start_that_has_much_in_memory_already()
    {
        Hold(100 * Mega);
        Look(100);
        Assert.Equal((0, 0), (_releases, _collections));
    }

    [Fact]
    public void Never_because_nothing_happens()
    {
        Look(10);
        Hold(100 * Mega);
        Look(1_000);
        Assert.Equal((1, 0), (_releases, _collections));
    }

    [Fact]
    public void Once_after_each_fall()
    {
        Look(10);
        for (int storm = 1; storm <= 3; storm++)
        {
            Hold(20 * Mega);
            Look(1);
            Hold(-20 * Mega);
            Look(5);
            Assert.Equal((1 + storm, storm), (_releases, _collections));
        }
    }

    [Theory]
    [InlineData(20, 15, "it is not most of it")]
    [InlineData(100, 80, "what is left would make the collection long")]
    [InlineData(3, 3, "it is not worth a collection")]
    public void Not_when(int heldMegabytes, int fallenMegabytes, string why)
    {
        Look(10);
        Hold(heldMegabytes * Mega);
        Look(1);
        Hold(-(fallenMegabytes * Mega) + 1);
        Look(100);
        Assert.True(_collections == 0, why);
    }

    private void Hold(long bytes) => _ledger.Account(MemoryKind.Queues, bytes);

    private void Look(int times)
    {
        for (int i = 0; i < times; i++) _trim.Run();
    }
}
