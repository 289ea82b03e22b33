using System.Collections.Concurrent;
using System.ComponentModel;
using System.Runtime.InteropServices;
using EdgeBroker.Transport.Buffers;
using EdgeBroker.Transport.Linux;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Transport.Reactors;

/// <summary>
/// One thread, one epoll instance, and the connections that belong to it for life. An iteration of its loop: wait; receive from each readable connection and
/// handle it in place, and poll again while that fills more outputs than it empties inputs; run what is due; run the callbacks asked for and flush every
/// connection that has output, once each.
/// </summary>
public sealed unsafe partial class Reactor : IDisposable
{
    private const int ReceiveBytes = 64 * 1024;
    private const long WakeData = -1;

    // Extra polls in one iteration before the outputs are flushed.
    private const int MaxPolls = 4;
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
    private readonly List<ReactorConnection> _forOthers = [];
    private readonly List<Reactor> _toWake = [];
    private List<ReactorConnection> _queued = [];
    private List<ReactorConnection> _servicing = [];
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
        if (index == 0) AddPeriodic(TrimInterval, ChunkPool.Trim);
        _thread = new Thread(Run) { Name = $"reactor-{index}", IsBackground = true };
    }

    /// <summary>Monotonic milliseconds, as of the beginning of the iteration.</summary>
    public long NowMs { get; private set; }

    /// <summary>Called whenever all that was readable has been received and handled, before any of the answers goes out. Set before <see cref="Start"/>.
    /// </summary>
    public Action? AfterReceives { get; set; }

    /// <summary>Bytes received in this iteration.</summary>
    internal int ReceivedBytes { get; set; }

    internal TimerWheel Timers { get; } = new();

    internal byte[] ReceiveBuffer { get; } = GC.AllocateUninitializedArray<byte>(ReceiveBytes, pinned: true);

    /// <summary>Starts the thread.</summary>
    public void Start() => _thread.Start();

    /// <summary>Runs something on the reactor's thread, in its next turn; from any thread.</summary>
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

    /// <summary>Ends the thread after the turn it is in, closing what is open. Waits for it, unless called on the thread itself.</summary>
    public void Dispose()
    {
        _stopping = true;
        Wake();
        if (_thread.IsAlive && _current != this) _thread.Join();
    }

    /// <summary>Takes a connection over; on this thread.</summary>
    internal void Adopt(ReactorConnection connection)
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

    /// <summary>Has a connection serviced at the end of the turn; on this thread.</summary>
    internal void Enqueue(ReactorConnection connection) => _queued.Add(connection);

    /// <summary>
    /// Has a connection serviced in the next turn; from any other thread. Another reactor hands over what it has asked for when its own turn ends: sooner, this
    /// one would send the first part of what a receive brings while the rest is still being added.
    /// </summary>
    internal void EnqueueFromOther(ReactorConnection connection)
    {
        if (_current is { } requester)
        {
            requester._forOthers.Add(connection);
            return;
        }

        _fromOthers.Enqueue(connection);
        Wake();
    }

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

    private void Wake()
    {
        if (Interlocked.Exchange(ref _awake, 1) == 1) return;
        ulong one = 1;
        _ = LinuxSockets.Write(_wakeFd, (byte*)&one, sizeof(ulong));
    }

    private void Run()
    {
        _current = this;
        try
        {
            while (!_stopping) RunOnce();
            ForEach(connection => connection.Finish("the broker is stopping"));
            // What their handlers had to say to those of others.
            HandOver();
        }
        catch (Exception exception)
        {
            // Whatever is called from here is guarded, so this is the reactor's own: going on in an unknown state would be worse than restarting.
            LogFatal(_logger, exception, _thread.Name!);
            Environment.FailFast("a reactor thread failed", exception);
        }
        finally
        {
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
        ReceivedBytes = 0;
        ReceiveReady(count);
        // A send costs ten times a poll, and carries what more has come for the same receivers: where each receive is for several of them, it pays to poll once
        // more. A poll that finds nothing ends this.
        for (int polls = 0; polls < MaxPolls && count > 0 && _queued.Count + _forOthers.Count > count && ReceivedBytes < ReceiveBytes; polls++)
        {
            count = _epoll.Wait(0);
            ReceiveReady(count);
        }

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

        Service();
        HandOver();
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

    private static void Handle(ReactorConnection? connection, uint ready)
    {
        // It may have been closed by an earlier event of this turn.
        if (connection is null) return;
        if ((ready & LinuxSockets.EpollOut) != 0) connection.Flush();
        if ((ready & (LinuxSockets.EpollIn | LinuxSockets.EpollError | LinuxSockets.EpollHangUp)) != 0)
        {
            connection.OnReadable((ready & (LinuxSockets.EpollError | LinuxSockets.EpollHangUp)) != 0);
        }
    }

    private void Service()
    {
        // Bounded by what was there at the beginning: what others add meanwhile waits for the next turn.
        for (int i = _fromOthers.Count; i > 0 && _fromOthers.TryDequeue(out ReactorConnection? connection); i--) connection.ServiceForOther();
        (_queued, _servicing) = (_servicing, _queued);
        foreach (ReactorConnection connection in _servicing) connection.Service();
        _servicing.Clear();
    }

    private void HandOver()
    {
        foreach (ReactorConnection connection in _forOthers)
        {
            connection.Reactor._fromOthers.Enqueue(connection);
            if (!_toWake.Contains(connection.Reactor)) _toWake.Add(connection.Reactor);
        }

        _forOthers.Clear();
        foreach (Reactor other in _toWake) other.Wake();
        _toWake.Clear();
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
        if (_queued.Count > 0 || !_fromOthers.IsEmpty || !_posted.IsEmpty) return 0;
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
