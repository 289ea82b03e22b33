namespace EdgeBroker.Testing;

/// <summary>Measures what code allocates.</summary>
public static class Allocations
{
    private const int Tries = 5;

    /// <summary>
    /// The bytes that an action allocates on this thread, after a warm-up: the least of some tries. A collection that another thread starts retires this
    /// thread's allocation buffer and counts what is left of it, and the runtime allocates when it compiles a method anew: one clean try in a few is proof.
    /// </summary>
    /// <param name="action">What is measured; called up to six times, at least twice.</param>
    /// <param name="prepare">Called before each of these, and not measured.</param>
    public static long Least(Action action, Action? prepare = null)
    {
        prepare?.Invoke();
        action();
        long least = long.MaxValue;
        for (int i = 0; i < Tries && least > 0; i++)
        {
            prepare?.Invoke();
            long before = GC.GetAllocatedBytesForCurrentThread();
            action();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
