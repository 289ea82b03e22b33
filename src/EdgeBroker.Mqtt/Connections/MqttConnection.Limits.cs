using EdgeBroker.Core.Limits;
using EdgeBroker.Protocol;

namespace EdgeBroker.Mqtt.Connections;

// What [limits] says about a connection: whether it may come in, log in, and how much it may send.
public sealed partial class MqttConnection
{
    // Time a connection that is not wanted has for its CONNECT, so that it can be told why.
    private const long CourtesyMs = 2_000;

    // The least that mqtt.max_outbound_bytes can be set to: below it nothing has to be looked up.
    private const int SurelyRoomBytes = 4 * 1024;

    private readonly LimitKind? _refusedBy;
    /// <summary>Whether a packet may be handled now. If not it stays unread, and the client with it, or the connection has been ended.</summary>
    private bool IsAdmitted(ActiveLimits active, in Frame frame, out LimitVerdict verdict)
    {
        verdict = default;
        // DISCONNECT is heard at once.
        if (_state != State.Connected || frame.Type == PacketType.Disconnect) return true;
        verdict = Broker.Ingress.Admit(active, OperationOf(frame), (QoS)((frame.Header >> 1) & 3), _principal, _transport.NowMs);
        switch (verdict.Decision)
        {
            case LimitDecision.Wait:
                Hold(HoldReasons.Rate);
                _deadlines.HeldUntilMs = verdict.WaitUntilMs;
                SetDeadline();
                return false;
            case LimitDecision.Disconnect:
                FailByLimit(verdict.Limit);
                return false;
            default:
                return true;
        }
    }

    private static Operation OperationOf(in Frame frame) => frame.Type switch
    {
        PacketType.Publish => Operation.Publish,
        PacketType.Subscribe => Operation.Subscribe,
        _ => Operation.Other,
    };

    /// <summary>A limit has held the client long enough.</summary>
    private void EndHold(long nowMs)
    {
        _principal.Rates!.NoteResumed(nowMs - _deadlines.HeldUntilMs);
        _deadlines.HeldUntilMs = long.MaxValue;
        Release(HoldReasons.Rate);
    }

    private void FailByLimit(LimitKind limit) => Fail(BrokerLimits.ReasonOf(limit), "more than " + Broker.Limits.Describe(limit));

    /// <summary>Whether QoS 0 may be added to what waits for the client.</summary>
    private bool HasRoomForQoS0(int bytes)
    {
        // One message more than the bound may be there, so that any can be sent.
        int most = bytes == 0 ? Output.Length + 1 : Output.Length + bytes;
        if (most > Options.MaxOutboundBytes) return false;
        if (most <= Broker.Limits.MostQoS0OutputBytes) return true;
        // What does not fit as a whole is tried one by one, and counted then.
        if (bytes == 0) Broker.Limits.Count(LimitKind.MaxMemory, LimitAction.Dropped);
        return false;
    }

    /// <summary>Closes a connection that is one too many, in a flood of such, without a word.</summary>
    private void TurnAway(LimitKind limit)
    {
        _state = State.Ended;
        Broker.Events.ConnectRefused(_transport.RemoteEndPoint, null, BrokerLimits.ReasonOf(limit), Broker.Limits.Describe(limit) + " is reached");
        _transport.ClosesAtOnce = true;
        CloseTransport();
    }

    private void RefuseByLimit(LimitKind limit, string? clientId) => Refuse(
        BrokerLimits.ReasonOf(limit),
        "busy: a limit of the broker is reached; try again later",
        clientId,
        answer: clientId is not null,
        logged: Broker.Limits.Describe(limit) + " is reached");

    /// <summary>Gives the place among the broker's connections back.</summary>
    private void LeaveGate()
    {
        if (_leavesGate) Broker.Limits.Connections.Leave(_transport.RemoteAddress);
        _connect?.WaitingLogin?.Abandon();
    }
}
