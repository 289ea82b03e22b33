using EdgeBroker.Transport.Reactors;

namespace EdgeBroker.Transport.Tests.Reactors;

/// <summary>Turns of a reactor, reckoned: what came while one was busy or paused is what the next one finds.</summary>
public sealed class ReceiveCoalescingTests
{
    private const long Microsecond = TimeSpan.TicksPerMicrosecond;
    private const int Turns = 20_000;
    private readonly ReceiveCoalescing _coalescing = new();
    private long _paused;

    [Fact]
    public void Pauses_where_clients_send_more_while_it_does()
    {
        int pauses = 0;
        for (int i = 0; i < Turns; i++)
        {
            int received = SentMeanwhile();
            Next(0, WorkFor(received), received);
            Assert.InRange(_paused, 0, Math.Min(WorkFor(received) / 4, ReceiveCoalescing.LongestPause));
            if (_paused > 0) pauses++;
        }

        Assert.InRange(pauses, Turns * 4 / 5, Turns - 1);
    }

    [Fact]
    public void Leaves_off_where_clients_wait_for_answers()
    {
        int pauses = 0;
        for (int i = 0; i < Turns; i++)
        {
            // As much as their windows allow, however long they waited.
            Next(0, 200 * Microsecond, 4_000);
            if (_paused > 0) pauses++;
        }

        // Trials go on, or it would never learn of another load.
        Assert.InRange(pauses, 1, Turns / 10);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(50)]
    [InlineData(90)]
    public void Leaves_off_where_clients_send_at_a_rate_of_their_own(int percentIdle)
    {
        var random = new Random(7);
        int pauses = 0;
        for (int i = 0; i < Turns; i++)
        {
            long worked = random.Next(50, 150) * Microsecond;
            long cycle = worked * 100 / (100 - percentIdle);
            // A pause takes from the time that it would wait.
            Next(Math.Max(0, cycle - worked - _paused), worked, (int)(Math.Max(cycle, worked + _paused) * random.Next(80, 121) / 100));
            if (_paused > 0) pauses++;
        }

        Assert.InRange(pauses, 1, Turns / 5);
    }

    [Fact]
    public void Takes_up_pausing_again_when_the_load_changes()
    {
        for (int i = 0; i < Turns; i++) Next(0, 200 * Microsecond, 4_000);
        int pauses = 0;
        for (int i = 0; i < Turns; i++)
        {
            int received = SentMeanwhile();
            Next(0, WorkFor(received), received);
            if (_paused > 0) pauses++;
        }

        Assert.InRange(pauses, Turns / 2, Turns);
    }

    [Fact]
    public void Stops_when_the_load_changes()
    {
        for (int i = 0; i < Turns; i++) Next(0, WorkFor(SentMeanwhile()), SentMeanwhile());
        Assert.NotEqual(0, _paused);
        int pauses = 0;
        for (int i = 0; i < Turns; i++)
        {
            Next(0, 200 * Microsecond, 4_000);
            if (_paused > 0) pauses++;
        }

        Assert.InRange(pauses, 1, Turns / 2);
    }

    [Fact]
    public void What_a_load_did_that_came_and_went_is_soon_forgotten()
    {
        for (int i = 0; i < Turns; i++) Next(i % 500 == 0 ? 1_000_000 * Microsecond : 0, 200 * Microsecond, 4_000);
        int pauses = 0;
        for (int i = 0; i < Turns; i++)
        {
            Next(0, 200 * Microsecond, 4_000);
            if (_paused > 0) pauses++;
        }

        Assert.InRange(pauses, 1, Turns / 2);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(90, true)]
    [InlineData(110, false)]
    [InlineData(1_000, false)]
    public void Is_busy_as_long_as_it_seldom_waits(int waitedMicroseconds, bool isBusy)
    {
        for (int i = 0; i < Turns; i++) Next(waitedMicroseconds * Microsecond, 200 * Microsecond, 4_000);
        Assert.Equal(isBusy, _coalescing.IsBusy);
    }

    [Fact]
    public void A_few_turns_in_succession_do_not_make_it_busy()
    {
        for (int i = 0; i < Turns; i++)
        {
            Next(i % 8 == 0 ? 2_000 * Microsecond : 0, 200 * Microsecond, 4_000);
            Assert.False(_coalescing.IsBusy);
        }
    }

    [Fact]
    public void Turns_too_short_to_sleep_for_are_not_followed_by_pauses()
    {
        for (int i = 0; i < Turns; i++) Assert.Equal(0, Next(0, 20 * Microsecond, 400));
    }

    [Fact]
    public void A_clock_that_stands_still_does_no_harm()
    {
        for (int i = 0; i < Turns; i++) Assert.Equal(0, Next(0, 0, 400));
    }

    // Clients that share the processor with it: a pause gives them four times as much of it as work does.
    private int SentMeanwhile() => 2_000 + (int)(4 * _paused);

    // What a turn costs however little it receives, and a little for each byte.
    private static long WorkFor(int received) => (180 * Microsecond) + (received / 10);

    private long Next(long waited, long worked, int received) => _paused = _coalescing.PauseAfter(_paused, waited, worked, received);
}
