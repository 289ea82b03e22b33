using EdgeBroker.Transport.Reactors;

namespace EdgeBroker.Transport.Tests.Reactors;

/// <summary>Turns of reactors, reckoned: what came while one was busy or paused is what the next one finds.</summary>
public sealed class ReceiveCoalescingTests
{
    private const long Microsecond = TimeSpan.TicksPerMicrosecond;
    private const long Second = TimeSpan.TicksPerSecond;
    private readonly ReactorLoad[] _loads = [new(), new()];
    private readonly ReceiveCoalescing _coalescing;
    private long _pause;
    private long _now;

    public ReceiveCoalescingTests() => _coalescing = new ReceiveCoalescing(_loads);

    [Fact]
    public void Pauses_where_clients_send_more_while_it_does()
    {
        // A pause leaves clients the processor they share with it.
        Assert.InRange(PausedPart(10 * Second, () => Turn(0, 180, 2_000 + (int)(40 * Paused))), 0.9, 0.999);
    }

    [Theory]
    [InlineData(50)]
    [InlineData(100)]
    [InlineData(200)]
    [InlineData(400)]
    [InlineData(800)]
    public void Finds_the_pause_that_gets_most_done(int best)
    {
        var random = new Random(5);
        void Next()
        {
            // Bytes a microsecond, of which there come more with longer pauses up to the best, and fewer again beyond it.
            double rate = 10 + (5.0 * Math.Min(Paused, best) / best) - (5.0 * Math.Max(0, Paused - best) / best);
            Turn(0, 200, (int)(rate * (Paused + 200) * random.Next(80, 121) / 100));
        }

        _ = PausedPart(3 * Second, Next);
        Assert.InRange(MeanPause(20 * Second, Next), best * 0.9, best * 1.1);
    }

    [Fact]
    public void Leaves_off_where_clients_wait_for_answers()
    {
        // As much as their windows allow, however long they waited. Trials go on, or it would never learn of another load.
        Assert.InRange(PausedPart(60 * Second, () => Turn(0, 200, 4_000)), 0.0001, 0.05);
    }

    [Theory]
    [InlineData(50)]
    [InlineData(90)]
    public void Leaves_off_with_time_to_spare(int percentIdle)
    {
        var random = new Random(7);
        Assert.Equal(0, PausedPart(60 * Second, () =>
        {
            long worked = random.Next(50, 150);
            long cycle = worked * 100 / (100 - percentIdle);
            Turn(cycle - worked, worked, (int)cycle * random.Next(80, 121) / 100);
        }));
    }

    [Fact]
    public void A_short_pause_saves_work_where_busy_and_clients_send_at_a_rate_of_their_own()
    {
        long previous = 0;
        void Next()
        {
            // Five bytes a microsecond, since the turn before began to receive; each turn costs 40 us, each byte 0.1.
            int received = (int)(5 * (Paused + previous));
            previous = 40 + (received / 10);
            Turn(0, previous, received);
        }

        _ = PausedPart(3 * Second, Next);
        Assert.InRange(MeanPause(20 * Second, Next), 45, 55);
    }

    [Fact]
    public void No_long_pause_is_taken_to_save_work_only()
    {
        long previous = 0;
        void Next()
        {
            // Two bytes a microsecond, each turn costs 300 us, each byte 0.1: a tenth more for each unit of work with 50 us, a quarter with 100, and so on.
            int received = (int)(2 * (Paused + previous));
            previous = 300 + (received / 10);
            Turn(0, previous, received);
        }

        _ = PausedPart(3 * Second, Next);
        Assert.InRange(MeanPause(20 * Second, Next), 90, 110);
    }

    [Fact]
    public void A_longer_pause_is_taken_to_save_work_where_clients_send_more_with_any()
    {
        long previous = 0;
        void Next()
        {
            // Each turn costs 40 us, each byte 0.02: with 400 us a sixth more for each unit of work than with 200, with 800 a tenth more again.
            int received = (int)((Paused == 0 ? 10 : 13) * (Paused + previous));
            previous = 40 + (received / 50);
            Turn(0, previous, received);
        }

        _ = PausedPart(3 * Second, Next);
        Assert.InRange(MeanPause(20 * Second, Next), 360, 440);
    }

    [Fact]
    public void Clients_that_follow_are_paused_for_though_they_keep_it_waiting_without()
    {
        // 65 % of the time is work without a pause; before, when it was found that they follow, all of it was.
        _ = PausedPart(10 * Second, () => Turn(0, 180, 2_000 + (int)(40 * Paused)));
        void Next() => Turn(Paused == 0 ? 97 : 0, 180, 2_000 + (int)(40 * Paused));
        _ = PausedPart(10 * Second, Next);
        Assert.InRange(PausedPart(10 * Second, Next), 0.9, 1);
    }

    [Fact]
    public void A_pause_is_found_in_the_first_half_second()
    {
        void Next() => Turn(0, 180, 2_000 + (int)(40 * Paused));
        _ = PausedPart(Second / 2, Next);
        Assert.InRange(PausedPart(Second / 10, Next), 0.5, 1);
    }

    [Fact]
    public void Takes_up_pausing_again_when_the_load_changes()
    {
        _ = PausedPart(30 * Second, () => Turn(0, 200, 4_000));
        // It is tried every four seconds by then.
        _ = PausedPart(10 * Second, () => Turn(0, 180, 2_000 + (int)(40 * Paused)));
        Assert.InRange(PausedPart(10 * Second, () => Turn(0, 180, 2_000 + (int)(40 * Paused))), 0.9, 1);
    }

    [Fact]
    public void Stops_when_the_load_changes()
    {
        _ = PausedPart(30 * Second, () => Turn(0, 180, 2_000 + (int)(40 * Paused)));
        _ = PausedPart(20 * Second, () => Turn(0, 200, 4_000));
        Assert.InRange(PausedPart(20 * Second, () => Turn(0, 200, 4_000)), 0, 0.05);
    }

    [Fact]
    public void Stops_at_once_when_little_is_left_to_do()
    {
        _ = PausedPart(30 * Second, () => Turn(0, 180, 2_000 + (int)(40 * Paused)));
        // Work for less than an eighth of the time.
        _ = PausedPart(Second / 10, () => Turn(600, 20, 400));
        Assert.Equal(0, PausedPart(10 * Second, () => Turn(600, 20, 400)));
    }

    [Fact]
    public void Nobody_waits_for_it_where_there_is_little_to_do() => Assert.Equal(0, PausedPart(60 * Second, () => Turn(100, 20, 400)));

    [Fact]
    public void What_one_reactor_gains_and_another_loses_is_no_gain()
    {
        // Two that share their clients: what the first receives while it pauses is what the second would have received.
        double pausing = PausedPart(60 * Second, () =>
        {
            Turn(0, 200, 4_000 + (int)(20 * Paused));
            _loads[1].Add(0, 0, 200 * Microsecond, 40_000 - (int)(20 * Paused));
        });
        Assert.InRange(pausing, 0, 0.05);
    }

    [Fact]
    public void A_clock_that_stands_still_does_no_harm()
    {
        for (int i = 0; i < 20_000; i++)
        {
            _loads[0].Add(0, 0, 0, 400);
            Assert.Equal(0, _coalescing.PauseAfterTurn(0));
        }
    }

    /// <summary>Microseconds that the first reactor is to pause.</summary>
    private long Paused => _pause / Microsecond;

    private void Turn(long waitedMicroseconds, long workedMicroseconds, int received)
    {
        _now += _pause + ((waitedMicroseconds + workedMicroseconds) * Microsecond);
        _loads[0].Add(_pause, waitedMicroseconds * Microsecond, workedMicroseconds * Microsecond, received);
        long pause = _coalescing.PauseAfterTurn(_now);
        Assert.InRange(pause, 0, ReceiveCoalescing.LongestPause);
        _pause = _loads[0].MayPause ? pause : 0;
    }

    private double PausedPart(long time, Action turn)
    {
        (int turns, int pauses, long _) = Take(time, turn);
        return (double)pauses / turns;
    }

    private double MeanPause(long time, Action turn)
    {
        (int turns, int _, long paused) = Take(time, turn);
        return (double)paused / turns / Microsecond;
    }

    private (int Turns, int Pauses, long Paused) Take(long time, Action turn)
    {
        int turns = 0;
        int pauses = 0;
        long paused = 0;
        for (long end = _now + time; _now < end; turns++)
        {
            turn();
            paused += _pause;
            if (_pause > 0) pauses++;
        }

        return (turns, pauses, paused);
    }
}
