using System.ComponentModel;
using System.Runtime.InteropServices;
using EdgeBroker.Transport.Linux;

namespace EdgeBroker.Bench;

/// <summary>
/// One thread, one epoll instance, and all clients of the run. An iteration: wait, let every ready client read all it has, open the next, let publishers write.
/// </summary>
internal sealed unsafe class LoadLoop : IDisposable
{
    private const int ReceiveBytes = 256 * 1024;
    private const int MostOpening = 64;
    private const int LongestWaitMs = 20;
    private const long TimerData = -1;

    private readonly Epoll _epoll = new();
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly double _nsPerTick;
    private readonly int _timer;
    private readonly List<LoadConnection> _connections = [];
    private readonly Queue<LoadConnection> _toOpen = new();
    private int _opening;

    public LoadLoop(SocketAddress address, TimeProvider time)
    {
        Address = address;
        _time = time;
        _start = time.GetTimestamp();
        _nsPerTick = 1e9 / time.TimestampFrequency;
        _timer = LoadSockets.TimerCreate(LoadSockets.Monotonic, LinuxSockets.NonBlocking | LinuxSockets.CloseOnExec);
        if (_timer < 0) throw new Win32Exception(Marshal.GetLastPInvokeError(), "timerfd_create failed");
        _epoll.Add(_timer, LinuxSockets.EpollIn, TimerData);
    }

    /// <summary>Where the broker is.</summary>
    public SocketAddress Address { get; }

    /// <summary>Where clients receive.</summary>
    public byte[] ReceiveBuffer { get; } = GC.AllocateUninitializedArray<byte>(ReceiveBytes, pinned: true);

    /// <summary>Monotonic nanoseconds, now.</summary>
    public long NowNs => (long)((_time.GetTimestamp() - _start) * _nsPerTick);

    /// <summary>Nanoseconds since 1970, now; the kernel's timestamps count so.</summary>
    public long UnixNs => (_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;

    /// <summary>Clients that are ready.</summary>
    public int Ready { get; private set; }

    /// <summary>Clients whose connection ended unasked.</summary>
    public int Broken { get; private set; }

    /// <summary>Why the first of them did; null: none.</summary>
    public string? FirstBreak { get; private set; }

    /// <summary>Counts what moves, to tell a slow run from one that stands still.</summary>
    public long Progress { get; set; }

    /// <summary>What publishers do at the end of a turn; returns when it wants the next turn at the latest, in <see cref="NowNs"/>.</summary>
    public Func<long>? Pump { get; set; }

    /// <summary>Opens clients, some at a time, and waits until all are ready.</summary>
    /// <exception cref="BenchException">Not all get there.</exception>
    public void OpenAll(IReadOnlyCollection<LoadConnection> connections, TimeSpan timeout)
    {
        int wanted = Ready + connections.Count;
        foreach (LoadConnection connection in connections) _toOpen.Enqueue(connection);
        bool done = RunUntil(() => Ready == wanted || Broken > 0, timeout);
        if (Broken > 0) throw new BenchException(FirstBreak!);
        if (!done)
        {
            throw new BenchException(
                $"{Ready - wanted + connections.Count} of {connections.Count} clients were ready when nothing more happened for {timeout.TotalSeconds} s.");
        }
    }

    /// <summary>Iterates until a condition holds; false when nothing has moved for as long as is given.</summary>
    public bool RunUntil(Func<bool> isDone, TimeSpan timeout)
    {
        long seen = Progress, since = NowNs;
        while (!isDone())
        {
            Iterate(long.MaxValue);
            if (Progress == seen)
            {
                if (NowNs - since > timeout.TotalNanoseconds) return false;
                continue;
            }

            seen = Progress;
            since = NowNs;
        }

        return true;
    }

    /// <summary>Iterates until a time in <see cref="NowNs"/>, or until a condition holds.</summary>
    public void RunUntilTime(long endNs, Func<bool>? isDone = null)
    {
        while (NowNs < endNs && isDone?.Invoke() != true) Iterate(endNs);
    }

    /// <summary>Closes all sockets.</summary>
    public void Dispose()
    {
        foreach (LoadConnection connection in _connections) connection.Close();
        _ = LinuxSockets.Close(_timer);
        _epoll.Dispose();
    }

    internal void Watch(LoadConnection connection, int fd, uint interest)
    {
        _connections.Add(connection);
        _epoll.Add(fd, interest, _connections.Count - 1);
        connection.Index = _connections.Count - 1;
    }

    internal void Rewatch(LoadConnection connection, int fd, uint interest) => _epoll.Modify(fd, interest, connection.Index);

    internal void NoteReady()
    {
        Ready++;
        _opening--;
        Progress++;
    }

    internal void NoteClosed(LoadConnection connection, string? unasked)
    {
        if (connection.IsReady) Ready--;
        else _opening--;
        Progress++;
        if (unasked is null) return;
        Broken++;
        FirstBreak ??= unasked;
    }

    private void Iterate(long endNs)
    {
        long next = Math.Min(endNs, Pump?.Invoke() ?? long.MaxValue);
        int count = _epoll.Wait(TimeoutMs(next));
        for (int i = 0; i < count; i++)
        {
            _epoll.Get(i, out uint ready, out long data);
            if (data == TimerData) DrainTimer();
            else _connections[(int)data].OnEvents(ready);
        }

        while (_opening < MostOpening && _toOpen.TryDequeue(out LoadConnection? connection))
        {
            _opening++;
            connection.Open();
        }
    }

    /// <summary>Milliseconds are too coarse for a fixed rate: what is due earlier wakes us through the timer, to the microsecond.</summary>
    private int TimeoutMs(long nextNs)
    {
        if (_toOpen.Count > 0 && _opening < MostOpening) return 0;
        if (nextNs == long.MaxValue) return LongestWaitMs;
        long untilNs = nextNs - NowNs;
        if (untilNs <= 0) return 0;
        nint* specification = stackalloc nint[4];
        specification[0] = specification[1] = 0;
        specification[2] = (nint)(untilNs / 1_000_000_000);
        specification[3] = (nint)(untilNs % 1_000_000_000);
        _ = LoadSockets.TimerSet(_timer, 0, specification, null);
        return LongestWaitMs;
    }

    private void DrainTimer()
    {
        ulong expiries;
        _ = LinuxSockets.Read(_timer, (byte*)&expiries, sizeof(ulong));
    }
}
