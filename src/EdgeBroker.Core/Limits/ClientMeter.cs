using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Limits;

/// <summary>What becomes of a packet.</summary>
public enum MeterVerdict : byte
{
    /// <summary>It is within all limits.</summary>
    Pass,

    /// <summary>It waits until <see cref="MeterReading.DueMs"/>.</summary>
    Hold,

    /// <summary>It is a publish, and dropped.</summary>
    Drop,

    /// <summary>The connection ends.</summary>
    Disconnect,
}

/// <summary>A verdict, the limit it is about, and when to ask again.</summary>
/// <param name="Verdict">What becomes of the packet.</param>
/// <param name="Limit">Because of what; of no meaning with <see cref="MeterVerdict.Pass"/>.</param>
/// <param name="DueMs">With <see cref="MeterVerdict.Hold"/>: when, by the connection's clock.</param>
public readonly record struct MeterReading(MeterVerdict Verdict, LimitKind Limit, long DueMs);

/// <summary>How much of its limits one connection has used. Made when there are any. On the connection's own thread.</summary>
public sealed class ClientMeter
{
    // Under memory pressure every connection gets on by a publish in this time: what stands behind it (acknowledgements, which free memory) must come to be
    // read.
    private const long MemoryPauseMs = 1_000;

    // What a timer of the transport may be late, with a turn that is long; beyond it lateness is the machine's, and nobody's due.
    private const long MostLatenessMs = 250;

    private LimitOptions? _options;
    private TokenBucket _publishes;
    private TokenBucket _bytes;
    private TokenBucket _subscribes;
    private long _latenessMs;
    private long _pausedUntilMs;

    /// <summary>Until when the connection is not read, by its clock; <see cref="long.MaxValue"/> while it is.</summary>
    public long HeldUntilMs { get; set; } = long.MaxValue;

    /// <summary>Judges a packet, and takes what it needs if it passes or is dropped.</summary>
    /// <param name="restraint">What is in force.</param>
    /// <param name="type">Its type.</param>
    /// <param name="qos">Of a publish, its QoS.</param>
    /// <param name="bytes">Its length.</param>
    /// <param name="refusalIsTold">Whether the client can be told that a publish was dropped.</param>
    /// <param name="nowMs">The connection's clock.</param>
    public MeterReading Judge(ClientRestraint restraint, PacketType type, QoS qos, int bytes, bool refusalIsTold, long nowMs)
    {
        LimitOptions options = restraint.Options;
        Follow(options);
        bool isPublish = type == PacketType.Publish;
        MeterReading reading = isPublish && restraint.Memory >= MemoryStage.Pausing ? JudgeMemory(restraint.Memory, qos, nowMs) : default;
        if (reading.Verdict == MeterVerdict.Hold) return reading;
        bool mayDrop = isPublish && (qos == QoS.AtMostOnce || refusalIsTold);
        // Goodbye is heard at once.
        if (reading.Verdict == MeterVerdict.Pass && type != PacketType.Disconnect) reading = Judge(options.BytesPerClient, _bytes, LimitKind.BytesPerClient, mayDrop, nowMs);
        if (reading.Verdict == MeterVerdict.Pass && isPublish) reading = Judge(options.PublishesPerClient, _publishes, LimitKind.PublishesPerClient, mayDrop, nowMs);
        if (reading.Verdict == MeterVerdict.Pass && type == PacketType.Subscribe && options.SubscribesPerClient is { OnExceed: ExceedAction.Delay } rate)
        {
            reading = Judge(rate, _subscribes, LimitKind.SubscribesPerClient, mayDrop: false, nowMs);
        }

        if (reading.Verdict is MeterVerdict.Hold or MeterVerdict.Disconnect) return reading;
        if (options.BytesPerClient is { } byteRate && reading.Limit != LimitKind.BytesPerClient) _bytes.Take(byteRate, bytes, nowMs, _latenessMs);
        if (isPublish && reading.Verdict == MeterVerdict.Pass && options.PublishesPerClient is { } publishRate) _publishes.Take(publishRate, 1, nowMs, _latenessMs);
        return reading;
    }

    /// <summary>Takes one filter of a SUBSCRIBE.</summary>
    /// <returns>Whether it is within the limit; where excess waits it always is, and those behind it pay.</returns>
    public bool TrySubscribe(ClientRestraint restraint, long nowMs)
    {
        if (restraint.Options.SubscribesPerClient is not { } rate) return true;
        Follow(restraint.Options);
        if (rate.OnExceed != ExceedAction.Delay && !_subscribes.HasRoom(rate, nowMs)) return false;
        _subscribes.Take(rate, 1, nowMs, _latenessMs);
        return true;
    }

    /// <summary>Notes that the connection is read again after it was held.</summary>
    /// <param name="nowMs">The connection's clock.</param>
    public void NoteResumed(long nowMs)
    {
        _latenessMs = Math.Clamp(nowMs - HeldUntilMs, 0, MostLatenessMs);
        HeldUntilMs = long.MaxValue;
    }

    private static MeterReading Judge(RateLimit? rate, in TokenBucket bucket, LimitKind limit, bool mayDrop, long nowMs)
    {
        if (rate is null || bucket.HasRoom(rate, nowMs)) return default;
        return rate.OnExceed switch
        {
            ExceedAction.Disconnect => new MeterReading(MeterVerdict.Disconnect, limit, 0),
            ExceedAction.Drop when mayDrop => new MeterReading(MeterVerdict.Drop, limit, 0),
            _ => new MeterReading(MeterVerdict.Hold, limit, bucket.RoomAtMs(rate)),
        };
    }

    private MeterReading JudgeMemory(MemoryStage stage, QoS qos, long nowMs)
    {
        if (stage == MemoryStage.Dropping && qos == QoS.AtMostOnce) return new MeterReading(MeterVerdict.Drop, LimitKind.MaxMemory, 0);
        if (_pausedUntilMs == 0) _pausedUntilMs = nowMs + MemoryPauseMs;
        if (nowMs < _pausedUntilMs) return new MeterReading(MeterVerdict.Hold, LimitKind.MaxMemory, _pausedUntilMs);
        _pausedUntilMs = 0;
        return default;
    }

    // What was used of other rates says nothing about these.
    private void Follow(LimitOptions options)
    {
        if (ReferenceEquals(options, _options)) return;
        _options = options;
        _publishes = _bytes = _subscribes = default;
    }
}
