using System.Runtime.InteropServices;
using EdgeBroker.Transport.Linux;

namespace EdgeBroker.Bench;

/// <summary>The system calls a client needs beside those of the reactor. Failures return -1 and set the last P/Invoke error.</summary>
internal static unsafe partial class LoadSockets
{
    public const int ErrorInProgress = 115;
    public const int ErrorOption = 4;
    public const int Monotonic = 1;

    // The socket option SO_TIMESTAMPNS, and the type of the control message that it adds.
    private const int Timestamps = 35;

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

    [LibraryImport(C, EntryPoint = "recvmsg", SetLastError = true)]
    private static partial nint ReceiveMessage(int fd, LinuxSockets.MessageHeader* message, int flags);

    /// <summary>Has the kernel say with each receive when it had the bytes. Where it cannot (Unix sockets), it does not say.</summary>
    public static void AskForTimestamps(int fd)
    {
        int one = 1;
        _ = LinuxSockets.SetSocketOption(fd, LinuxSockets.SolSocket, Timestamps, &one, sizeof(int));
    }

    /// <summary>Receives, and says when the kernel had the last of it, in nanoseconds since 1970; 0: it does not say.</summary>
    public static nint ReceiveWithTimestamp(int fd, Span<byte> buffer, out long arrivedUnixNs)
    {
        arrivedUnixNs = 0;
        var control = default(TimestampMessage);
        fixed (byte* start = buffer)
        {
            var vector = new LinuxSockets.IoVector { Base = start, Length = buffer.Length };
            var message = new LinuxSockets.MessageHeader
            {
                Vectors = &vector,
                VectorCount = 1,
                Control = (byte*)&control,
                ControlLength = sizeof(TimestampMessage),
            };
            nint count = ReceiveMessage(fd, &message, 0);
            bool isTold = count > 0 && message.ControlLength >= sizeof(TimestampMessage) && control is { Level: LinuxSockets.SolSocket, Type: Timestamps };
            if (isTold) arrivedUnixNs = (control.Seconds * 1_000_000_000) + control.Nanoseconds;
            return count;
        }
    }

    /// <summary><c>struct cmsghdr</c> with a <c>struct timespec</c> behind it, on 64 bits.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct TimestampMessage
    {
        public nint Length;
        public int Level;
        public int Type;
        public long Seconds;
        public long Nanoseconds;
    }
}
