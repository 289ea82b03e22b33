using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Testing;

/// <summary>Bounds every wait of a test in real time: reached only when something is wrong, so it may be long.</summary>
public static class Deadline
{
    /// <summary>How long a test waits for something that comes at once.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Waits for a task.</summary>
    /// <exception cref="ExpectationException">It did not end in time.</exception>
    public static async Task<T> Within<T>(Task<T> task, string waitingFor)
    {
        try
        {
            return await task.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            throw new ExpectationException($"waited {Patience.TotalSeconds:0} s in vain for {waitingFor}");
        }
    }

    /// <summary>Moves a clock, a little at a time, until something has happened: whenever whoever waits sets its timer, it goes off.</summary>
    public static async Task AdvanceUntil(FakeTimeProvider time, Task happened)
    {
        long began = Environment.TickCount64;
        while (!happened.IsCompleted && Environment.TickCount64 - began < Patience.TotalMilliseconds)
        {
            time.Advance(TimeSpan.FromSeconds(0.25));
            await Task.WhenAny(happened, Task.Delay(5));
        }

        await Within(happened, "what time was to bring");
    }

    /// <summary>Looks again and again whether a condition holds.</summary>
    public static async Task Until(Func<bool> condition, string waitingFor)
    {
        long began = Environment.TickCount64;
        while (!condition())
        {
            if (Environment.TickCount64 - began > Patience.TotalMilliseconds) throw new TimeoutException($"waited {Patience.TotalSeconds} s for {waitingFor}");
            await Task.Delay(2);
        }
    }

    /// <summary>Waits for a task.</summary>
    /// <exception cref="ExpectationException">It did not end in time.</exception>
    public static async Task Within(Task task, string waitingFor)
    {
        try
        {
            await task.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            throw new ExpectationException($"waited {Patience.TotalSeconds:0} s in vain for {waitingFor}");
        }
    }
}
