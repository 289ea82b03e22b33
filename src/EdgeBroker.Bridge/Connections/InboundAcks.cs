using EdgeBroker.Core.Journaling;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bridge.Connections;

/// <summary>An acknowledgement owed to the other broker.</summary>
/// <param name="Completion">What it waits for; null: nothing.</param>
/// <param name="Type">PUBACK, PUBREC, PUBREL or PUBCOMP.</param>
/// <param name="PacketId">The packet identifier.</param>
/// <param name="Reason">The reason code.</param>
internal readonly record struct InboundAck(Completion? Completion, PacketType Type, ushort PacketId, ReasonCode Reason);

/// <summary>
/// The acknowledgements owed, in the order in which messages came [MQTT-4.6.0-2]: each waits for what came before it. The reading task adds, the pump's task
/// takes.
/// </summary>
/// <param name="limit">As many may be owed.</param>
/// <param name="pump">Wakes who takes.</param>
internal sealed class InboundAcks(int limit, Signal pump)
{
    private readonly Lock _lock = new();
    private readonly Queue<InboundAck> _owed = new();
    private TaskCompletionSource? _room;

    /// <summary>Adds one.</summary>
    public void Add(in InboundAck ack)
    {
        bool isFirst;
        lock (_lock.Alone())
        {
            isFirst = _owed.Count == 0;
            _owed.Enqueue(ack);
        }

        if (isFirst) Await(ack);
    }

    /// <summary>Whether so many are owed that nothing more is read.</summary>
    /// <param name="room">Completed when there is room again; null: there is.</param>
    public bool IsFull(out TaskCompletionSource? room)
    {
        lock (_lock.Alone())
        {
            if (_owed.Count < limit) _room = null;
            else _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            room = _room;
            return room is not null;
        }
    }

    /// <summary>Takes the next that waits for nothing any more.</summary>
    public bool TryTake(out InboundAck ack)
    {
        InboundAck next = default;
        TaskCompletionSource? room = null;
        bool isReady;
        bool mustWait = false;
        lock (_lock.Alone())
        {
            isReady = _owed.TryPeek(out ack) && (ack.Completion is null or { IsDone: true });
            if (isReady)
            {
                _owed.Dequeue();
                mustWait = _owed.TryPeek(out next) && next.Completion is { IsDone: false };
                if (_owed.Count <= limit / 2) (room, _room) = (_room, null);
            }
        }

        room?.TrySetResult();
        if (mustWait) Await(next);
        return isReady;
    }

    private void Await(in InboundAck first)
    {
        if (first.Completion is { } completion) completion.WhenDone(pump.Set);
        else pump.Set();
    }
}
