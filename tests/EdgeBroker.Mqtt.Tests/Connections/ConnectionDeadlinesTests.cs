using EdgeBroker.Mqtt.Connections;

namespace EdgeBroker.Mqtt.Tests.Connections;

/// <summary>What a connection has to look at, and when; without a connection.</summary>
public sealed class ConnectionDeadlinesTests
{
    private const long Never = long.MaxValue;

    private ConnectionDeadlines _deadlines = new();

    [Fact]
    public void Without_anything_to_await_there_is_no_deadline()
    {
        _deadlines.Begin(keepAliveSeconds: 0, nowMs: 5);
        Assert.Equal(Never, _deadlines.Next(HoldReasons.None));
        Assert.Equal(DeadlineKind.None, _deadlines.Due(HoldReasons.None, Never - 1));
    }

    [Fact]
    public void The_keep_alive_is_due_after_one_and_a_half_times_its_length_of_silence()
    {
        _deadlines.Begin(keepAliveSeconds: 10, nowMs: 1_000);
        Assert.Equal(DeadlineKind.None, _deadlines.Due(HoldReasons.None, 15_999));
        Assert.Equal(DeadlineKind.KeepAlive, _deadlines.Due(HoldReasons.None, 16_000));
        _deadlines.NotePacket(15_000);
        Assert.Equal(DeadlineKind.None, _deadlines.Due(HoldReasons.None, 29_999));
        Assert.Equal(30_000, _deadlines.Next(HoldReasons.None));
    }

    [Theory]
    [InlineData(HoldReasons.None, true)]
    [InlineData(HoldReasons.Output, true)]
    [InlineData(HoldReasons.Acks, false)]
    [InlineData(HoldReasons.Store, false)]
    [InlineData(HoldReasons.Rate, false)]
    [InlineData(HoldReasons.Output | HoldReasons.Store, false)]
    internal void The_keep_alive_counts_while_it_is_the_client_that_does_not_read(HoldReasons holds, bool counts)
    {
        _deadlines.Begin(keepAliveSeconds: 10, nowMs: 0);
        Assert.Equal(counts ? 15_000 : Never, _deadlines.Next(holds));
        Assert.Equal(counts ? DeadlineKind.KeepAlive : DeadlineKind.None, _deadlines.Due(holds, 100_000));
    }

    [Fact]
    public void A_packet_that_was_begun_has_thirty_seconds_and_one_more_for_each_KB()
    {
        _deadlines.Begin(keepAliveSeconds: 0, nowMs: 0);
        _deadlines.NotePartial(announcedBytes: 0, isNew: true, nowMs: 1_000);
        Assert.Equal(31_000, _deadlines.Next(HoldReasons.None));
        // Its length becomes known; its beginning stays.
        _deadlines.NotePartial(announcedBytes: 10 * 1024, isNew: false, nowMs: 2_000);
        Assert.Equal(41_000, _deadlines.Next(HoldReasons.None));
        Assert.Equal(DeadlineKind.None, _deadlines.Due(HoldReasons.None, 40_999));
        Assert.Equal(DeadlineKind.Partial, _deadlines.Due(HoldReasons.None, 41_000));
        _deadlines.NotePacket(40_000);
        Assert.Equal(long.MaxValue, _deadlines.Next(HoldReasons.None));
        _deadlines.NotePartial(announcedBytes: 0, isNew: false, nowMs: 50_000);
        Assert.Equal(80_000, _deadlines.Next(HoldReasons.None));
    }

    [Fact]
    public void Keep_alive_counts_from_the_last_byte_of_a_packet_that_is_not_complete()
    {
        _deadlines.Begin(keepAliveSeconds: 10, nowMs: 0);
        _deadlines.NotePartial(announcedBytes: 100 * 1024, isNew: true, nowMs: 1_000);
        Assert.Equal(16_000, _deadlines.Next(HoldReasons.None));
        // A slow upload goes on.
        _deadlines.NotePartial(announcedBytes: 100 * 1024, isNew: false, nowMs: 14_000);
        _deadlines.NoteArrival(20_000);
        Assert.Equal(DeadlineKind.None, _deadlines.Due(HoldReasons.None, 34_999));
        Assert.Equal(DeadlineKind.KeepAlive, _deadlines.Due(HoldReasons.None, 35_000));
    }

    [Fact]
    public void The_one_behind_a_whole_packet_begins_anew()
    {
        _deadlines.NotePartial(announcedBytes: 0, isNew: true, nowMs: 0);
        _deadlines.NotePartial(announcedBytes: 0, isNew: true, nowMs: 20_000);
        Assert.Equal(DeadlineKind.None, _deadlines.Due(HoldReasons.None, 49_999));
        Assert.Equal(DeadlineKind.Partial, _deadlines.Due(HoldReasons.None, 50_000));
    }

    [Fact]
    public void Of_several_that_are_due_the_gravest_is_told()
    {
        _deadlines.Begin(keepAliveSeconds: 1, nowMs: 0);
        Assert.Equal(DeadlineKind.KeepAlive, _deadlines.Due(HoldReasons.None, 50_000));
        _deadlines.HeldUntilMs = 50_000;
        Assert.Equal(DeadlineKind.Hold, _deadlines.Due(HoldReasons.None, 50_000));
        _deadlines.NotePartial(0, isNew: true, nowMs: 0);
        Assert.Equal(DeadlineKind.Partial, _deadlines.Due(HoldReasons.None, 50_000));
        _deadlines.IdentityDueMs = 50_000;
        Assert.Equal(DeadlineKind.Identity, _deadlines.Due(HoldReasons.None, 50_000));
        _deadlines.RenewalDueMs = 50_000;
        Assert.Equal(DeadlineKind.Renewal, _deadlines.Due(HoldReasons.None, 50_000));
    }
}
