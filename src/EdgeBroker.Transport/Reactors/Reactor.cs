using System.Collections.Concurrent;
using System.ComponentModel;
using System.Runtime.InteropServices;
using EdgeBroker.Transport.Buffers;
using EdgeBroker.Transport.Linux;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Transport.Reactors;

/// <summary>
/// One thread, one epoll instance, and the connections that belong to it for life. An iteration of its loop: wait; receive from each readable connection and
/// handle it in place; then from those that send in bulk, a slice at a time, between which the others are served; run what is due; run the callbacks asked for
/// and flush every connection that has output, once each.
/// </summary>
public sealed unsafe partial class Reactor : IDisposable
{
    // One receive, and a slice: what is received from connections that send in bulk before the others are served again.
    private const int ReceiveBytes = 32 * 1024;

    // Slices in one iteration, behind which the outputs that they filled are flushed.
    private const int MaxSlices = 4;
    private const long WakeData = -1;
    private static readonly TimeSpan TrimInterval = TimeSpan.FromSeconds(5);

    [ThreadStatic]
    private static Reactor? _current;

    private readonly Epoll _epoll = new();
    private readonly int _wakeFd;
    private readonly Action<Exception, string> _reportFault;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly Thread _thread;
    private readonly ConcurrentQueue<ReactorConnection> _fromOthers = new();
    private readonly ConcurrentQueue<(ReactorConnection? Connection, Action Work)> _posted = new();
    private readonly List<ReactorConnection?> _connections = [];
    private readonly Stack<int> _freeIndexes = new();
    private readonly List<PeriodicWork> _periodic = [];
    private readonly Queue<ReactorConnection> _bulk = new();
    private readonly FlushRequests _requests = new();
    private readonly FlushRequests _bulkRequests = new();
    private volatile ThreadClock? _clock;
    private int _awake;
    private volatile bool _stopping;

    /// <param name="index">Its number, by which its thread is named; the first one trims the chunk pool.</param>
    /// <param name="time">The clock; only its monotonic side is used.</param>
    /// <param name="reportFault">Is told of an exception of what the reactor calls, and what was going on. The reactor goes on.</param>
    /// <param name="logger">Event ids 1000-1099.</param>
    public Reactor(int index, TimeProvider time, Action<Exception, string> reportFault, ILogger<Reactor> logger)
    {
        _reportFault = reportFault;
        _logger = logger;
        _time = time;
        _start = time.GetTimestamp();
        _wakeFd = LinuxSockets.EventFd(0, LinuxSockets.NonBlocking | LinuxSockets.CloseOnExec);
        if (_wakeFd < 0) throw new Win32Exception(Marshal.GetLastPInvokeError(), "eventfd failed");
        _epoll.Add(_wakeFd, LinuxSockets.EpollIn, WakeData);
        if (index == 0) AddPeriodic(TrimInterval, TrimPools);
        _thread = new Thread(Run) { Name = $"reactor-{index}", IsBackground = true };
    }

    /// <summary>Monotonic milliseconds, as of the beginning of the iteration.</summary>
    public long NowMs { get; private set; }

    /// <summary>Processor time of its thread in milliseconds; null: it does not run. Any thread.</summary>
    public long? BusyMs => _clock?.ReadMs();

    /// <summary>Called whenever all that was readable has been received and handled, before any of the answers goes out. Set before <see cref="Start"/>.
    /// </summary>
    public Action? AfterReceives { get; set; }

    /// <summary>Asked in each iteration for whoever is told how many seconds it took; null: nobody. Set before <see cref="Start"/>.</summary>
    public Func<Action<double>?> TurnListener { get; set; } = static () => null;

    /// <summary>Bytes received in this slice.</summary>
    internal int ReceivedBytes { get; set; }

    internal TimerWheel Timers { get; } = new();

    internal byte[] ReceiveBuffer { get; } = GC.AllocateUninitializedArray<byte>(ReceiveBytes, pinned: true);

    /// <summary>Starts the thread.</summary>
    public void Start() => _thread.Start();

    /// <summary>Runs something on the reactor's thread, in its next iteration; from any thread.</summary>
    public void Post(Action work) => Post(null, work);

    /// <summary>The same for a connection, which ends when the work throws.</summary>
    internal void Post(ReactorConnection? connection, Action work)
    {
        _posted.Enqueue((connection, work));
        Wake();
    }

    /// <summary>Runs something again and again on the reactor's thread. Before <see cref="Start"/>, or on the thread itself.</summary>
    public void AddPeriodic(TimeSpan interval, Action work) =>
        _periodic.Add(new PeriodicWork(NowMs, (long)interval.TotalMilliseconds, once: false, work));

    /// <summary>Runs something once, later. On the reactor's thread.</summary>
    internal void AddOnce(TimeSpan delay, Action work) => _periodic.Add(new PeriodicWork(NowMs, (long)delay.TotalMilliseconds, once: true, work));

    /// <summary>Ends the thread after the iteration it is in, closing what is open. Waits for it, unless called on the thread itself.</summary>
    public void Dispose()
    {
        _stopping = true;
        Wake();
        if (_thread.IsAlive && _current != this) _thread.Join();
    }

    /// <summary>Takes a connection over; on this thread.</summary>
    internal void Register(ReactorConnection connection)
    {
        if (_freeIndexes.TryPop(out int index))
        {
            _connections[index] = connection;
        }
        else
        {
            index = _connections.Count;
            _connections.Add(connection);
        }

        connection.Index = index;
        if (!_epoll.TryAdd(connection.FileDescriptor, LinuxSockets.EpollIn, index))
        {
            connection.Finish("the system cannot watch another connection: " + Marshal.GetLastPInvokeErrorMessage());
        }
    }

    /// <summary>Watches a listener, which has negative data numbers below <see cref="WakeData"/>.</summary>
    internal void Watch(ReactorListener listener, int number) => _epoll.Add(listener.FileDescriptor, LinuxSockets.EpollIn, WakeData - 1 - number);

    internal void Unwatch(ReactorListener listener) => _epoll.Remove(listener.FileDescriptor);

    internal void Rewatch(ReactorListener listener, int number, bool accept) =>
        _epoll.Modify(listener.FileDescriptor, accept ? LinuxSockets.EpollIn : 0, WakeData - 1 - number);

    internal void Watch(ReactorConnection connection, uint interest) => _epoll.Modify(connection.FileDescriptor, interest, connection.Index);

    internal void Forget(ReactorConnection connection)
    {
        _connections[connection.Index] = null;
        _freeIndexes.Push(connection.Index);
    }

    internal List<ReactorListener> Listeners { get; } = [];

    /// <summary>Whether this is the reactor's own thread.</summary>
    internal bool IsCurrent => ReferenceEquals(_current, this);

    /// <summary>Takes a connection to be serviced from another thread, which then wakes this one.</summary>
    internal void Accept(ReactorConnection connection) => _fromOthers.Enqueue(connection);

    /// <summary>Calls the handlers of all connections; on this thread.</summary>
    public void ForEachHandler(Action<IConnectionHandler> action) => ForEach(connection => connection.Guard(() => action(connection.Handler)));

    /// <summary>Reports an exception of what the reactor has called.</summary>
    internal void Report(Exception exception, string where)
    {
        try
        {
            _reportFault(exception, where);
        }
        catch (Exception second)
        {
            // Nobody is left to tell but the log.
            LogFault(_logger, second, where);
        }
    }

    /// <summary>Calls what belongs to no connection; whatever it throws is reported, and the reactor goes on.</summary>
    internal void Guard(Action work, string where)
    {
        try
        {
            work();
        }
        catch (Exception exception)
        {
            Report(exception, where);
        }
    }

    private void ForEach(Action<ReactorConnection> action)
    {
        foreach (ReactorConnection? connection in _connections.ToArray())
        {
            if (connection is not null) action(connection);
        }
    }

    /// <summary>Ends the wait for events; from any thread.</summary>
    internal void Wake()
    {
        LockRules.MustHoldNone();
        if (Interlocked.Exchange(ref _awake, 1) == 1) return;
        ulong one = 1;
        _ = LinuxSockets.Write(_wakeFd, (byte*)&one, sizeof(ulong));
    }

    private void Run()
    {
        _current = this;
        _clock = ThreadClock.OfCurrentThread();
        FlushRequests.OfThread = _requests;
        try
        {
            while (!_stopping) RunOnce();
            ForEach(connection => connection.Finish("the broker is stopping"));
            // What their handlers had to say to those of others.
            _requests.HandOver();
        }
        catch (Exception exception)
        {
            // Whatever is called from here is guarded, so this is the reactor's own: going on in an unknown state would be worse than restarting.
            LogFatal(_logger, exception, _thread.Name!);
            Environment.FailFast("a reactor thread failed", exception);
        }
        finally
        {
            _clock = null;
            foreach (ReactorListener listener in Listeners) listener.CloseSocket();
            _epoll.Dispose();
            // For good: whoever wakes it late must not write to what has its number by then.
            Interlocked.Exchange(ref _awake, 1);
            _ = LinuxSockets.Close(_wakeFd);
        }
    }

    private void RunOnce()
    {
        int count = _epoll.Wait(TimeoutMs());
        NowMs = Now();
        Action<double>? told = TurnListener();
        long begin = told is null ? 0 : _time.GetTimestamp();
        ReceiveReady(count);
        if (_bulk.Count > 0) ReceiveBulk();

        // Only what was there: work that posts itself again waits for the next iteration.
        for (int i = _posted.Count; i > 0 && _posted.TryDequeue(out (ReactorConnection? Connection, Action Work) posted); i--)
        {
            if (posted.Connection is { } connection) connection.Guard(posted.Work);
            else Guard(posted.Work, "posted work");
        }

        while (Timers.TakeDue(NowMs) is { } due) ((ReactorConnection)due).OnDeadline();
        for (int i = _periodic.Count - 1; i >= 0; i--)
        {
            PeriodicWork periodic = _periodic[i];
            if (!periodic.TryTakeDue(NowMs)) continue;
            if (periodic.Once) _periodic.RemoveAt(i);
            Guard(periodic.Work, "periodic work");
        }

        // Bounded by what was there at the beginning: what others add meanwhile waits for the next iteration.
        for (int i = _fromOthers.Count; i > 0 && _fromOthers.TryDequeue(out ReactorConnection? connection); i--) connection.ServiceForOther();
        _requests.Serve();
        _bulkRequests.Serve();
        if (told is not null) Tell(told, _time.GetElapsedTime(begin).TotalSeconds);
    }

    /// <summary>As <see cref="Guard"/>, without an object made in each iteration.</summary>
    private void Tell(Action<double> told, double seconds)
    {
        try
        {
            told(seconds);
        }
        catch (Exception exception)
        {
            Report(exception, "measuring an iteration");
        }
    }

    private void WaitForSlice(ReactorConnection connection)
    {
        if (connection.WaitsForSlice) return;
        connection.WaitsForSlice = true;
        _bulk.Enqueue(connection);
    }

    /// <summary>
    /// Receives from the connections that send in bulk. Their messages go out together at the end of the iteration, as few large sends; whoever sends little is
    /// received from and answered between two slices, as sparse flows are in fair queueing (RFC 8290, 3.4).
    /// </summary>
    private void ReceiveBulk()
    {
        for (int slices = 0; slices < MaxSlices && _bulk.Count > 0; slices++)
        {
            _requests.Serve();
            FlushRequests.OfThread = _bulkRequests;
            ReceivedBytes = 0;
            while (ReceivedBytes < ReceiveBytes && _bulk.TryDequeue(out ReactorConnection? connection))
            {
                connection.WaitsForSlice = false;
                connection.OnReadable(broken: false);
            }

            RunAfterReceives();
            FlushRequests.OfThread = _requests;
            ReceiveReady(_epoll.Wait(0));
        }
    }

    private static void TrimPools()
    {
        ChunkPool.Trim();
        BytePool.Trim();
        BlockPool.Trim();
    }

    private long Now() => (long)_time.GetElapsedTime(_start).TotalMilliseconds;

    private void ReceiveReady(int count)
    {
        for (int i = 0; i < count; i++)
        {
            _epoll.Get(i, out uint ready, out long data);
            if (data >= 0) Handle(_connections[(int)data], ready);
            else if (data == WakeData) DrainWake();
            else Listeners[(int)(WakeData - 1 - data)].Accept();
        }

        RunAfterReceives();
    }

    /// <summary>Has what waited for all receives seen to.</summary>
    internal void RunAfterReceives()
    {
        if (AfterReceives is { } work) Guard(work, "what follows the receives");
    }

    private void Handle(ReactorConnection? connection, uint ready)
    {
        // It may have been closed by an earlier event of this iteration.
        if (connection is null) return;
        if ((ready & LinuxSockets.EpollOut) != 0) connection.Flush();
        if ((ready & LinuxSockets.EpollPeerEnd) != 0) connection.OnPeerEnd();
        if ((ready & (LinuxSockets.EpollIn | LinuxSockets.EpollError | LinuxSockets.EpollHangUp)) != 0)
        {
            bool broken = (ready & (LinuxSockets.EpollError | LinuxSockets.EpollHangUp)) != 0;
            if (!connection.IsBulk || broken) connection.OnReadable(broken);
            else WaitForSlice(connection);
        }
    }

    private void DrainWake()
    {
        ulong value;
        _ = LinuxSockets.Read(_wakeFd, (byte*)&value, sizeof(ulong));
        // Before the queues are looked at: what comes in later wakes again.
        Interlocked.Exchange(ref _awake, 0);
    }

    private int TimeoutMs()
    {
        if (_bulk.Count > 0 || _requests.HasOwn || _bulkRequests.HasOwn || !_fromOthers.IsEmpty || !_posted.IsEmpty) return 0;
        long nowMs = Now();
        int timeout = Timers.UntilNextMs(nowMs);
        foreach (PeriodicWork periodic in _periodic)
        {
            int until = periodic.UntilNextMs(nowMs);
            if (timeout < 0 || until < timeout) timeout = until;
        }

        return timeout;
    }

    [LoggerMessage(1001, LogLevel.Error, "a fault ({Where}) could not be reported")]
    private static partial void LogFault(ILogger logger, Exception exception, string where);

    [LoggerMessage(1000, LogLevel.Critical, "{Thread} failed; the process ends, since it cannot know what is whole")]
    private static partial void LogFatal(ILogger logger, Exception exception, string thread);

    private sealed class PeriodicWork(long nowMs, long intervalMs, bool once, Action work)
    {
        private long _nextMs = nowMs + intervalMs;

        public bool Once => once;

        public Action Work => work;

        public int UntilNextMs(long nowMs) => (int)Math.Max(0, _nextMs - nowMs);

        /// <summary>Whether its time has come; the next one is set then.</summary>
        public bool TryTakeDue(long nowMs)
        {
            if (nowMs < _nextMs) return false;
            _nextMs = nowMs + intervalMs;
            return true;
        }
    }
}
