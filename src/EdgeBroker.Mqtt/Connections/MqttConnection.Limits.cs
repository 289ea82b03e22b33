using EdgeBroker.Core.Limits;
using EdgeBroker.Protocol;

namespace EdgeBroker.Mqtt.Connections;

// What [limits] says about a connection: how much it may send.
public sealed partial class MqttConnection
{
    // A client that reads takes so much at once, and with it why it is disconnected.
    private const int ReadBytes = 64 * 1024;

    // While memory is short no more is taken of a packet of which so much is kept, until it has been looked at who is to go.
    private const int LongPacketBytes = 64 * 1024;
    private const int MemoryHoldMs = 250;

    /// <summary>Whether a packet may be handled now. If not it stays unread, and the client with it, or the connection has been ended.</summary>
    private bool IsAdmitted(ActiveLimits active, in Frame frame, out LimitVerdict verdict)
    {
        verdict = default;
        // DISCONNECT is heard at once.
        if (frame.Type == PacketType.Disconnect) return true;
        verdict = Broker.Ingress.Admit(active, OperationOf(frame), (QoS)((frame.Header >> 1) & 3), _principal, Transport.NowMs);
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
        if ((_holds & HoldReasons.Rate) != 0) _principal.Rates!.NoteResumed(nowMs - _deadlines.HeldUntilMs);
        _deadlines.HeldUntilMs = long.MaxValue;
        Release(HoldReasons.Rate | HoldReasons.Memory);
    }

    /// <summary>Part of a packet is kept. A link fills tens of megabytes with such parts before somebody looks at who holds most.</summary>
    private void HoldLongPacket(int keptBytes)
    {
        if (keptBytes < LongPacketBytes || Broker.Limits.Memory.Stage < MemoryStage.Pausing) return;
        Hold(HoldReasons.Memory);
        _deadlines.HeldUntilMs = Transport.NowMs + MemoryHoldMs;
        SetDeadline();
    }

    private void FailByLimit(LimitKind limit) => Fail(BrokerLimits.ReasonOf(limit), "more than " + Broker.Limits.Describe(limit));

    private void FailForMemory()
    {
        Broker.Limits.Report(LimitKind.MaxMemory, LimitAction.Disconnected, Lease.Session.Id);
        Fail(ReasonCode.QuotaExceeded, "memory is short (limits.max_memory)");
    }

    /// <summary>Memory is short, and this connection holds much of it. What waits for a client that does not read is let go.</summary>
    internal void GiveUpMemory()
    {
        if (!IsConnected) return;
        bool isRead = Output.Length < ReadBytes;
        Fail(ReasonCode.QuotaExceeded, "memory is short, and the client holds much of it (limits.max_memory)");
        if (!isRead) Transport.Abort();
    }
}
