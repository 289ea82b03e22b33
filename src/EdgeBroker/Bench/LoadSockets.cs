using System.Runtime.InteropServices;

namespace EdgeBroker.Bench;

/// <summary>The system calls a client needs beside those of the reactor. Failures return -1 and set the last P/Invoke error.</summary>
internal static unsafe partial class LoadSockets
{
    public const int ErrorInProgress = 115;
    public const int ErrorOption = 4;
    public const int Monotonic = 1;

    private const string C = "libc";

    [LibraryImport(C, EntryPoint = "connect", SetLastError = true)]
    public static partial int Connect(int fd, byte* address, int length);

    [LibraryImport(C, EntryPoint = "getsockopt", SetLastError = true)]
    public static partial int GetSocketOption(int fd, int level, int name, int* value, int* length);

    [LibraryImport(C, EntryPoint = "timerfd_create", SetLastError = true)]
    public static partial int TimerCreate(int clock, int flags);

    /// <summary>Sets a timer by a <c>struct itimerspec</c>: interval seconds and nanoseconds, first expiry seconds and nanoseconds.</summary>
    [LibraryImport(C, EntryPoint = "timerfd_settime", SetLastError = true)]
    public static partial int TimerSet(int fd, int flags, nint* specification, nint* old);
}
