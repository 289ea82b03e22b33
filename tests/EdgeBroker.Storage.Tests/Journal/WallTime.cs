namespace EdgeBroker.Storage.Tests.Journal;

/// <summary>The system's monotonic clock beside a wall clock that the test sets.</summary>
internal sealed class WallTime : TimeProvider
{
    private DateTimeOffset _now = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => _now;

    public void Advance(TimeSpan by) => _now += by;

    public void Set(DateTimeOffset now) => _now = now;
}
