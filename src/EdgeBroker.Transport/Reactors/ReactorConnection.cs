using System.Net;
using System.Runtime.InteropServices;
using EdgeBroker.Transport.Buffers;
using EdgeBroker.Transport.Linux;
using EdgeBroker.Transport.UnixSockets;

namespace EdgeBroker.Transport.Reactors;

/// <summary>
/// A plain socket on a reactor. Everything here runs on the reactor's thread but for the requests, which any thread makes under the output's lock.
/// </summary>
internal sealed unsafe partial class ReactorConnection : TransportConnection, ITimed
{
    // After our last byte the peer has this long to take it and close; closing at once could make the kernel discard it.
    private const long LingerMs = 1000;
    private const int MaxVectors = 16;

    // Whoever sends so much at once, some ten messages, sends in bulk.
    private const int BulkBytes = 512;

    private readonly int _fd;
    private PeerAddress _peer;
    private ReceivedBytes _received;
    private TimerPlace _timer = new();
    private uint _interest = LinuxSockets.EpollIn;
    private bool _pausedByHandler;
    private bool _hasUnreadEnd;
    private bool _lingering;
    private bool _closeDeadlineSet;
    private bool _closed;

    // Guarded by the output's lock.
    private bool _queued;
    private bool _queuedByOther;
    private bool _callbackRequested;

    public ReactorConnection(Reactor reactor, int fd, PeerAddress peer)
    {
        Reactor = reactor;
        _fd = fd;
        _peer = peer;
    }

    public Reactor Reactor { get; }

    public override string RemoteEndPoint => _peer.ToString();

    public override IPAddress? RemoteAddress => _peer.ToAddress();

    public override uint? PeerUserId => _peer.IsUnix && !_closed ? PeerCredentials.UserIdOf(_fd) : null;

    public override long NowMs => Reactor.NowMs;

    /// <summary>The listener's slot it holds, given back when it closes.</summary>
    public ReactorListener? Listener { get; init; }

    /// <summary>Whether that listener had as many as it may.</summary>
    public bool IsOneTooMany { get; init; }

    /// <summary>Its place in the reactor's table.</summary>
    public int Index { get; set; }

    public int FileDescriptor => _fd;
    public override int KeptBytes => _received.Length;

    /// <summary>Whether its last receive brought so much that others are not to wait for its next one.</summary>
    public bool IsBulk { get; private set; }

    /// <summary>Whether it waits to be received from with others that send in bulk.</summary>
    public bool WaitsForSlice { get; set; }

    ref TimerPlace ITimed.Place => ref _timer;

    /// <summary>Takes another address for the peer's from now on: the one its proxy gives.</summary>
    public void SetPeerAddress(IPEndPoint client) => _peer = new PeerAddress(client);

    public override void RequestFlush()
    {
        Output.SyncRoot.MustBeHeld();
        // Apart from each other: what its own reactor asks for must not wait until the iteration of another, which asked before, has ended.
        if (Reactor.IsCurrent)
        {
            if (_queued) return;
            _queued = true;
            FlushRequests.OfThread!.Add(this);
        }
        else
        {
            if (_queuedByOther) return;
            _queuedByOther = true;
            FlushRequests.AddOfOther(this);
        }
    }

    // When the requester's iteration is over: sooner, this reactor would send the first part of what a receive brings while the rest is still being added.
    internal override void HandOver(List<Reactor> toWake)
    {
        Reactor.Accept(this);
        if (!toWake.Contains(Reactor)) toWake.Add(Reactor);
    }

    public override void RequestCallback()
    {
        _callbackRequested = true;
        RequestFlush();
    }

    public override void Post(Action work) => Reactor.Post(this, work);

    /// <summary>Runs something on behalf of the connection; when it throws, that is reported, and the connection ends.</summary>
    public void Guard(Action work)
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

    public override void PauseReading()
    {
        _pausedByHandler = true;
        UpdateInterest();
    }

    public override void ResumeReading()
    {
        if (!_pausedByHandler) return;
        _pausedByHandler = false;
        _hasUnreadEnd = false;
        UpdateInterest();
        if (_received.Length > 0)
        {
            HandReceived(_received.Kept);
            // The iteration may have passed the point at which that is done for all.
            Reactor.RunAfterReceives();
        }

        if (_drain is not null) CheckDrain();
    }

    public override long DeadlineMs => _timer.DueMs;

    public override void SetDeadline(long dueMs)
    {
        if (!_closed && !IsClosing) Reactor.Timers.Set(this, dueMs);
    }

    /// <summary>epoll says the socket is readable, or broken, which reading will tell.</summary>
    /// <param name="broken">Whether it says that both directions are gone, which it goes on saying while nobody reads.</param>
    public void OnReadable(bool broken)
    {
        if (_closed) return;
        if (_lingering)
        {
            Discard();
            return;
        }

        if (_pausedByHandler || IsClosing)
        {
            if (broken) Finish("the connection broke");
            return;
        }

        Span<byte> room = _received.Room(Reactor.ReceiveBuffer, out int kept);
        nint count;
        fixed (byte* start = room) count = LinuxSockets.Receive(_fd, start + kept, room.Length - kept, 0);
        if (count > 0)
        {
            Reactor.ReceivedBytes += (int)count;
            IsBulk = count >= BulkBytes;
            HandReceived(room[..(kept + (int)count)]);
            if (_drain is not null) NoteDrained((int)count);
        }
        else if (count == 0)
        {
            Finish("the peer closed the connection");
        }
        else if (Marshal.GetLastPInvokeError() is not (LinuxSockets.ErrorAgain or LinuxSockets.ErrorInterrupted))
        {
            Finish("the connection broke: " + Marshal.GetLastPInvokeErrorMessage());
        }
    }

    /// <summary>epoll says that the peer sends nothing more, while nobody reads. What it has sent before is read first, when the handler reads on.</summary>
    public void OnPeerEnd()
    {
        if (_closed || _lingering || IsClosing || !_pausedByHandler) return;
        _hasUnreadEnd = _received.Length > 0 || Peek() > 0;
        if (_hasUnreadEnd) UpdateInterest();
        else Finish("the peer closed the connection");
    }

    /// <summary>Gives the handler the callback it asked for and sends what is in the output, as this reactor asked.</summary>
    public void Service() => Service(ref _queued);

    /// <summary>The same, as another thread asked.</summary>
    public void ServiceForOther() => Service(ref _queuedByOther);

    private void Service(ref bool request)
    {
        bool callback;
        lock (Output.SyncRoot.Alone())
        {
            request = false;
            callback = _callbackRequested;
            _callbackRequested = false;
        }

        if (_closed) return;
        if (callback && !IsClosing) CallBack();
        Flush();
    }

    /// <summary>The deadline has passed.</summary>
    public void OnDeadline()
    {
        if (IsClosing)
        {
            Finish("closed");
            return;
        }

        if (!_closed) Guard(Handler.OnDeadline);
    }

    public override void Abort() => Finish("closed");

    /// <summary>The handler threw: reports that and closes the socket at once, since nobody knows what is whole of the output.</summary>
    private void Fail(Exception exception)
    {
        Reactor.Report(exception, "serving " + RemoteEndPoint);
        Finish(FaultExplanation, isFault: true);
    }

    /// <summary>Closes the socket at once and tells the handler.</summary>
    public void Finish(string explanation, bool isFault = false)
    {
        if (_closed) return;
        _closed = true;
        Reactor.Forget(this);
        Reactor.Timers.Set(this, long.MaxValue);
        _ = LinuxSockets.Close(_fd);
        lock (Output.SyncRoot.Alone())
        {
            Close();
            Output.Clear();
        }

        _received.Clear();
        if (!_lingering) TellClosed(explanation, isFault);
        // What came until the handler knew.
        lock (Output.SyncRoot.Alone()) Output.Clear();
        if (_drain is not null) CheckDrain();
        // Last: whoever waits for the listener to be empty may then rely on the handlers' being done.
        Listener?.Released(IsOneTooMany);
    }

    private void HandReceived(Span<byte> bytes)
    {
        _received.IsHanded = true;
        try
        {
            int consumed = Handler.Receive(bytes, out int announced);
            _received.IsHanded = false;
            if (_closed || IsClosing || consumed == bytes.Length) _received.Clear();
            else _received.Keep(bytes[consumed..], announced, Handler.HasLoggedIn);
        }
        catch (Exception exception)
        {
            _received.IsHanded = false;
            Fail(exception);
            _received.Clear();
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

    private void TellClosed(string explanation, bool isFault)
    {
        try
        {
            Handler.OnClosed(explanation, isFault);
        }
        catch (Exception exception)
        {
            Reactor.Report(exception, "closing the connection of " + RemoteEndPoint);
        }
    }

    private void Discard()
    {
        fixed (byte* start = Reactor.ReceiveBuffer)
        {
            nint count = LinuxSockets.Receive(_fd, start, Reactor.ReceiveBuffer.Length, 0);
            if (count > 0 || (count < 0 && Marshal.GetLastPInvokeError() == LinuxSockets.ErrorAgain)) return;
        }

        Finish("closed");
    }

    /// <summary>Whether there is something to read: a positive number; 0: the peer has ended.</summary>
    private nint Peek()
    {
        byte next;
        return LinuxSockets.Receive(_fd, &next, 1, LinuxSockets.Peek);
    }

    private void UpdateInterest() => UpdateInterest((_interest & LinuxSockets.EpollOut) != 0);

    private void UpdateInterest(bool writable)
    {
        if (_closed) return;
        bool readable = _lingering || (!_pausedByHandler && !IsClosing);
        uint interest = readable ? LinuxSockets.EpollIn : IsClosing || _hasUnreadEnd ? 0 : LinuxSockets.EpollPeerEnd;
        if (writable) interest |= LinuxSockets.EpollOut;
        if (interest == _interest) return;
        _interest = interest;
        Reactor.Watch(this, interest);
    }
}
