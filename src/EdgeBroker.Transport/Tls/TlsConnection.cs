using System.Diagnostics.CodeAnalysis;
using System.Net;
using EdgeBroker.Transport.Buffers;
using EdgeBroker.Transport.Reactors;

namespace EdgeBroker.Transport.Tls;

/// <summary>
/// TLS over a socket of a reactor: the handler of that connection, and the connection of the protocol above. Only whole records are decrypted, so between
/// two of them it holds no buffer. The handshake is computed on the thread pool, all else on the reactor.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The transport disposes of it, by telling it that it is closed.")]
public sealed partial class TlsConnection : TransportConnection, IConnectionHandler
{
    // A record each, and as much encrypted as one send takes.
    private const int ReceiveBytes = 16 * 1024;
    private const int SendBytes = 16_000;
    private const int MaxEncryptedBytes = 128 * 1024;

    [ThreadStatic]
    private static byte[]? _plain;

    [ThreadStatic]
    private static byte[]? _toSend;

    private readonly ReactorConnection _lower;
    private readonly ITlsUser _user;
    private RecordStream? _records;
    private TlsAttempt? _attempt;
    private ReceivedBytes _received;
    private string? _explanation;
    private int _announcedBytes;
    private int _consumedBytes; // What the handshake has read of the bytes that the socket's connection keeps.
    private TlsStage _stage;
    private bool _isPaused;
    private bool _isTold;
    private bool _isCallbackRequested; // Guarded by the output's lock.

    /// <param name="accepted">Where the encrypted bytes are; on its own thread.</param>
    /// <param name="port">What all connections of the listener share.</param>
    /// <param name="user">What the connection is for.</param>
    public TlsConnection(ReactorListener.Accepted accepted, ITlsPort port, ITlsUser user)
    {
        _lower = (ReactorConnection)accepted.Transport;
        Port = port;
        _user = user;
        // One lock for both outputs: who asks for a flush of one asks for a callback of the other. The thread of the handshake takes it, too.
        UseLock(new Lock());
        _lower.SetDeadline(_lower.NowMs + (long)port.Material.Options.HandshakeTimeout.TotalMilliseconds);
    }

    /// <summary>What all connections of its listener share.</summary>
    public ITlsPort Port { get; }

    public override string RemoteEndPoint => _lower.RemoteEndPoint;

    public override IPAddress? RemoteAddress => _lower.RemoteAddress;

    public override uint? PeerUserId => _lower.PeerUserId;

    public override int KeptBytes => _received.Length + _lower.KeptBytes;

    public override long NowMs => _lower.NowMs;

    public override long DeadlineMs => _lower.DeadlineMs;

    bool IConnectionHandler.HasLoggedIn => _stage == TlsStage.Open && Handler.HasLoggedIn;

    public override void UseLock(Lock owner)
    {
        Output.UseLock(owner);
        _lower.Output.UseLock(owner);
    }

    public override void RequestFlush() => _lower.RequestCallback();

    public override void RequestCallback()
    {
        _isCallbackRequested = true;
        RequestFlush();
    }

    public override void Abort() => _lower.Abort();
    public override void Post(Action work) => _lower.Post(work);
    public override void Drain(Action done) => _lower.Drain(done);

    public override void SetDeadline(long dueMs) => _lower.SetDeadline(dueMs);

    public override void PauseReading()
    {
        _isPaused = true;
        _lower.PauseReading();
    }

    public override void ResumeReading()
    {
        if (!_isPaused) return;
        _isPaused = false;
        if (_received.Length > 0)
        {
            HandKept();
            // The iteration may have passed the point at which that is done for all.
            _lower.Reactor.RunAfterReceives();
        }

        if (!_isPaused && _stage == TlsStage.Open) _lower.ResumeReading();
    }

    /// <summary>Ends it without a word, because the broker stops or the listener is no more, unless the protocol above has it; on its own thread.</summary>
    /// <returns>False: it has, and is to be told instead.</returns>
    public bool TryAbandon()
    {
        if (_stage == TlsStage.Open) return false;
        if (_stage != TlsStage.Ended) End(null);
        return true;
    }

    int IConnectionHandler.Receive(ReadOnlySpan<byte> bytes, out int announcedBytes)
    {
        int consumed = _consumedBytes;
        _consumedBytes = 0;
        announcedBytes = 0;
        bytes = bytes[consumed..];
        if (_stage == TlsStage.AwaitingHello && !bytes.IsEmpty)
        {
            _stage = TlsStage.HasBegun;
            if (!FirstByte.IsTls(bytes[0])) End(FirstByte.Explain(bytes[0]));
        }

        if (_stage == TlsStage.Ended) return consumed + bytes.Length;
        return consumed + (_stage == TlsStage.Open ? Decrypt(bytes, out announcedBytes) : ShakeHands(bytes, out announcedBytes));
    }

    void IConnectionHandler.OnCallback()
    {
        bool isRequested;
        lock (Output.SyncRoot.Alone())
        {
            isRequested = _isCallbackRequested;
            _isCallbackRequested = false;
        }

        if (_stage != TlsStage.Open) return;
        if (isRequested && !IsClosing) Handler.OnCallback();
        Send();
    }

    void IConnectionHandler.OnDeadline()
    {
        if (_stage == TlsStage.Open) Handler.OnDeadline();
        else if (_stage != TlsStage.Ended) End(HandshakeFailure.Late);
    }

    void IConnectionHandler.OnClosed(string explanation, bool isFault)
    {
        TlsStage before = _stage;
        _stage = TlsStage.Ended;
        try
        {
            lock (Output.SyncRoot.Alone()) Close();
            if (before == TlsStage.HasBegun) Port.OnFailed(RemoteEndPoint, HandshakeFailure.Left);
            else if (before == TlsStage.ShakingHands) _records!.End();
            else if (before == TlsStage.Open) Handler.OnClosed(_explanation ?? explanation, isFault);
        }
        finally
        {
            // What came until the handler knew.
            lock (Output.SyncRoot.Alone()) Output.Clear();
            _received.Clear();
            // A handshake that is being computed has the stream, and gives it up when it concludes.
            if (_attempt is null) _records?.Dispose();
            _user.OnEnded(this);
        }
    }

    /// <summary>Takes encrypted bytes to be sent; on the thread that shakes hands or sends.</summary>
    internal void Write(ReadOnlySpan<byte> encrypted)
    {
        // On the pool nobody else hands over what it asks for.
        LoopRequests.Begin();
        try
        {
            lock (Output.SyncRoot.Alone())
            {
                if (!_lower.IsClosing) _lower.Output.AppendPieces(encrypted);
                if (!_lower.IsClosing) _lower.RequestFlush();
            }
        }
        finally
        {
            LoopRequests.End();
        }
    }

    /// <summary>TLS wants a record that is not there: of a handshake, on its thread; else one that has been decrypted had no content.</summary>
    internal void OnRecordWanted()
    {
        if (_attempt is not { } attempt) return;
        attempt.Wait();
        _lower.Post(ReadOn);
    }

    /// <summary>Has the handshake go on with whole records. Until it wants more nothing is read; what it has not read stays where it was received.</summary>
    private int ShakeHands(ReadOnlySpan<byte> bytes, out int announcedBytes)
    {
        int whole = TlsRecord.CutWhole(bytes, out announcedBytes);
        if (whole == TlsRecord.Malformed)
        {
            End("what the client sent is no TLS");
        }
        else if (whole > 0 && (_attempt is not null || TryBegin()))
        {
            _lower.PauseReading();
            _attempt!.GoOn(bytes[..whole]);
        }

        return _stage == TlsStage.Ended ? bytes.Length : 0;
    }

    private bool TryBegin()
    {
        TlsMaterial material = Port.Material;
        if (Port.Slots.TryEnter(RemoteAddress, material.Options.MaxHandshakes, () => _lower.Post(Refuse)) is not { } slot)
        {
            Refuse();
            return false;
        }

        _stage = TlsStage.ShakingHands;
        _records = new RecordStream(this);
        _attempt = new TlsAttempt(
            new ServerHandshake(material, Port.Time), slot, _records, failure => _lower.Post(() => Conclude(failure)));
        return true;
    }

    private void Refuse()
    {
        // It may have been concluded meanwhile.
        if (_stage is TlsStage.Open or TlsStage.Ended) return;
        Port.OnRefused(RemoteEndPoint);
        End(null);
    }

    /// <summary>The handshake is over; back on the connection's own thread.</summary>
    private void Conclude(Exception? failure)
    {
        ServerHandshake handshake = _attempt!.Handshake;
        _attempt = null;
        if (failure is null && _stage == TlsStage.ShakingHands)
        {
            Port.OnSucceeded();
            (_peer, _stage) = (handshake.Peer is { } peer ? new CertificateStanding(peer, Port) : null, TlsStage.Open);
            _records!.BecomeSingleThreaded();
            _lower.SetDeadline(long.MaxValue);
            Handler = _user.Serve(this, handshake.Identity);
            ReadOn();
            return;
        }

        _records!.TakeBack();
        _records.Dispose();
        if (failure is null) return;
        string cause = handshake.Explain(failure) ?? throw new InvalidOperationException("a TLS handshake has a bug", failure);
        if (_stage != TlsStage.Ended) End(cause);
        else if (!_isTold) Port.OnFailed(RemoteEndPoint, cause);
    }

    private void ReadOn()
    {
        if (_stage == TlsStage.Ended) return;
        _consumedBytes = _records!.ConsumedBytes;
        _records.TakeBack();
        if (!_isPaused) _lower.ResumeReading();
    }

    /// <summary>Ends it before the protocol above has it.</summary>
    /// <param name="cause">Why a handshake has failed; null: it is no failure, or told of otherwise.</param>
    private void End(string? cause)
    {
        if (_stage == TlsStage.ShakingHands) _records!.End();
        _stage = TlsStage.Ended;
        _isTold = true;
        if (cause is not null) Port.OnFailed(RemoteEndPoint, cause);
        lock (Output.SyncRoot.Alone())
        {
            // What TLS has to say to the client is to arrive.
            _lower.ClosesAtOnce = _lower.Output.Length == 0;
            _lower.Close();
        }
    }

    private int Decrypt(ReadOnlySpan<byte> bytes, out int announcedBytes)
    {
        int consumed = 0;
        announcedBytes = 0;
        while (!_isPaused && !IsClosing && _stage == TlsStage.Open)
        {
            int length = TlsRecord.LengthOf(bytes[consumed..]);
            if (length == TlsRecord.Malformed)
            {
                _lower.Finish("the connection broke: what the client sent is no TLS");
                break;
            }

            if (length == 0 || length > bytes.Length - consumed)
            {
                announcedBytes = length;
                return consumed;
            }

            Decrypt(bytes.Slice(consumed, length));
            consumed += length;
        }

        return IsClosing ? bytes.Length : consumed;
    }

    private void Decrypt(ReadOnlySpan<byte> record)
    {
        byte[] plain = _plain ??= GC.AllocateUninitializedArray<byte>(ReceiveBytes);
        int count;
        try
        {
            count = _records!.Decrypt(record, plain);
        }
        catch (Exception exception) when (ServerHandshake.IsExpected(exception))
        {
            // In TLS 1.3 a client looks at our certificate when the handshake is over for us.
            if (HandshakeFailure.Alert(exception) is { } cause) Port.OnFailed(RemoteEndPoint, cause);
            _lower.Finish("the connection broke: " + exception.Message);
            return;
        }

        if (count > 0) Hand(plain.AsSpan(0, count));
        if (count != 0) return;
        _explanation = "the peer closed the connection";
        lock (Output.SyncRoot.Alone()) Close();
    }

    private void Hand(ReadOnlySpan<byte> plain)
    {
        if (_received.Length > 0)
        {
            _received.Append(plain, _announcedBytes, Handler.HasLoggedIn);
            // A packet known to be incomplete is not looked at for each piece of it; but who has not logged in is watched over by the handler.
            if (_received.Length >= _announcedBytes || !Handler.HasLoggedIn) HandKept();
            else Handler.NoteArrival();
            return;
        }

        int consumed = Handler.Receive(plain, out _announcedBytes);
        if (!IsClosing && consumed < plain.Length) _received.Keep(plain[consumed..], _announcedBytes, Handler.HasLoggedIn);
    }

    private void HandKept()
    {
        int consumed = 0;
        _received.IsHanded = true;
        try
        {
            consumed = Handler.Receive(_received.Kept, out _announcedBytes);
        }
        finally
        {
            _received.IsHanded = false;
            if (_stage != TlsStage.Open || IsClosing) _received.Clear();
        }

        if (_received.Length > 0) _received.Keep(_received.Kept[consumed..], _announcedBytes, Handler.HasLoggedIn);
    }
}
