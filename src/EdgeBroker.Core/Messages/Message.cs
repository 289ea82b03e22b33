using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Limits;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Messages;

/// <summary>
/// One application message that outlives the call it came in: retained, queued or in flight. What it says is immutable, and shared by all who keep it.
/// </summary>
public sealed class Message
{
    /// <summary>The value of <see cref="ExpiresAtMs"/> for a message that does not expire.</summary>
    public const long Never = long.MaxValue;

    // The object, and the heads of its three arrays.
    private const int OverheadBytes = 160;

    private int _holders;
    private MemoryKind _kind;

    /// <summary>The topic name, UTF-8.</summary>
    public required byte[] Topic { get; init; }

    /// <summary>The application message.</summary>
    public required byte[] Payload { get; init; }

    /// <summary>Encoded 5.0 properties that are forwarded unchanged.</summary>
    public byte[] Properties { get; init; } = [];

    /// <summary>The QoS it was published with.</summary>
    public QoS QoS { get; init; }

    /// <summary>RETAIN as published.</summary>
    public bool Retain { get; init; }

    /// <summary>When it expires, in the broker clock's milliseconds, or <see cref="Never"/>.</summary>
    public long ExpiresAtMs { get; init; } = Never;

    /// <summary>Its place in the order of all retained messages of this run; 0 when it never was one.</summary>
    public long Ordinal { get; init; }

    /// <summary>When it was published, for the nodes of a cluster to compare; none outside of one.</summary>
    public Stamp Stamp { get; init; }

    /// <summary>What is noted of its way; null: nobody follows it.</summary>
    public MessagePassage? Passage { get; init; }

    /// <summary>Whether it stands for a retained message that is no more: it has no payload, and says with its stamp which values are older.</summary>
    public bool IsTombstone => Payload.Length == 0 && !Stamp.IsNone;

    /// <summary>What it counts in a queue's byte limit.</summary>
    public int SizeBytes => Topic.Length + Payload.Length + Properties.Length;

    private int MemoryBytes => SizeBytes + OverheadBytes + (Passage?.SizeBytes ?? 0);

    /// <summary>Whether it is of no more use.</summary>
    public bool IsExpired(long nowMs) => nowMs >= ExpiresAtMs;

    /// <summary>The expiry to forward: what was received less the time waited, rounded up [MQTT-3.3.2-6]; null when there is none.</summary>
    public uint? RemainingExpirySeconds(long nowMs) =>
        ExpiresAtMs == Never ? null : (uint)Math.Clamp((ExpiresAtMs - nowMs + 999) / 1000, 0, uint.MaxValue);

    /// <summary>Somebody keeps it from here on. However many do, its memory is accounted once: as what the first of them keeps it for.</summary>
    internal void Hold(MemoryLedger ledger, MemoryKind kind)
    {
        if (Interlocked.Increment(ref _holders) > 1) return;
        _kind = kind;
        ledger.Account(kind, MemoryBytes);
    }

    /// <summary>One who kept it does so no longer.</summary>
    internal void Release(MemoryLedger ledger)
    {
        if (Interlocked.Decrement(ref _holders) == 0) ledger.Release(_kind, MemoryBytes);
    }
}
