using System.Text;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Retained;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Testing;

namespace EdgeBroker.Core.Tests.Retained;

/// <summary>What a retained value costs, and whether all of it comes back. Alone: other tests allocate.</summary>
[Collection(Alone.Name)]
public sealed class RetainedMemoryTests
{
    private const int Values = 100_000;

    private static readonly byte[] Payload = new byte[20_000];
    private static readonly byte[][] Topics =
        [.. Enumerable.Range(0, Values).Select(i => Encoding.UTF8.GetBytes($"retained/a{i / 1000}/b{i / 10 % 100}/c{i % 10}"))];

    private readonly MemoryLedger _ledger = new();
    private readonly RetainedMessages _retained;

    public RetainedMemoryTests() => _retained = new RetainedMessages(VolatileJournal.Instance, _ledger);

    [Fact]
    public void A_value_is_no_object_and_costs_few_bytes()
    {
        long before = GC.GetTotalMemory(true);
        SetAll(payloadBytes: 64);
        long heap = GC.GetTotalMemory(true) - before;
        Assert.Equal(Values, _retained.Count);
        // Not even one pointer each: the slabs' table, and the index's.
        Assert.InRange(heap, long.MinValue, Values * 2);
        Assert.InRange(_retained.Tree.MappedBytes, 64L * Values, 250L * Values);
        Assert.InRange(_ledger.Bytes(MemoryKind.Retained), 64L * Values, _retained.Tree.MappedBytes);
        GC.KeepAlive(_retained);
    }

    [Fact]
    public void Setting_a_value_that_is_not_stored_allocates_nothing()
    {
        // The table of slabs grows to its size.
        SetBoth();
        Assert.InRange(Allocations.Least(SetBoth), 0, 1_000);

        void SetBoth()
        {
            SetAll(payloadBytes: 80);
            SetAll(payloadBytes: 64);
        }
    }

    [Fact]
    public void A_change_that_is_stored_costs_one_fact_and_one_array()
    {
        var journal = new CountingJournal();
        var retained = new RetainedMessages(journal, new MemoryLedger());
        var value = new Publication { Topic = Topics[0], Payload = Payload.AsSpan(0, 64), QoS = Protocol.QoS.AtLeastOnce, Retain = true };
        for (int i = 0; i < 100; i++) retained.Set(value, 0, out _);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1_000; i++) retained.Set(value, 0, out _);
        // The array has 24 bytes beside the value, the fact about a hundred.
        int valueBytes = Topics[0].Length + 64;
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 1_000, valueBytes, valueBytes + 24 + 8 + 128);
        Assert.Equal(1_100, journal.Facts);
    }

    [Fact]
    public void All_memory_goes_back_when_the_values_go()
    {
        SetAll(payloadBytes: 64);
        SetAll(payloadBytes: 20_000, every: 1_000);
        long full = _retained.Tree.MappedBytes;
        // In no order in which they came.
        for (int i = 0; i < Values; i += 2) Set((int)(i * 7_919L % Values), 0);
        for (int i = 1; i < Values - 10; i += 2) Set((int)(i * 7_919L % Values), 0);
        Assert.InRange(_retained.Tree.MappedBytes, 1, full / 10);
        for (int i = 0; i < Values; i++) Set(i, 0);
        Assert.Equal((0, 0L, 0L, 0L), (_retained.Count, _retained.SizeBytes, _retained.Tree.MappedBytes, _ledger.TotalBytes));
    }

    [Fact]
    public void A_walk_that_nobody_ends_keeps_nothing_once_it_is_collected()
    {
        for (int i = 0; i < 200; i++) Set(i, 64);
        Begin(_retained);
        for (int i = 0; i < 200; i++) Set(i, 0);
        Assert.NotEqual(0, _ledger.TotalBytes);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Set(0, 64);
        Set(0, 0);
        Assert.Equal((0L, 0L), (_ledger.TotalBytes, _retained.Tree.MappedBytes));

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static void Begin(RetainedMessages retained) => Assert.True(retained.Walk("#"u8)!.TryTake(out _));
    }

    private void SetAll(int payloadBytes, int every = 1)
    {
        for (int i = 0; i < Values; i += every) Set(i, payloadBytes);
    }

    private void Set(int i, int payloadBytes) =>
        _retained.Set(new Publication { Topic = Topics[i], Payload = Payload.AsSpan(0, payloadBytes), Retain = true }, 0, out _);

    /// <summary>Takes facts and keeps none.</summary>
    private sealed class CountingJournal : IJournal
    {
        public int Facts { get; private set; }

        public bool IsDurable => true;

        public JournalCondition Condition => JournalCondition.Ready;

        public long MaxBytes => long.MaxValue;

        public JournalStatistics Statistics => default;

        public StoredSession Open(string clientId) => throw new NotSupportedException();

        public void Append(JournalFact fact) => Facts++;

        public void Load(StoredSession session, IReadOnlyList<SpilledDelivery> deliveries) => throw new NotSupportedException();
    }
}
