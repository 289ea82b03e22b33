using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Retained;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Journaling;

/// <summary>
/// A topic has a new last value, or none any more, of which a tombstone may be left. The highest ordinal of a topic counts. All its bytes are in one array:
/// while values are set faster than the disk takes them there are many, and the collector goes through every object.
/// </summary>
public sealed class RetainedChanged : JournalFact
{
    private readonly byte[] _bytes;
    private readonly int _topicLength;
    private readonly int _propertiesLength;
    private readonly bool _isAwaited;

    /// <summary>There is a value, or its tombstone.</summary>
    internal RetainedChanged(
        ReadOnlySpan<byte> topic, ReadOnlySpan<byte> properties, ReadOnlySpan<byte> payload, in RetainedHead head, long superseded, bool isAwaited,
        Holder? holder)
    {
        _bytes = [.. topic, .. properties, .. payload];
        _topicLength = topic.Length;
        _propertiesLength = properties.Length;
        _isAwaited = isAwaited;
        HasValue = true;
        Ordinal = head.Ordinal;
        Superseded = superseded;
        ExpiresAtMs = head.ExpiresAtMs;
        Stamp = head.Stamp;
        QoS = head.QoS;
        Retain = head.Retain;
        Holder = holder;
    }

    /// <summary>There is nothing any more.</summary>
    internal RetainedChanged(ReadOnlySpan<byte> topic, long ordinal, long superseded, bool isAwaited)
    {
        _bytes = topic.ToArray();
        _topicLength = topic.Length;
        _isAwaited = isAwaited;
        Ordinal = ordinal;
        Superseded = superseded;
        ExpiresAtMs = Message.Never;
    }

    /// <summary>Whether there is a value, or its tombstone.</summary>
    public bool HasValue { get; }

    /// <summary>Whether it stands for a value that is no more, and says with its stamp which values are older.</summary>
    public bool IsTombstone => HasValue && Payload.IsEmpty && !Stamp.IsNone;

    /// <summary>The topic.</summary>
    public ReadOnlySpan<byte> Topic => _bytes.AsSpan(0, _topicLength);

    /// <summary>Encoded 5.0 properties that are forwarded unchanged.</summary>
    public ReadOnlySpan<byte> Properties => _bytes.AsSpan(_topicLength, _propertiesLength);

    /// <summary>The application message.</summary>
    public ReadOnlySpan<byte> Payload => _bytes.AsSpan(_topicLength + _propertiesLength);

    /// <summary>Bytes of the value, topic included; 0: there is none.</summary>
    public int SizeBytes => HasValue ? _bytes.Length : 0;

    /// <summary>The QoS it was published with.</summary>
    public QoS QoS { get; }

    /// <summary>RETAIN as published.</summary>
    public bool Retain { get; }

    /// <summary>On whose account it is; null: nobody's.</summary>
    public Holder? Holder { get; }

    /// <summary>When it expires, in the broker clock's milliseconds, or <see cref="Message.Never"/>.</summary>
    public long ExpiresAtMs { get; }

    /// <summary>When it was published, for the nodes of a cluster to compare; none outside of one.</summary>
    public Stamp Stamp { get; }

    /// <summary>Its position in the order of all changes of retained messages; never used twice, not in a later life of the process either.</summary>
    public long Ordinal { get; }

    /// <summary>The ordinal of the value or tombstone it replaces; 0: none.</summary>
    public long Superseded { get; }

    /// <inheritdoc/>
    public override FactUrgency Urgency => _isAwaited ? FactUrgency.Awaited : FactUrgency.None;
}
