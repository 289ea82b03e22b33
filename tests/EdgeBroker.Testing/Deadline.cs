using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Testing;

/// <summary>Bounds every wait of a test in real time: reached only when something is wrong, so it may be long.</summary>
public static class Deadline
{
    /// <summary>How long a test waits for something that comes at once.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    /// <summary>Waits for a task.</summary>
    /// <exception cref="ExpectationException">It did not end in time.</exception>
    public static async Task<T> Within<T>(Task<T> task, string waitingFor)
    {
        try
        {
            return await task.WaitAsync(Timeout);
        }
        catch (TimeoutException)
        {
            throw new ExpectationException($"waited {Timeout.TotalSeconds:0} s in vain for {waitingFor}");
        }
    }

    /// <summary>
    /// Moves a clock, a quarter of a second at a time, until a condition holds: whenever whoever waits sets its timer, it goes off. From where the condition
    /// holds the clock moves once more at most, so that what follows has its time.
    /// </summary>
    public static Task AdvanceUntil(FakeTimeProvider time, Func<bool> condition, string waitingFor) => Until(
        () =>
        {
            if (condition()) return true;
            time.Advance(TimeSpan.FromSeconds(0.25));
            return false;
        },
        waitingFor);

    /// <summary>Looks again and again whether a condition holds.</summary>
    public static async Task Until(Func<bool> condition, string waitingFor)
    {
        long began = Environment.TickCount64;
        while (!condition())
        {
            if (Environment.TickCount64 - began > Timeout.TotalMilliseconds) throw new TimeoutException($"waited {Timeout.TotalSeconds} s for {waitingFor}");
            await Task.Delay(2);
        }
    }

    /// <summary>Waits for a task.</summary>
    /// <exception cref="ExpectationException">It did not end in time.</exception>
    public static async Task Within(Task task, string waitingFor)
    {
        try
        {
            await task.WaitAsync(Timeout);
        }
        catch (TimeoutException)
        {
            throw new ExpectationException($"waited {Timeout.TotalSeconds:0} s in vain for {waitingFor}");
        }
    }
}
