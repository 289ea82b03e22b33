using EdgeBroker.Protocol;

namespace EdgeBroker.Bench.Tests;

/// <summary>What was lost, repeated and reordered, against lists that remember everything.</summary>
public sealed class CountingTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_stream_is_judged_as_by_one_who_remembers_everything(int seed)
    {
        var random = new Random(seed);
        var tracker = new SequenceTracker();
        var seen = new HashSet<ulong>();
        for (int i = 0; i < 5000; i++)
        {
            ulong sequence = (ulong)random.Next(Math.Max(1, i - 40), i + 20);
            Arrival expected = seen.Contains(sequence) ? Arrival.Again : seen.Count > 0 && sequence < seen.Max() ? Arrival.Late : Arrival.InOrder;
            seen.Add(sequence);
            Assert.Equal(expected, tracker.Add(sequence));
        }
    }

    [Fact]
    public void A_sparse_stream_tells_a_copy_from_one_overtaken()
    {
        var recent = new RecentSequences();
        Assert.Equal(
            [Arrival.InOrder, Arrival.InOrder, Arrival.Again, Arrival.InOrder, Arrival.Late, Arrival.Again, Arrival.Again],
            new ulong[] { 0, 5, 5, 100, 50, 50, 0 }.Select(recent.Add));
    }

    [Fact]
    public void Pairs_tell_whose_message_went_astray()
    {
        var ledger = new PairLedger(2);
        ledger.Add(0, 0, 0);
        ledger.Add(1, 0, 1);
        Assert.Equal((1, 1), (ledger.Tally.Unique, ledger.Tally.Misrouted));
    }

    [Fact]
    public void A_shared_group_is_complete_together_and_in_order_each()
    {
        var ledger = new SharedLedger(2, 1);
        ledger.Add(0, 0, 1);
        ledger.Add(1, 0, 0);
        Assert.Equal((2, 0, 0), (ledger.Tally.Unique, ledger.Tally.Reordered, ledger.Tally.Duplicated));
        ledger.Add(1, 0, 1);
        Assert.Equal((2, 0, 1), (ledger.Tally.Unique, ledger.Tally.Reordered, ledger.Tally.Duplicated));
        ledger.Add(0, 0, 3);
        ledger.Add(0, 0, 2);
        Assert.Equal((4, 1, 1), (ledger.Tally.Unique, ledger.Tally.Reordered, ledger.Tally.Duplicated));
    }

    [Fact]
    public void Retained_messages_count_once_for_each_subscriber_in_any_order()
    {
        var ledger = new RetainedLedger(2, 3);
        foreach (ulong topic in new ulong[] { 2, 0, 2, 9 }) ledger.Add(1, 0, topic);
        ledger.Add(0, 0, 2);
        Assert.Equal((3, 1, 1, 0), (ledger.Tally.Unique, ledger.Tally.Duplicated, ledger.Tally.Misrouted, ledger.Tally.Reordered));
    }

    [Theory]
    [InlineData(QoS.AtMostOnce, 1, 0, 0, false)]
    [InlineData(QoS.AtMostOnce, 0, 1, 0, true)]
    [InlineData(QoS.AtLeastOnce, 1, 0, 0, true)]
    [InlineData(QoS.AtLeastOnce, 0, 1, 0, false)]
    [InlineData(QoS.ExactlyOnce, 1, 0, 0, true)]
    [InlineData(QoS.ExactlyOnce, 0, 1, 0, true)]
    [InlineData(QoS.AtMostOnce, 0, 0, 1, true)]
    [InlineData(QoS.AtLeastOnce, 0, 0, 1, true)]
    [InlineData(QoS.ExactlyOnce, 0, 0, 1, true)]
    [InlineData(QoS.ExactlyOnce, 0, 0, 0, false)]
    public void What_may_happen_is_what_the_QoS_says(QoS qos, int lost, int duplicated, int reordered, bool isFailure)
    {
        var tally = new DeliveryTally { Expected = 10 + lost };
        for (int i = 0; i < 10; i++) tally.Count(i < reordered ? Arrival.Late : Arrival.InOrder);
        for (int i = 0; i < duplicated; i++) tally.Count(Arrival.Again);
        Assert.Equal((lost, duplicated, reordered), (tally.Lost, tally.Duplicated, tally.Reordered));
        Assert.Equal(isFailure, tally.IsFailure(qos));
    }

    [Fact]
    public void A_stamp_comes_back_and_what_is_not_one_is_seen()
    {
        var stamp = new MessageStamp(0xFEDCBA98, 7, 1UL << 40, 123_456_789_012);
        byte[] payload = new byte[64];
        payload.AsSpan().Fill(MessageStamp.Filler);
        stamp.Write(payload);
        Assert.True(MessageStamp.TryRead(payload, 64, out MessageStamp read));
        Assert.Equal(stamp, read);
        Assert.False(MessageStamp.TryRead(payload.AsSpan(1), 64, out _));
        payload[^1] ^= 1;
        Assert.False(MessageStamp.TryRead(payload, 64, out _));
    }
}
