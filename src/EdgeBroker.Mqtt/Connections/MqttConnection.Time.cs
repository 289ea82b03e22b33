using EdgeBroker.Core.Limits;
using EdgeBroker.Protocol;

namespace EdgeBroker.Mqtt.Connections;

// Time-outs, and holding back a client that sends but does not read.
public sealed partial class MqttConnection
{
    private ConnectionDeadlines _deadlines = new();
    private HoldReasons _holds;

    /// <inheritdoc/>
    public void OnDeadline()
    {
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
                GoOnAfterWait();
                return;
            case State.Authenticating:
                Refuse(ReasonCode.ServerUnavailable, "who decides about clients did not answer within limits.connect_timeout");
                return;
            case State.AwaitingAuth:
                Broker.Limits.Count(LimitKind.ConnectTimeout, LimitAction.Disconnected);
                Refuse(ReasonCode.UnspecifiedError, "the client did not answer within limits.connect_timeout while it was authenticated");
                return;
            case State.Connected:
                OnDeadlineConnected();
                return;
        }
    }

    private void OnDeadlineConnected()
    {
        long nowMs = _transport.NowMs;
        switch (_deadlines.Due(_holds, nowMs))
        {
            case DeadlineKind.Renewal:
                Broker.Limits.Count(LimitKind.ConnectTimeout, LimitAction.Disconnected);
                Fail(ReasonCode.NotAuthorized, "a re-authentication was begun and not completed within limits.connect_timeout");
                return;
            case DeadlineKind.Identity:
                Fail(ReasonCode.NotAuthorized, "the credentials have expired");
                return;
            case DeadlineKind.Partial:
                Fail(ReasonCode.ProtocolError, "a packet was begun and not completed in time");
                return;
            case DeadlineKind.Hold:
                EndHold(nowMs);
                break;
            case DeadlineKind.KeepAlive:
                Fail(ReasonCode.KeepAliveTimeout, "nothing was heard within one and a half times the keep alive");
                return;
        }

        SetDeadline();
    }

    private void AwaitConnect() =>
        _transport.SetDeadline(_transport.NowMs + (_refusedBy is null ? (long)Options.ConnectTimeout.TotalMilliseconds : CourtesyMs));

    private void BeginKeepAlive(int keepAliveSeconds)
    {
        _deadlines.Begin(keepAliveSeconds, _transport.NowMs);
        // The one for the handshake is done with.
        _transport.SetDeadline(long.MaxValue);
        SetDeadline();
    }

    private int GrantedKeepAliveSeconds(int requestedSeconds)
    {
        int maxSeconds = (int)Math.Min(Options.MaxKeepAlive.TotalSeconds, ushort.MaxValue);
        // 3.1.1 has no way to tell a client of another keep alive, so its own holds.
        if (maxSeconds == 0 || _rules.Version == ProtocolVersion.V311) return requestedSeconds;
        return requestedSeconds == 0 ? maxSeconds : Math.Min(requestedSeconds, maxSeconds);
    }

    /// <summary>Sets the transport's deadline where something is awaited earlier than it.</summary>
    private void SetDeadline()
    {
        if (_deadlines.MustSet(_holds, out long nextMs)) _transport.SetDeadline(nextMs);
    }

    /// <summary>Leaves the client unread, and so its peer held back by flow control, until <see cref="Release"/> has been called for each reason.</summary>
    private void Hold(HoldReasons reason)
    {
        _holds |= reason;
        _transport.PauseReading();
    }

    private void Release(HoldReasons reason)
    {
        if ((_holds & reason) == 0) return;
        _holds &= ~reason;
        if (_holds != HoldReasons.None || _state != State.Connected) return;
        // Nothing was read meanwhile, so nothing could be heard.
        _deadlines.NotePacket(_transport.NowMs);
        SetDeadline();
        _transport.ResumeReading();
    }

    /// <summary>
    /// Whether the client sends and does not take our answers: then it waits until it has taken them, and the broker's memory does not grow with its patience.
    /// A turn is asked for when it has.
    /// </summary>
    private bool IsOutputFull()
    {
        if (Output.Length < Options.MaxOutboundBytes) return false;
        lock (Output.Gate)
        {
            bool isFull = Output.Length >= Options.MaxOutboundBytes;
            if (isFull) _transport.WantsTurnWhenDrained = true;
            return isFull;
        }
    }

    /// <summary>
    /// The publish at hand cannot be acknowledged without the store: it is left unread, and the client with it, until the store has recovered.
    /// </summary>
    private void AwaitStore()
    {
        Hold(HoldReasons.Store);
        Broker.WhenStoreRecovers(Lease.Session.Id, () => _transport.Post(() => Release(HoldReasons.Store)));
    }
}
