using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Net;
using EdgeBroker.Transport.Buffers;

namespace EdgeBroker.Transport.Pipes;

/// <summary>
/// A connection over an <see cref="IDuplexPipe"/>: TLS and WebSocket in front, another platform's sockets, or a test's memory. One loop reads, one writes; they
/// take turns
/// in calling the handler, which so keeps its one thread at a time.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Late signals may come after the end; the semaphores hold nothing that needs disposal.")]
public sealed class PipeConnection : TransportConnection
{
    // As with a socket: a peer that does not take our last bytes in this time is cut.
    private const long LingerMs = 1000;

    private readonly IDuplexPipe _pipe;
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly ITimer _timer;
    private readonly Lock _turn;
    private readonly SemaphoreSlim _attention = new(0, 1);
    private readonly SemaphoreSlim _reading = new(0, 1);
    private readonly Queue<Action> _posted = new();
    private IConnectionHandler _handler = null!;
    private long _deadlineMs = long.MaxValue;
    private long _cutMs = long.MaxValue;
    private int _announcedBytes;
    private bool _paused;
    private bool _over;
    private volatile bool _timerFired;

    // Guarded by the output's gate.
    private bool _turnRequested;

    /// <param name="pipe">The bytes.</param>
    /// <param name="remoteEndPoint">Where the peer is, for logs.</param>
    /// <param name="time">The clock of deadlines.</param>
    /// <param name="turn">Held whenever the handler is called; shared by connections whose handlers share something that one thread at a time may use. Null:
    /// its own.</param>
    /// <param name="remoteAddress">The peer's IP address; null: it has none.</param>
    public PipeConnection(IDuplexPipe pipe, string remoteEndPoint, TimeProvider time, Lock? turn = null, IPAddress? remoteAddress = null)
    {
        RemoteAddress = remoteAddress;
        _turn = turn ?? new Lock();
        _pipe = pipe;
        _time = time;
        _start = time.GetTimestamp();
        RemoteEndPoint = remoteEndPoint;
        _timer = time.CreateTimer(static state => ((PipeConnection)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>What broke the connection; null: it was closed. Once it is over.</summary>
    public Exception? Failure { get; private set; }

    public override string RemoteEndPoint { get; }

    public override IPAddress? RemoteAddress { get; }

    public override long NowMs => (long)_time.GetElapsedTime(_start).TotalMilliseconds;

    /// <summary>Serves the connection until it is over, and completes both ends of the pipe.</summary>
    public async Task RunAsync(IConnectionHandler handler)
    {
        _handler = handler;
        Task reading = ReadAsync();
        await WriteAsync().ConfigureAwait(false);
        _pipe.Input.CancelPendingRead();
        // It may wait for the handler to read on, which does not happen any more.
        Release(_reading);
        await reading.ConfigureAwait(false);
        await _pipe.Input.CompleteAsync().ConfigureAwait(false);
        await _pipe.Output.CompleteAsync().ConfigureAwait(false);
        await _timer.DisposeAsync().ConfigureAwait(false);
        lock (_turn) Over("closed");
    }

    public override void RequestFlush() => Signal();

    public override void RequestTurn()
    {
        _turnRequested = true;
        Signal();
    }

    public override void Post(Action work)
    {
        lock (_posted) _posted.Enqueue(work);
        Signal();
    }

    /// <summary>Runs something on the calling thread, between two calls of the handler; also when the connection is over. Short and non-blocking.</summary>
    public void RunInTurn(Action work)
    {
        lock (_turn) work();
    }

    public override void PauseReading() => _paused = true;

    public override void ResumeReading()
    {
        if (!_paused) return;
        _paused = false;
        Release(_reading);
    }

    public override void SetDeadline(long dueMs)
    {
        if (dueMs == _deadlineMs) return;
        _deadlineMs = dueMs;
        _timer.Change(dueMs == long.MaxValue ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(Math.Max(0, dueMs - NowMs)), Timeout.InfiniteTimeSpan);
    }

    private static void Release(SemaphoreSlim semaphore)
    {
        lock (semaphore)
        {
            if (semaphore.CurrentCount == 0) semaphore.Release();
        }
    }

    private void Signal() => Release(_attention);

    private void OnTimer()
    {
        _timerFired = true;
        Signal();
    }

    private async Task ReadAsync()
    {
        string explanation = "the peer closed the connection";
        try
        {
            while (!IsClosing)
            {
                ReadResult result = await _pipe.Input.ReadAsync().ConfigureAwait(false);
                if (result.IsCanceled) break;
                SequencePosition consumed = Hand(result.Buffer, out bool wait);
                if (wait)
                {
                    _pipe.Input.AdvanceTo(consumed);
                    await _reading.WaitAsync().ConfigureAwait(false);
                    continue;
                }

                _pipe.Input.AdvanceTo(consumed, result.Buffer.End);
                if (result.IsCompleted) break;
            }
        }
        catch (Exception exception) when (exception is IOException or InvalidOperationException or OperationCanceledException)
        {
            Failure ??= exception;
            explanation = "the connection broke: " + exception.Message;
        }

        lock (_turn) Over(explanation);
        Signal();
    }

    private SequencePosition Hand(in ReadOnlySequence<byte> buffer, out bool wait)
    {
        int consumed;
        lock (_turn)
        {
            // A unit known to be incomplete is not handed, and copied, for each piece of it.
            consumed = buffer.IsEmpty || _paused || IsClosing || buffer.Length < _announcedBytes ? 0 : HandContiguous(buffer);
            wait = _paused && !IsClosing;
        }

        return buffer.GetPosition(consumed);
    }

    private int HandContiguous(in ReadOnlySequence<byte> buffer)
    {
        if (buffer.IsSingleSegment) return _handler.Receive(buffer.FirstSpan, out _announcedBytes);
        byte[] whole = ArrayPool<byte>.Shared.Rent((int)buffer.Length);
        buffer.CopyTo(whole);
        int consumed = _handler.Receive(whole.AsSpan(0, (int)buffer.Length), out _announcedBytes);
        ArrayPool<byte>.Shared.Return(whole);
        return consumed;
    }

    private async Task WriteAsync()
    {
        try
        {
            Task? attention = null;
            while (true)
            {
                await (attention ?? _attention.WaitAsync()).ConfigureAwait(false);
                attention = null;
                bool moved;
                lock (_turn)
                {
                    TakeTurn();
                    // Within the turn: the handler may give the output another gate in its own.
                    moved = MoveOutput();
                }

                if (moved)
                {
                    Task<FlushResult> flush = _pipe.Output.FlushAsync().AsTask();
                    // The peer may never read: deadlines, posted work and a close have their turn all the same.
                    while (!flush.IsCompleted)
                    {
                        attention ??= _attention.WaitAsync();
                        if (await Task.WhenAny(flush, attention).ConfigureAwait(false) == flush) break;
                        attention = null;
                        lock (_turn) TakeTurn();
                        if (IsClosing) CutInTime();
                    }

                    FlushResult flushed = await flush.ConfigureAwait(false);
                    if (flushed.IsCompleted || flushed.IsCanceled) return;
                }

                if (_over || !AfterFlush()) return;
            }
        }
        catch (Exception exception) when (exception is IOException or InvalidOperationException or OperationCanceledException)
        {
            Failure ??= exception;
            lock (_turn) Over("the connection broke: " + exception.Message);
        }
    }

    private void CutInTime()
    {
        long nowMs = NowMs;
        if (_cutMs == long.MaxValue) _cutMs = nowMs + LingerMs;
        // The timer measures with another clock and may be a little early: then it is set again.
        if (nowMs >= _cutMs) _pipe.Output.CancelPendingFlush();
        else _timer.Change(TimeSpan.FromMilliseconds(_cutMs - nowMs), Timeout.InfiniteTimeSpan);
    }

    private void TakeTurn()
    {
        while (true)
        {
            Action? work;
            lock (_posted)
            {
                if (!_posted.TryDequeue(out work)) break;
            }

            work();
        }

        if (IsClosing || _over) return;
        // Before the clock is read: when the timer fires from here on, there is another turn for it.
        bool timerFired = _timerFired;
        _timerFired = false;
        long nowMs = NowMs;
        if (nowMs >= _deadlineMs)
        {
            _deadlineMs = long.MaxValue;
            _handler.OnDeadline();
        }
        else if (timerFired && _deadlineMs != long.MaxValue)
        {
            // It measures with another clock and may be a little early.
            _timer.Change(TimeSpan.FromMilliseconds(_deadlineMs - nowMs), Timeout.InfiniteTimeSpan);
        }

        bool turn;
        lock (Output.Gate)
        {
            turn = _turnRequested;
            _turnRequested = false;
        }

        if (turn) _handler.OnTurn();
    }

    private bool MoveOutput()
    {
        lock (Output.Gate)
        {
            if (Output.Length == 0) return false;
            for (OutputBuffer.Chunk? chunk = Output.First; chunk is not null; chunk = chunk.Next)
            {
                _pipe.Output.Write(chunk.Bytes.AsSpan(chunk.Start, chunk.End - chunk.Start));
            }

            Output.Clear();
            return true;
        }
    }

    /// <summary>Whether there is anything more to write.</summary>
    private bool AfterFlush()
    {
        lock (Output.Gate)
        {
            if (Output.Length > 0)
            {
                Signal();
                return true;
            }

            if (IsClosing) return false;
            if (!WantsTurnWhenDrained) return true;
            WantsTurnWhenDrained = false;
            RequestTurn();
            return true;
        }
    }

    private void Over(string explanation)
    {
        if (_over) return;
        _over = true;
        lock (Output.Gate) Close();
        Release(_reading);
        _handler.OnClosed(explanation);
    }
}
