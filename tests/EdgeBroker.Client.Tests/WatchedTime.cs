using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Client.Tests;

/// <summary>
/// A clock that is moved when somebody waits for it, and by as much as is waited for. A clock moved sooner is one that whoever sets its timer only then waits
/// for in vain. For one waiter at a time.
/// </summary>
internal sealed class WatchedTime : FakeTimeProvider
{
    private readonly Lock _lock = new();
    private readonly List<Watched> _waiting = [];

    /// <summary>What is waited for, once somebody waits.</summary>
    public async Task<TimeSpan> WaitAsync()
    {
        TimeSpan? wait = null;
        await Deadline.UntilAsync(
            () =>
            {
                lock (_lock) wait = _waiting.Count == 1 ? _waiting[0].Due : null;
                return wait is not null;
            },
            "somebody waits");
        return wait!.Value;
    }

    /// <summary>Lets the time that is waited for go by; yields what is waited for next.</summary>
    public async Task<TimeSpan> AdvanceAsync()
    {
        Advance(await WaitAsync());
        return await WaitAsync();
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var watched = new Watched(this, dueTime);
        watched.Timer = base.CreateTimer(
            inner =>
            {
                watched.Forget();
                callback(inner);
            },
            state,
            dueTime,
            period);
        // Not before it is set, or the clock could be moved too soon after all.
        lock (_lock) _waiting.Add(watched);
        return watched;
    }

    /// <summary>A timer that has not gone off, nor been given up.</summary>
    private sealed class Watched(WatchedTime time, TimeSpan due) : ITimer
    {
        public ITimer Timer { get; set; } = null!;

        public TimeSpan Due => due;

        public void Forget()
        {
            lock (time._lock) time._waiting.Remove(this);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period) => throw new NotSupportedException("Nobody here sets a timer twice.");

        public void Dispose()
        {
            Forget();
            Timer.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
