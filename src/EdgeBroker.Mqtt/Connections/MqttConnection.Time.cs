using EdgeBroker.Core.Limits;
using EdgeBroker.Protocol;

namespace EdgeBroker.Mqtt.Connections;

// Time-outs, and holding back a client that sends but does not read.
public sealed partial class MqttConnection
{
    // A packet must go on arriving: this long, and a second more for each KB announced, slow links included.
    private const long PartialMs = 30_000;
    private const int PartialBytesPerSecond = 1024;

    private long _lastPacketMs;
    private long _partialBeganMs;
    private long _partialDueMs = long.MaxValue;
    private long _deadlineMs = long.MaxValue;
    private long _identityDueMs = long.MaxValue;
    private ushort _keepAliveSeconds;
    private bool _isHeldBack;
    private bool _storeIsAwaited;

    /// <inheritdoc/>
    public void OnDeadline()
    {
        long nowMs = _transport.NowMs;
        _deadlineMs = long.MaxValue;
        switch (_state)
        {
            case State.AwaitingConnect when _refusedBy is { } limit:
                RefuseByLimit(limit, clientId: null);
                return;
            case State.AwaitingConnect:
                Broker.Limits.Count(LimitKind.ConnectTimeout, LimitAction.Disconnected);
                Refuse(ReasonCode.UnspecifiedError, "no complete CONNECT within limits.connect_timeout", answer: false);
                return;
            case State.Authenticating when _connect!.WaitingLogin is not null:
                LogInAfterWait();
                return;
            case State.Authenticating:
                Refuse(ReasonCode.ServerUnavailable, "who decides about clients did not answer within limits.connect_timeout");
                return;
            case State.AwaitingAuth:
                Broker.Limits.Count(LimitKind.ConnectTimeout, LimitAction.Disconnected);
                Refuse(ReasonCode.UnspecifiedError, "the client did not answer within limits.connect_timeout while it was authenticated");
                return;
            case State.Connected when nowMs >= _method?.DueMs:
                Broker.Limits.Count(LimitKind.ConnectTimeout, LimitAction.Disconnected);
                Fail(ReasonCode.NotAuthorized, "a re-authentication was begun and not completed within limits.connect_timeout");
                return;
            case State.Connected when nowMs >= _identityDueMs:
                Fail(ReasonCode.NotAuthorized, "the credentials have expired");
                return;
            case State.Connected when nowMs >= _partialDueMs:
                Fail(ReasonCode.ProtocolError, "a packet was begun and not completed in time");
                return;
            case State.Connected when nowMs >= HeldUntilMs:
                ReadOnAfterHold(nowMs);
                return;
            // A packet that is still arriving in time is a sign of life.
            case State.Connected when nowMs >= KeepAliveDueMs && _partialDueMs == long.MaxValue && !IsUnreadByUs:
                Fail(ReasonCode.KeepAliveTimeout, "nothing was heard within one and a half times the keep alive");
                return;
            case State.Connected:
                SetDeadline(NextDueMs(nowMs));
                return;
        }
    }

    private long NextDueMs(long nowMs) =>
        Math.Min(HeldUntilMs, _partialDueMs != long.MaxValue ? _partialDueMs : IsUnreadByUs && _keepAliveSeconds > 0 ? nowMs + (_keepAliveSeconds * 1500L) : KeepAliveDueMs);

    // Because of the disk or a limit, not because it does not take what we send: its PINGREQ may be waiting for us.
    private bool IsUnreadByUs => _isHeldBack && (_storeIsAwaited || HeldUntilMs != long.MaxValue || _pendingAcks is { Count: >= MostPendingAcks });

    // [MQTT-3.1.2-22]
    private long KeepAliveDueMs => _keepAliveSeconds == 0 ? long.MaxValue : _lastPacketMs + (_keepAliveSeconds * 1500L);

    private void AwaitConnect() => SetDeadline(_transport.NowMs + (_refusedBy is null ? (long)Options.ConnectTimeout.TotalMilliseconds : CourtesyMs));

    private void BeginKeepAlive(int keepAliveSeconds)
    {
        _keepAliveSeconds = (ushort)keepAliveSeconds;
        SetDeadline(KeepAliveDueMs);
    }

    private int GrantedKeepAliveSeconds(int requestedSeconds)
    {
        int maxSeconds = (int)Math.Min(Options.MaxKeepAlive.TotalSeconds, ushort.MaxValue);
        // 3.1.1 has no way to tell a client of another keep alive, so its own holds.
        if (maxSeconds == 0 || _rules.Version == ProtocolVersion.V311) return requestedSeconds;
        return requestedSeconds == 0 ? maxSeconds : Math.Min(requestedSeconds, maxSeconds);
    }

    /// <summary>A whole packet has come. The deadline is left where it is: when it comes, it looks at the time noted here.</summary>
    private void NotePacket()
    {
        _lastPacketMs = _transport.NowMs;
        _partialDueMs = long.MaxValue;
    }

    /// <summary>Part of a packet is there.</summary>
    /// <param name="announcedBytes">Its length, 0 when not even that is known.</param>
    /// <param name="isNew">Whether whole packets came before it, so that it has just begun.</param>
    private void NotePartial(int announcedBytes, bool isNew)
    {
        if (_state != State.Connected) return;
        if (isNew || _partialDueMs == long.MaxValue) _partialBeganMs = _transport.NowMs;
        // Its length may come after its first byte.
        _partialDueMs = _partialBeganMs + PartialMs + (announcedBytes * 1000L / PartialBytesPerSecond);
        if (_deadlineMs > _partialDueMs) SetDeadline(_partialDueMs);
    }

    private void SetDeadline(long dueMs)
    {
        _deadlineMs = Math.Min(dueMs, Math.Min(_identityDueMs, _method?.DueMs ?? long.MaxValue));
        _transport.SetDeadline(_deadlineMs);
    }

    /// <summary>
    /// A client that sends and does not take our answers waits until it has taken them, one that the disk cannot follow until it can: the broker's memory does
    /// not grow with its patience.
    /// </summary>
    private void HoldBackWhenFull()
    {
        if (_state != State.Connected) return;
        bool outputIsFull = Output.Length >= Options.MaxOutboundBytes;
        if (outputIsFull)
        {
            lock (Output.Gate)
            {
                outputIsFull = Output.Length >= Options.MaxOutboundBytes;
                if (outputIsFull) _transport.WantsTurnWhenDrained = true;
            }
        }

        if (!outputIsFull && !_storeIsAwaited && _pendingAcks is not { Count: >= MostPendingAcks }) return;
        _isHeldBack = true;
        _transport.PauseReading();
    }

    /// <summary>The publish at hand cannot be acknowledged without the store: it is left unread, and the client with it, until the store has
    /// recovered.</summary>
    private void TryAgainWhenStored(int payloadBytes)
    {
        _context.Counters.PublishesReceived--;
        _context.Counters.PublishBytesReceived -= payloadBytes;
        _storeIsAwaited = true;
        Broker.WhenStoreRecovers(() => _transport.Post(() =>
        {
            _storeIsAwaited = false;
            ReadOnWhenPossible();
        }));
    }

    private void ReadOnWhenPossible()
    {
        if (!_isHeldBack || _storeIsAwaited || HeldUntilMs != long.MaxValue || Output.Length >= Options.MaxOutboundBytes || _pendingAcks is { Count: >= MostPendingAcks }) return;
        _isHeldBack = false;
        // Nothing was read meanwhile, so nothing could be heard.
        _lastPacketMs = _transport.NowMs;
        _transport.ResumeReading();
    }
}
