using EdgeBroker.Core.Journaling;
using EdgeBroker.Protocol;

namespace EdgeBroker.Mqtt.Connections;

/// <summary>An acknowledgement that waits for what it promises to be true, or behind one that does.</summary>
/// <param name="Completion">What it waits for.</param>
/// <param name="Type">PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK or UNSUBACK.</param>
/// <param name="PacketId">The packet identifier.</param>
/// <param name="Reason">The reason code.</param>
/// <param name="FilterReasons">Of SUBACK and UNSUBACK: one for each filter.</param>
internal readonly record struct PendingAck(Completion? Completion, PacketType Type, ushort PacketId, ReasonCode Reason, ReasonCode[]? FilterReasons = null)
{
    /// <summary>Why, in words for the client; null: as the reason code says.</summary>
    public string? Explanation { get; init; }
}

/// <summary>The acknowledgements a connection owes its client, in packet order, and how many publishes the client may have open (4.9).</summary>
internal struct AcknowledgementQueue
{
    /// <summary>3.1.1 sets no limit to what a client sends unacknowledged: beyond this it is not read until those have caught up that it waits for.</summary>
    public const int MaxPending = 4096;

    private Queue<PendingAck>? _pending;
    private int _openAtLeastOnce;
    private ushort _receiveMaximum;
    private ushort _inheritedReceives;

    /// <summary>Acknowledgements that wait.</summary>
    public readonly int Count => _pending?.Count ?? 0;

    /// <summary>Whether the client is not to be read until some of them are sent.</summary>
    public readonly bool IsFull => Count >= MaxPending;

    /// <summary>The client is connected.</summary>
    /// <param name="receiveMaximum">Publishes it may have open; 3.1.1 knows no limit but the identifiers.</param>
    /// <param name="inheritedReceives">
    /// Open QoS 2 publishes that an earlier connection of the session began. The client counts anew on each (4.9), so they are not on its account.
    /// </param>
    public void Begin(int receiveMaximum, int inheritedReceives)
    {
        _receiveMaximum = (ushort)receiveMaximum;
        _inheritedReceives = (ushort)inheritedReceives;
    }

    /// <summary>How many QoS 2 publishes of the client may be open beside its QoS 1 publishes.</summary>
    public readonly int ExactlyOnceLimit => _receiveMaximum + _inheritedReceives - _openAtLeastOnce;

    /// <summary>Whether the client may publish with QoS 1.</summary>
    /// <param name="openExactlyOnce">Its open QoS 2 publishes.</param>
    public readonly bool MayReceive(int openExactlyOnce) => openExactlyOnce < ExactlyOnceLimit;

    /// <summary>A QoS 2 publish was released: of the inherited ones no more than that are left.</summary>
    /// <param name="openExactlyOnce">The client's open QoS 2 publishes.</param>
    public void NoteReleased(int openExactlyOnce) => _inheritedReceives = (ushort)Math.Min(_inheritedReceives, openExactlyOnce);

    /// <summary>Whether an acknowledgement has to wait: for its completion, or behind one that does.</summary>
    public readonly bool MustWait(Completion? completion) => Count > 0 || completion is { IsDone: false };

    /// <summary>Has one wait that must. Whoever calls then sees to being told when the first one may go.</summary>
    /// <returns>Whether it is the first.</returns>
    public bool Add(in PendingAck ack)
    {
        if (ack.Type == PacketType.Puback) _openAtLeastOnce++;
        _pending ??= new Queue<PendingAck>();
        _pending.Enqueue(ack);
        return _pending.Count == 1;
    }

    /// <summary>Takes the first one if it need not wait any longer.</summary>
    public bool TryTake(out PendingAck ack)
    {
        if (!TryPeek(out ack) || ack.Completion is { IsDone: false }) return false;
        _pending!.Dequeue();
        if (ack.Type == PacketType.Puback) _openAtLeastOnce--;
        return true;
    }

    /// <summary>The first one, which the others wait behind.</summary>
    public readonly bool TryPeek(out PendingAck first)
    {
        first = default;
        return _pending is not null && _pending.TryPeek(out first);
    }
}
