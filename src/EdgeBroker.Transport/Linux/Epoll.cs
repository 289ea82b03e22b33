using System.ComponentModel;
using System.Runtime.InteropServices;

namespace EdgeBroker.Transport.Linux;

/// <summary>One epoll instance and its event array. The kernel packs <c>struct epoll_event</c> to 12 bytes on x64 and pads it to 16 elsewhere.</summary>
public sealed unsafe class Epoll : IDisposable
{
    private const int MaxEvents = 512;
    private static readonly int EventBytes = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataAt = EventBytes - 8;

    private readonly int _fd;
    private readonly byte* _events = (byte*)NativeMemory.Alloc((nuint)(MaxEvents * 16));

    public Epoll()
    {
        _fd = LinuxSockets.EpollCreate(LinuxSockets.CloseOnExec);
        if (_fd < 0) throw new Win32Exception(Marshal.GetLastPInvokeError(), "epoll_create1 failed");
    }

    /// <summary>Watches a file descriptor; <paramref name="data"/> comes back with its events.</summary>
    /// <exception cref="Win32Exception">The kernel has no room for it.</exception>
    public void Add(int fd, uint interest, long data) => Control(LinuxSockets.EpollAdd, fd, interest, data);

    /// <summary>As <see cref="Add"/>, for what the reactor can do without: false when the kernel has no room for it.</summary>
    public bool TryAdd(int fd, uint interest, long data) => TryControl(LinuxSockets.EpollAdd, fd, interest, data);

    /// <summary>Changes what is watched for.</summary>
    public void Modify(int fd, uint interest, long data) => Control(LinuxSockets.EpollModify, fd, interest, data);

    /// <summary>Watches it no more: for one that is closed while a duplicate of it stays open.</summary>
    public void Remove(int fd) => Control(LinuxSockets.EpollDelete, fd, 0, 0);

    /// <summary>Waits and returns the number of events, 0 on time-out or interruption.</summary>
    /// <exception cref="Win32Exception">epoll itself fails: the reactor cannot go on.</exception>
    public int Wait(int timeoutMs)
    {
        int count = LinuxSockets.EpollWait(_fd, _events, MaxEvents, timeoutMs);
        if (count >= 0) return count;
        int error = Marshal.GetLastPInvokeError();
        return error == LinuxSockets.ErrorInterrupted ? 0 : throw new Win32Exception(error, "epoll_wait failed");
    }

    /// <summary>An event of the last wait.</summary>
    public void Get(int index, out uint ready, out long data)
    {
        byte* at = _events + (index * EventBytes);
        ready = *(uint*)at;
        data = Marshal.ReadInt64((nint)at, DataAt);
    }

    public void Dispose()
    {
        LinuxSockets.Close(_fd);
        NativeMemory.Free(_events);
    }

    private void Control(int operation, int fd, uint interest, long data)
    {
        if (!TryControl(operation, fd, interest, data)) throw new Win32Exception(Marshal.GetLastPInvokeError(), "epoll_ctl failed");
    }

    private bool TryControl(int operation, int fd, uint interest, long data)
    {
        byte* epollEvent = stackalloc byte[16];
        *(uint*)epollEvent = interest;
        Marshal.WriteInt64((nint)epollEvent, DataAt, data);
        return LinuxSockets.EpollControl(_fd, operation, fd, epollEvent) == 0;
    }
}
