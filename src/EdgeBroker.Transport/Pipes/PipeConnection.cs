using System.Buffers;
using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Net;
using System.Security.Authentication;
using EdgeBroker.Transport.Buffers;
using EdgeBroker.Transport.Reactors;

namespace EdgeBroker.Transport.Pipes;

/// <summary>
/// A connection over an <see cref="IDuplexPipe"/>: TLS and WebSocket in front, another platform's sockets, or a test's memory. One task reads, one writes; both
/// call the handler in an iteration of the <see cref="PipeLoop"/>, so that it has one thread at a time.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "RunAsync, which always ends, disposes of the timer.")]
public sealed class PipeConnection : TransportConnection
{
    private readonly IDuplexPipe _pipe;
    private readonly PipePeer _peer;
    private readonly PipeTimer _timer;
    private readonly PipeLooks _looks;
    private readonly PipeLoop _loop;
    private readonly AsyncSignal _attention = new();
    private readonly AsyncSignal _readOn = new();
    private readonly PostedWork _posted = new();
    private PipeMemory _memory;
    private int _announcedBytes;
    private bool _paused;
    private bool _over;
    private volatile bool _stopsReading;

    // Guarded by the output's lock.
    private bool _flushRequested;
    private bool _callbackRequested;

    /// <param name="pipe">The bytes.</param>
    /// <param name="peer">Who is at its other end.</param>
    /// <param name="time">The clock of deadlines.</param>
    /// <param name="loop">The loop in which the handler is called.</param>
    /// <param name="arrivalTime">How long bytes that have arrived may be on their way to the pipe.</param>
    public PipeConnection(IDuplexPipe pipe, PipePeer peer, TimeProvider time, PipeLoop loop, TimeSpan arrivalTime = default)
    {
        (_pipe, _peer, _loop) = (pipe, peer, loop);
        _timer = new PipeTimer(time, _attention.Set);
        _looks = new PipeLooks(time, arrivalTime);
    }

    // What an iteration leaves to do: flush the output; wait for the next signal; nothing, since the connection is over and its output empty.
    private enum Step
    {
        Flush,
        Wait,
        End,
    }

    /// <summary>What broke the connection; null: it was closed. Once it is over.</summary>
    public Exception? Failure { get; private set; }

    public override string RemoteEndPoint => _peer.EndPoint;

    public override IPAddress? RemoteAddress => _peer.Address;

    public override TimeSpan? IdentityValidFor => _peer.Certificate?.ValidFor;

    public override int KeptBytes => _memory.ReceivedBytes;

    public override long NowMs => _timer.NowMs;

    public override long DeadlineMs => _timer.DueMs;

    public override void SetDeadline(long dueMs) => _timer.Set(dueMs);

    public override string? FindIdentityObjection() => _peer.Certificate?.FindObjection();

    /// <summary>Serves the connection until it is over, and completes both ends of the pipe. Always ends, and has told the handler then.</summary>
    public async Task RunAsync(IConnectionHandler handler)
    {
        Handler = handler;
        try
        {
            Task reading = ReadAsync();
            await WriteAsync().ConfigureAwait(false);
            _stopsReading = true;
            _pipe.Input.CancelPendingRead();
            // It may wait for the handler to read on, which does not happen any more.
            _readOn.Set();
            await reading.ConfigureAwait(false);
            await _pipe.Input.CompleteAsync().ConfigureAwait(false);
            await _pipe.Output.CompleteAsync().ConfigureAwait(false);
            await _timer.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // Whoever completes a pipe may find that what is behind it is broken.
            NoteFailure(exception);
        }
        finally
        {
            using (_loop.Enter()) Over("closed");
            // What came until the handler knew.
            lock (Output.SyncRoot.Alone()) Output.Clear();
            _memory.Clear();
        }
    }

    public override void RequestFlush()
    {
        Output.SyncRoot.MustBeHeld();
        if (_flushRequested) return;
        _flushRequested = true;
        FlushRequests.AddOfOther(this);
    }

    public override void RequestCallback()
    {
        _callbackRequested = true;
        RequestFlush();
    }

    internal override void HandOver(List<Reactor> toWake) => _attention.Set();

    public override void Post(Action work)
    {
        _posted.Add(work);
        _attention.Set();
    }

    public override void Drain(Action done) => _ = _looks.DrainAsync(LookAsync, () => IsClosing, done);

    /// <summary>Runs something on the calling thread, between two calls of the handler; also when the connection is over. Short and non-blocking.</summary>
    public void RunInIteration(Action work)
    {
        using (_loop.Enter()) Guard(work);
    }

    public override void Abort()
    {
        Over("closed");
        lock (Output.SyncRoot.Alone()) Output.Clear();
        _attention.Set();
    }

    public override void PauseReading() => _paused = true;

    public override void ResumeReading()
    {
        if (!_paused) return;
        _paused = false;
        // The handler looks again at what there is of a unit: how long that may take begins anew.
        _announcedBytes = 0;
        _readOn.Set();
    }

    // What a pipe may end with. Anything else is a bug of whatever the pipe goes through.
    private static bool IsExpected(Exception exception) =>
        exception is IOException or InvalidOperationException or OperationCanceledException or AuthenticationException or Win32Exception;

    private async Task ReadAsync()
    {
        string explanation = "the peer closed the connection";
        try
        {
            while (!IsClosing)
            {
                ReadResult result = await _pipe.Input.ReadAsync().ConfigureAwait(false);
                if (_stopsReading) break;
                SequencePosition consumed = Hand(result, out bool wait);
                // With nothing unread the end of the peer is noticed all the same.
                if (wait && !result.Buffer.Slice(consumed).IsEmpty)
                {
                    _pipe.Input.AdvanceTo(consumed);
                    await _readOn.WaitAsync().ConfigureAwait(false);
                    continue;
                }

                _pipe.Input.AdvanceTo(consumed, result.Buffer.End);
                if (result.IsCompleted) break;
            }
        }
        catch (Exception exception)
        {
            explanation = NoteFailure(exception);
        }

        using (_loop.Enter()) Over(explanation);
        _attention.Set();
    }

    private Task LookAsync()
    {
        Task look;
        using (_loop.Enter())
        {
            if (_over) return Task.CompletedTask;
            look = _looks.Begin();
        }

        _pipe.Input.CancelPendingRead();
        return look;
    }

    private SequencePosition Hand(in ReadResult result, out bool wait)
    {
        ReadOnlySequence<byte> buffer = result.Buffer;
        int consumed;
        using (_loop.Enter())
        {
            // A unit known to be incomplete is not handed, and copied, for each piece of it; but who has not logged in is watched over by the handler.
            bool isMore = !buffer.IsEmpty && !_paused && !IsClosing;
            bool isPart = isMore && buffer.Length < _announcedBytes && Handler.HasLoggedIn;
            if (isPart) Handler.NoteArrival();
            consumed = isMore && !isPart ? HandContiguous(buffer) : 0;
            _loop.EndIteration();
            wait = _paused && !IsClosing;
            _memory.SetReceived(buffer.Length - consumed, Handler.HasLoggedIn);
            _looks.NoteHanded(consumed, result.IsCanceled, isHeld: wait && consumed < buffer.Length);
        }

        return buffer.GetPosition(consumed);
    }

    private int HandContiguous(in ReadOnlySequence<byte> buffer)
    {
        var whole = new ReceivedBytes();
        try
        {
            if (buffer.IsSingleSegment) return Handler.Receive(buffer.FirstSpan, out _announcedBytes);
            whole.Keep(buffer, Handler.HasLoggedIn);
            return Handler.Receive(whole.Kept, out _announcedBytes);
        }
        catch (Exception exception)
        {
            Fail(exception);
            return 0;
        }
        finally
        {
            whole.Clear();
        }
    }

    private async Task WriteAsync()
    {
        Task? attention = null;
        bool isAwake = false;
        try
        {
            while (true)
            {
                if (!isAwake)
                {
                    if (attention is null) await _attention.WaitAsync().ConfigureAwait(false);
                    else await attention.ConfigureAwait(false);
                    attention = null;
                }

                isAwake = false;
                Step step = RunIteration();
                if (step == Step.End) return;
                if (step == Step.Wait) continue;
                Task<FlushResult> flush = _pipe.Output.FlushAsync().AsTask();
                // The peer may never read: deadlines, posted work and a close have their turn all the same.
                while (!flush.IsCompleted)
                {
                    attention ??= _attention.WaitAsync().AsTask();
                    if (await Task.WhenAny(flush, attention).ConfigureAwait(false) == flush) break;
                    attention = null;
                    using (_loop.Enter()) RunCallbacks();
                    if (IsClosing && _timer.IsCutDue()) _pipe.Output.CancelPendingFlush();
                }

                FlushResult flushed = await flush.ConfigureAwait(false);
                if (flushed.IsCompleted || flushed.IsCanceled) return;
                // Perhaps the handler wants to hear that the output has drained, or there is more.
                isAwake = true;
            }
        }
        catch (Exception exception)
        {
            string explanation = NoteFailure(exception);
            using (_loop.Enter()) Over(explanation);
        }
    }

    /// <summary>Calls the handler for what is due and moves the output into the pipe.</summary>
    private Step RunIteration()
    {
        using (_loop.Enter())
        {
            RunCallbacks();
            if (MoveOutput()) return Step.Flush;
            if (!IsClosing && HasDrainedAsWanted()) CallBack();
            // The handler may have written.
            if (MoveOutput()) return Step.Flush;
            return IsClosing ? Step.End : Step.Wait;
        }
    }

    private void RunCallbacks()
    {
        while (_posted.TryTake(out Action? work)) Guard(work);

        bool callback;
        lock (Output.SyncRoot.Alone())
        {
            // Before the output is looked at: what is asked for from here on brings another iteration.
            _flushRequested = false;
            (callback, _callbackRequested) = (_callbackRequested, false);
        }

        if (IsClosing) return;
        if (_timer.TakeDue()) Guard(Handler.OnDeadline);
        if (callback && !IsClosing) CallBack();
    }

    private bool MoveOutput()
    {
        lock (Output.SyncRoot.Alone())
        {
            // What was moved before has been taken.
            _memory.SetOutput(Output.Length);
            if (Output.Length == 0) return false;
            for (OutputBuffer.Chunk? chunk = Output.First; chunk is not null; chunk = chunk.Next) _pipe.Output.Write(chunk.Waiting);
            Output.Clear();
            return true;
        }
    }

    private bool HasDrainedAsWanted()
    {
        lock (Output.SyncRoot.Alone())
        {
            (bool wanted, WantsCallbackWhenDrained) = (WantsCallbackWhenDrained, false);
            return wanted;
        }
    }

    private void CallBack()
    {
        try
        {
            Handler.OnCallback();
        }
        catch (Exception exception)
        {
            Fail(exception);
        }
    }

    /// <summary>Runs something on behalf of the connection; when it throws, that is reported, and the connection ends.</summary>
    private void Guard(Action work)
    {
        try
        {
            work();
        }
        catch (Exception exception)
        {
            Fail(exception);
        }
    }

    private void Fail(Exception exception)
    {
        _loop.Report(exception, "serving " + RemoteEndPoint);
        Over(FaultExplanation, isFault: true);
        // Nobody knows what is whole of it.
        lock (Output.SyncRoot.Alone()) Output.Clear();
    }

    private string NoteFailure(Exception exception)
    {
        Failure ??= exception;
        if (!IsExpected(exception)) _loop.Report(exception, "the transport of " + RemoteEndPoint);
        return "the connection broke: " + exception.Message;
    }

    private void Over(string explanation, bool isFault = false)
    {
        if (_over) return;
        _over = true;
        lock (Output.SyncRoot.Alone()) Close();
        _readOn.Set();
        try
        {
            Handler.OnClosed(explanation, isFault);
        }
        catch (Exception exception)
        {
            _loop.Report(exception, "closing the connection of " + RemoteEndPoint);
        }

        _looks.End();
    }
}
