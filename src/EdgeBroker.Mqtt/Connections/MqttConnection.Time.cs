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
        if (_hasEnded) return;
        long nowMs = Transport.NowMs;
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

    /// <inheritdoc/>
    public void NoteArrival()
    {
        _deadlines.NoteArrival(Transport.NowMs);
        if (IsConnected) HoldLongPacket(Transport.KeptBytes);
    }

    private void BeginKeepAlive(int keepAliveSeconds)
    {
        _deadlines.Begin(keepAliveSeconds, Transport.NowMs);
        // In place of the one for the handshake, which is done with.
        Transport.SetDeadline(_deadlines.Next(_holds));
    }

    /// <summary>Sets the transport's deadline where something is awaited earlier than it.</summary>
    private void SetDeadline()
    {
        long nextMs = _deadlines.Next(_holds);
        if (nextMs < Transport.DeadlineMs) Transport.SetDeadline(nextMs);
    }

    /// <summary>Leaves the client unread, and so its peer held back by flow control, until <see cref="Release"/> has been called for each reason.</summary>
    private void Hold(HoldReasons reason)
    {
        _holds |= reason;
        Transport.PauseReading();
    }

    private void Release(HoldReasons reason)
    {
        if ((_holds & reason) == 0) return;
        _holds &= ~reason;
        if (_holds != HoldReasons.None || !IsConnected) return;
        // Nothing was read meanwhile, so nothing could be heard.
        _deadlines.NotePacket(Transport.NowMs);
        SetDeadline();
        Transport.ResumeReading();
    }

    /// <summary>
    /// Whether the client sends and does not take our answers: then it waits until it has taken them, and the broker's memory does not grow with its patience.
    /// A callback is asked for when it has.
    /// </summary>
    private bool IsOutputFull()
    {
        int mostBytes = Math.Min(Options.MaxOutboundBytes, Broker.Limits.MostOutputBytes);
        if (Output.Length < mostBytes) return false;
        lock (Output.SyncRoot.Alone())
        {
            bool isFull = Output.Length >= mostBytes;
            if (isFull) Transport.WantsCallbackWhenDrained = true;
            return isFull;
        }
    }

    /// <summary>
    /// The publish at hand cannot be acknowledged without the store: it is left unread, and the client with it, until the store has recovered.
    /// </summary>
    private void AwaitStore()
    {
        Hold(HoldReasons.Store);
        Broker.WhenStoreRecovers(Lease.Session.Id, () => Transport.Post(() => Release(HoldReasons.Store)));
    }
}
