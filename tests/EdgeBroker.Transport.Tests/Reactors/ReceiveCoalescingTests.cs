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
    public void Pauses_where_clients_send_on_and_each_turn_then_carries_more()
    {
        int pauses = 0, plainBytes = 0, pausedBytes = 0;
        long worked = 0, cycle = 100 * Microsecond;
        for (int i = 0; i < Turns; i++)
        {
            // A byte each 100 ns. A turn costs 80 us however few there are, and 20 ns for each.
            int received = (int)cycle;
            worked = (80 * Microsecond) + (received / 5);
            cycle = Next(0, worked, received) + worked;
            Assert.InRange(_paused, 0, Math.Min(worked / 4, ReceiveCoalescing.LongestPause));
            if (_paused > 0) pauses++;
            if (pauses == 0) plainBytes = received;
            else pausedBytes = Math.Max(pausedBytes, received);
        }

        Assert.InRange(pauses, Turns * 9 / 10, Turns);
        Assert.True(pausedBytes > plainBytes * 5 / 4, $"{pausedBytes} bytes a turn, {plainBytes} without pauses");
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

    [Fact]
    public void Takes_up_pausing_again_when_the_load_changes()
    {
        for (int i = 0; i < Turns; i++) Next(0, 200 * Microsecond, 4_000);
        int pauses = 0;
        for (int i = 0; i < Turns; i++)
        {
            Next(0, 200 * Microsecond, (int)(_paused + (200 * Microsecond)));
            if (_paused > 0) pauses++;
        }

        Assert.InRange(pauses, Turns / 2, Turns);
    }

    [Theory]
    [InlineData(110)]
    [InlineData(1_000)]
    public void Never_pauses_while_it_often_waits(int waitedMicroseconds)
    {
        for (int i = 0; i < Turns; i++) Assert.Equal(0, Next(waitedMicroseconds * Microsecond, 200 * Microsecond, 4_000));
    }

    [Fact]
    public void A_few_turns_in_succession_do_not_make_it_busy()
    {
        for (int i = 0; i < Turns; i++) Assert.Equal(0, Next(i % 8 == 0 ? 2_000 * Microsecond : 0, 200 * Microsecond, 4_000));
    }

    [Fact]
    public void Stops_when_the_load_goes()
    {
        for (int i = 0; i < Turns; i++) Next(0, 200 * Microsecond, (int)(_paused + (200 * Microsecond)));
        Assert.NotEqual(0, _paused);
        for (int i = 0; i < 40; i++) Next(300 * Microsecond, 200 * Microsecond, 4_000);
        for (int i = 0; i < Turns; i++) Assert.Equal(0, Next(300 * Microsecond, 200 * Microsecond, 4_000));
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

    private long Next(long waited, long worked, int received) => _paused = _coalescing.PauseAfter(_paused, waited, worked, received);
}
