using EdgeBroker.Coap.Codec;
using EdgeBroker.Core.Limits;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Coap.Messages;

/// <summary>
/// The message layer of RFC 7252, 4, for a server: duplicates, acknowledgements, retransmission, and what one peer may take. Opens no socket and starts no
/// timer: it is given datagrams and the time. One thread at a time.
/// </summary>
public sealed class MessageLayer
{
    // RFC 7252, 4.8.
    private const double AckTimeoutMs = 2_000;
    private const double AckRandomFactor = 1.5;
    private const int MaxRetransmit = 4;

    // To who may not be there: with what it was answered at first, three datagrams for the one that came from its address.
    private const int MaxRetransmitUnreached = 1;
    private const long ExchangeLifetimeMs = 247_000;
    private const long NonLifetimeMs = 145_000;

    // After this time a CON is acknowledged without its response.
    private const long AcknowledgeAfterMs = 250;

    // RFC 9175, 2.4: what an address may be sent that nobody has been heard from.
    private const int MaxUnverifiedBytes = 136;
    private const int MaxWaiting = 64;
    private const int SmallReplyBytes = 64;
    private const long SweepMs = 5_000;

    // A body in small blocks is one request, not thousands: so many blocks that go on with one count as one request.
    private const int BlocksOfRequest = 64;

    private readonly IRequestHandler _handler;
    private readonly IDatagramOutput _output;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly long _start;
    private readonly RateLimit _rate;
    private readonly ReachabilityCheck _reachability = new();
    private readonly PeerTable _peers;
    private readonly PriorityQueue<Action, (long AtMs, long Order)> _due = new();
    private readonly byte[] _buffer = new byte[CoapResponse.MaxLength];
    private long _order;
    private long _nextSweepMs = SweepMs;

    /// <param name="limits">What peers may take.</param>
    /// <param name="handler">Answers requests.</param>
    /// <param name="output">Sends datagrams.</param>
    /// <param name="time">The clock.</param>
    /// <param name="random">Spreads time-outs and begins message ids.</param>
    public MessageLayer(CoapLimits limits, IRequestHandler handler, IDatagramOutput output, TimeProvider time, Random random)
    {
        Limits = limits;
        _handler = handler;
        _output = output;
        _time = time;
        _random = random;
        _start = time.GetTimestamp();
        _peers = new PeerTable(limits, random, handler.OnForgotten);
        _rate = new RateLimit(
            (long)limits.RequestsPerSecond * BlocksOfRequest, TimeSpan.FromSeconds(1), (long)limits.RequestsPerSecond * BlocksOfRequest);
    }

    /// <summary>What peers may take.</summary>
    public CoapLimits Limits { get; }

    /// <summary>What came and went.</summary>
    public CoapCounters Counters { get; } = new();

    /// <summary>Milliseconds of the layer's clock.</summary>
    public long NowMs => (long)_time.GetElapsedTime(_start).TotalMilliseconds;

    /// <summary>Milliseconds since 1970, by the wall.</summary>
    public long WallTimeMs => _time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The time at which <see cref="RunDue"/> has something to do.</summary>
    public long NextDueMs => Math.Min(
        _peers.Count == 0 ? long.MaxValue : _nextSweepMs, _due.TryPeek(out _, out (long AtMs, long Order) first) ? first.AtMs : long.MaxValue);

    /// <summary>Bytes that peers have made it keep; any thread.</summary>
    public long MemoryBytes => _peers.MemoryBytes;

    /// <summary>How many peers are remembered; any thread.</summary>
    public int PeerCount => _peers.Count;

    /// <summary>The peers remembered.</summary>
    public IReadOnlyCollection<Peer> Peers => _peers.All;

    /// <summary>
    /// Runs something at a time, by whoever calls <see cref="RunDue"/> then. It cannot be taken back: it looks at whether it is still wanted.
    /// </summary>
    public void Schedule(long atMs, Action action) => _due.Enqueue(action, (atMs, _order++));

    /// <summary>Does what time brings.</summary>
    public void RunDue()
    {
        long nowMs = NowMs;
        while (_due.TryPeek(out Action? action, out (long AtMs, long Order) first) && first.AtMs <= nowMs)
        {
            _due.Dequeue();
            action();
        }

        if (nowMs < _nextSweepMs) return;
        _nextSweepMs = nowMs + SweepMs;
        _peers.Sweep(nowMs);
        _handler.OnSweep();
    }

    /// <summary>Takes a datagram.</summary>
    public void Receive(in PeerEndPoint from, ReadOnlySpan<byte> datagram)
    {
        Counters.Received++;
        CoapFormatError error = CoapMessage.Parse(datagram, out CoapMessage message);
        if (error is CoapFormatError.TooShort or CoapFormatError.UnknownVersion)
        {
            Counters.Ignored++;
        }
        else if (error != CoapFormatError.None)
        {
            Counters.Malformed++;
            Reject(from, message);
        }
        else if (message.Type == CoapType.Acknowledgement)
        {
            if (Find(from, datagram) is { } peer) Conclude(peer, message.MessageId, TransmissionOutcome.Acknowledged);
        }
        else if (message.Type == CoapType.Reset)
        {
            if (Find(from, datagram) is { } peer && !Conclude(peer, message.MessageId, TransmissionOutcome.Reset)) _handler.OnReset(peer, message.MessageId);
        }
        else if (message.Code.IsRequest)
        {
            ReceiveRequest(from, message, datagram.Length);
        }
        else
        {
            // An Empty CON is a ping (4.3); responses nobody has asked for are rejected likewise.
            Reject(from, message);
        }
    }

    /// <summary>The peer; null: not remembered.</summary>
    public Peer? Find(in PeerEndPoint endPoint) => _peers.Find(endPoint);

    /// <summary>The peer, remembered from here on, as heard of now; null: there are too many, which is counted.</summary>
    public Peer? TryRemember(in PeerEndPoint endPoint)
    {
        if (_peers.TryRemember(endPoint, NowMs, out bool ofNetwork) is { } peer) return peer;
        Counters.PeersRefused++;
        _handler.OnRefused(endPoint, ofNetwork);
        return null;
    }

    /// <summary>Forgets a peer, whatever it has open.</summary>
    public void Forget(Peer peer) => _peers.Forget(peer);

    internal void Pin(Peer peer, int change) => _peers.Pin(peer, change);

    /// <summary>Sends a response nobody waits for, as a NON.</summary>
    /// <returns>Its message id.</returns>
    public ushort Send(Peer peer, CoapResponse response, ReadOnlySpan<byte> token)
    {
        ushort messageId = peer.NextMessageId++;
        Send(peer, _buffer.AsSpan(0, response.Write(_buffer, CoapType.NonConfirmable, messageId, token)));
        return messageId;
    }

    /// <summary>Sends a response as a CON, behind those that wait.</summary>
    /// <param name="peer">To whom.</param>
    /// <param name="response">The response; null: a ping, which is "reset" by who is there.</param>
    /// <param name="token">Its token.</param>
    /// <param name="told">Is told what becomes of it.</param>
    public void SendConfirmable(Peer peer, CoapResponse? response, ReadOnlySpan<byte> token, Action<TransmissionOutcome>? told)
    {
        if (peer.IsForgotten || peer.Waiting.Count >= MaxWaiting)
        {
            Counters.TimedOut++;
            told?.Invoke(TransmissionOutcome.TimedOut);
            return;
        }

        ushort messageId = peer.NextMessageId++;
        int length = response?.Write(_buffer, CoapType.Confirmable, messageId, token) ?? CoapWriter.WriteEmpty(_buffer, CoapType.Confirmable, messageId);
        peer.Waiting.Enqueue(new Transmission(_buffer[..length], messageId, told));
        SendNext(peer);
    }

    internal bool Respond(Exchange exchange, CoapResponse response, bool mustProve = false)
    {
        if (exchange.IsDone) throw new InvalidOperationException("A request is answered once.");
        exchange.IsDone = true;
        Peer peer = exchange.Peer;
        if (peer.IsForgotten) return false;
        if (!exchange.Wants(response.Code))
        {
            if (exchange.IsConfirmable && exchange.Reply is null) Acknowledge(exchange);
            return true;
        }

        bool isPiggybacked = exchange.IsConfirmable && exchange.Reply is null;
        CoapType type = isPiggybacked ? CoapType.Acknowledgement : CoapType.NonConfirmable;
        ushort messageId = isPiggybacked ? exchange.MessageId : peer.NextMessageId;
        int length = response.Write(_buffer, type, messageId, exchange.Token);
        bool isChallenged = (mustProve || length > MaxUnverifiedBytes) && !peer.IsVerified;
        if (isChallenged)
        {
            Counters.Challenged++;
            response = new CoapResponse(CoapCode.Unauthorized) { Echo = _reachability.ValueFor(peer.At, NowMs) };
            length = response.Write(_buffer, type, messageId, exchange.Token);
        }

        if (exchange.IsConfirmable && !isPiggybacked)
        {
            SendConfirmable(peer, response, exchange.Token, told: null);
            return !isChallenged;
        }

        if (isPiggybacked) Keep(exchange, _buffer.AsSpan(0, length));
        else peer.NextMessageId++;
        Send(peer, _buffer.AsSpan(0, length));
        return !isChallenged;
    }

    private void ReceiveRequest(in PeerEndPoint from, in CoapMessage request, int bytes)
    {
        long nowMs = NowMs;
        if (TryRemember(from) is not { } peer)
        {
            RespondUnremembered(from, request, new CoapResponse(CoapCode.ServiceUnavailable) { MaxAge = 30 });
            return;
        }

        peer.BytesReceived += bytes;
        if (peer.Exchanges.TryGetValue(request.MessageId, out Exchange? earlier) && earlier.ExpiresAtMs > nowMs)
        {
            Counters.Duplicates++;
            if (earlier.Reply is { } reply) Send(peer, reply);
            return;
        }

        if (!peer.Bucket.HasRoom(_rate, nowMs))
        {
            Counters.RateLimited++;
            RespondUnremembered(from, request, new CoapResponse(CoapCode.TooManyRequests) { MaxAge = 1 });
            return;
        }

        peer.Bucket.Take(_rate, GoesOn(request) ? 1 : BlocksOfRequest, nowMs);
        bool isConfirmable = request.Type == CoapType.Confirmable;
        var exchange = new Exchange(this, peer, request, nowMs, isConfirmable ? ExchangeLifetimeMs : NonLifetimeMs);
        if (!_peers.TryAdd(exchange, nowMs))
        {
            RespondUnremembered(from, request, new CoapResponse(CoapCode.ServiceUnavailable) { MaxAge = 1 });
            return;
        }

        Counters.Requests++;
        if (!peer.IsVerified && request.TryFind(OptionNumber.Echo, out CoapOption echo)) peer.IsVerified = _reachability.IsGood(echo.Value, peer.At, nowMs);
        _handler.Handle(request, exchange);
        if (isConfirmable && !exchange.IsDone) Schedule(nowMs + AcknowledgeAfterMs, () => AcknowledgeIfLate(exchange));
    }

    private Peer? Find(in PeerEndPoint from, ReadOnlySpan<byte> datagram)
    {
        Peer? peer = _peers.Find(from);
        peer?.BytesReceived += datagram.Length;
        return peer;
    }

    private static bool GoesOn(in CoapMessage request) =>
        (request.Find(OptionNumber.Block1) is { } upload && Block.TryRead(upload, out Block sent) && sent.Number > 0)
        || (request.Find(OptionNumber.Block2) is { } download && Block.TryRead(download, out Block asked) && asked.Number > 0);

    private void AcknowledgeIfLate(Exchange exchange)
    {
        if (!exchange.IsDone && exchange.Reply is null && !exchange.Peer.IsForgotten) Acknowledge(exchange);
    }

    private void Acknowledge(Exchange exchange)
    {
        int length = CoapWriter.WriteEmpty(_buffer, CoapType.Acknowledgement, exchange.MessageId);
        Keep(exchange, _buffer.AsSpan(0, length));
        Send(exchange.Peer, _buffer.AsSpan(0, length));
    }

    /// <summary>Keeps a reply for duplicates; of a GET, which may be carried out again (4.5), only as long as there is room.</summary>
    private void Keep(Exchange exchange, ReadOnlySpan<byte> reply)
    {
        if (exchange.IsSafe && reply.Length > SmallReplyBytes && _peers.KeptBytes + reply.Length > Limits.MaxKeptResponseBytes)
        {
            exchange.Peer.Exchanges.Remove(exchange.MessageId);
            return;
        }

        _peers.Keep(exchange, reply.ToArray());
    }

    private void Reject(in PeerEndPoint from, in CoapMessage message)
    {
        if (message.Type != CoapType.Confirmable)
        {
            Counters.Ignored++;
            return;
        }

        Span<byte> reset = stackalloc byte[CoapMessage.HeaderLength];
        CoapWriter.WriteEmpty(reset, CoapType.Reset, message.MessageId);
        Send(from, reset);
    }

    private void RespondUnremembered(in PeerEndPoint to, in CoapMessage request, CoapResponse response)
    {
        bool isConfirmable = request.Type == CoapType.Confirmable;
        byte unwanted = (byte)(request.Find(OptionNumber.NoResponse) ?? 0);
        if ((unwanted >> (response.Code.Class - 1) & 1) != 0) return;
        ushort messageId = isConfirmable ? request.MessageId : (ushort)_random.Next(ushort.MaxValue + 1);
        CoapType type = isConfirmable ? CoapType.Acknowledgement : CoapType.NonConfirmable;
        Send(to, _buffer.AsSpan(0, response.Write(_buffer, type, messageId, request.Token)));
    }

    private void Send(Peer to, ReadOnlySpan<byte> datagram)
    {
        to.BytesSent += datagram.Length;
        Send(to.EndPoint, datagram);
    }

    private void Send(in PeerEndPoint to, ReadOnlySpan<byte> datagram)
    {
        Counters.Sent++;
        _output.Send(to, datagram);
    }

    private void SendNext(Peer peer)
    {
        if (peer.Current is not null || !peer.Waiting.TryDequeue(out Transmission? next)) return;
        peer.Current = next;
        next.TimeoutMs = AckTimeoutMs * (1 + ((AckRandomFactor - 1) * _random.NextDouble()));
        Transmit(peer, next);
    }

    private void Transmit(Peer peer, Transmission one)
    {
        Send(peer, one.Datagram);
        one.DueMs = NowMs + (long)one.TimeoutMs;
        Watch(peer, one.DueMs);
    }

    // A peer is looked at once, however many messages it has acknowledged meanwhile: else all of them would be kept until their time-outs.
    private void Watch(Peer peer, long dueMs)
    {
        if (peer.WatchedMs <= dueMs) return;
        peer.WatchedMs = dueMs;
        Schedule(dueMs, () =>
        {
            if (peer.WatchedMs == dueMs) peer.WatchedMs = long.MaxValue;
            if (peer.Current is not { } one) return;
            if (one.DueMs > NowMs)
            {
                Watch(peer, one.DueMs);
                return;
            }

            if (one.Retransmissions >= (peer.IsReached ? MaxRetransmit : MaxRetransmitUnreached))
            {
                Counters.TimedOut++;
                Conclude(peer, one.MessageId, TransmissionOutcome.TimedOut);
                return;
            }

            one.Retransmissions++;
            one.TimeoutMs *= 2;
            Counters.Retransmissions++;
            Transmit(peer, one);
        });
    }

    private bool Conclude(Peer peer, ushort messageId, TransmissionOutcome outcome)
    {
        if (peer.Current is not { } current || current.MessageId != messageId) return false;
        peer.Current = null;
        if (outcome != TransmissionOutcome.TimedOut)
        {
            peer.HasAnswered = true;
            _peers.Touch(peer, NowMs);
        }

        current.Told?.Invoke(outcome);
        SendNext(peer);
        if (peer.IsFree) _handler.OnFree(peer);
        return true;
    }
}
