using System.Runtime.InteropServices;

namespace EdgeBroker.Transport.Linux;

/// <summary>How much processor time a thread has used, as the kernel counts it anyway: the thread itself does nothing for it. Any thread reads it.</summary>
/// <param name="clock">The kernel's number of the thread's clock.</param>
public sealed unsafe partial class ThreadClock(int clock)
{
    private const string C = "libc";

    /// <summary>That of the thread that asks; null: the system has none.</summary>
    public static ThreadClock? OfCurrentThread() => GetClock(Self(), out int clock) == 0 ? new ThreadClock(clock) : null;

    /// <summary>Milliseconds since the thread began; null: it has ended.</summary>
    public long? ReadMs()
    {
        long* time = stackalloc long[2];
        return GetTime(clock, time) == 0 ? (time[0] * 1000) + (time[1] / 1_000_000) : null;
    }

    [LibraryImport(C, EntryPoint = "pthread_self")]
    private static partial nint Self();

    [LibraryImport(C, EntryPoint = "pthread_getcpuclockid")]
    private static partial int GetClock(nint thread, out int clock);

    [LibraryImport(C, EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, long* time);
}
