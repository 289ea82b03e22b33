using EdgeBroker.Core.Hosting;
using EdgeBroker.Core.Metrics;
using EdgeBroker.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Tests.Hosting;

/// <summary>A clock that somebody sets while the broker runs.</summary>
public sealed class ClockWatchTests : IDisposable
{
    private readonly SetClock _time = new();
    private readonly MeterRegistry _meters = new();
    private readonly ClockWatch _watch;

    public ClockWatchTests() => _watch = new ClockWatch(_meters, (_, _) => { }, _time, NullLogger.Instance);

    public void Dispose() => _meters.Dispose();

    private HealthFinding Finding => Assert.Single(_watch.Findings());

    private long? Jumps => _meters.Entries.Single(entry => entry.Name == "edgebroker.clock.jumps").Read();

    [Fact]
    public void A_clock_that_goes_with_the_time_is_good()
    {
        for (int i = 0; i < 100; i++) Pass(TimeSpan.FromSeconds(5 + (i % 7)), set: TimeSpan.FromMilliseconds(i % 2 == 0 ? 400 : -400));
        Assert.Equal((HealthState.Good, 0), (Finding.State, Jumps));
    }

    [Theory]
    [InlineData(3600, "it jumped forward by 3600 s at 2026-03-01 13:00:05 UTC")]
    [InlineData(-3600, "it jumped back by 3600 s at 2026-03-01 11:00:05 UTC")]
    public void A_jump_is_counted_and_told_for_an_hour(int seconds, string told)
    {
        Pass(ClockWatch.Interval, set: TimeSpan.FromSeconds(seconds));
        Assert.Equal(new HealthFinding("clock", HealthState.Warning, told), Finding);
        Pass(TimeSpan.FromMinutes(59), set: TimeSpan.Zero);
        Assert.Equal((HealthState.Warning, 1), (Finding.State, Jumps));
        Pass(TimeSpan.FromMinutes(2), set: TimeSpan.Zero);
        Assert.Equal((HealthState.Good, 1), (Finding.State, Jumps));
    }

    [Fact]
    public void A_thread_that_is_held_up_between_two_clocks_sees_no_jump()
    {
        for (int i = 0; i < 3; i++)
        {
            _time.HeldUp = TimeSpan.FromSeconds(10);
            Pass(ClockWatch.Interval, set: TimeSpan.Zero);
            _time.HeldUp = TimeSpan.Zero;
            Pass(ClockWatch.Interval, set: TimeSpan.Zero);
        }

        Assert.Equal((HealthState.Good, 0), (Finding.State, Jumps));
        // What happens meanwhile is found by the next look.
        _time.HeldUp = TimeSpan.FromSeconds(10);
        Pass(ClockWatch.Interval, set: TimeSpan.FromSeconds(3600));
        _time.HeldUp = TimeSpan.Zero;
        Pass(ClockWatch.Interval, set: TimeSpan.Zero);
        Assert.Equal((HealthState.Warning, 1), (Finding.State, Jumps));
    }

    [Fact]
    public void A_clock_that_nobody_has_set_is_told_of()
    {
        _time.Set += new DateTimeOffset(1970, 1, 1, 0, 1, 0, TimeSpan.Zero) - _time.GetUtcNow();
        _watch.Look();
        Assert.Equal(HealthState.Warning, Finding.State);
        Assert.StartsWith("it says 1970-01-01", Finding.Detail, StringComparison.Ordinal);
    }

    private void Pass(TimeSpan time, TimeSpan set)
    {
        _time.Advance(time);
        _time.Set += set;
        _watch.Look();
    }

    /// <summary>A machine whose clock is set, which the time that passes does not know of.</summary>
    private sealed class SetClock() : FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero))
    {
        public TimeSpan Set { get; set; }

        /// <summary>How long whoever reads it is held up before it has the answer.</summary>
        public TimeSpan HeldUp { get; set; }

        // The base class has one clock for both.
        public override long GetTimestamp() => base.GetUtcNow().Ticks;

        public override DateTimeOffset GetUtcNow()
        {
            DateTimeOffset now = base.GetUtcNow() + Set;
            Advance(HeldUp);
            return now;
        }
    }
}
