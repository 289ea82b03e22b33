using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Limits;

/// <summary>What a client asks for, as far as limits tell it apart.</summary>
public enum Operation : byte
{
    /// <summary>Anything that is neither of the others.</summary>
    Other,

    /// <summary>To publish a message.</summary>
    Publish,

    /// <summary>To subscribe to filters.</summary>
    Subscribe,
}

/// <summary>What the limits say to an operation.</summary>
public enum LimitDecision : byte
{
    /// <summary>It is within all limits.</summary>
    Pass,

    /// <summary>It waits until <see cref="LimitVerdict.WaitUntilMs"/>.</summary>
    Wait,

    /// <summary>It is a publish, and dropped.</summary>
    Drop,

    /// <summary>The connection ends.</summary>
    Disconnect,
}

/// <summary>A decision, the limit it is about, and when to ask again.</summary>
/// <param name="Decision">What becomes of the operation.</param>
/// <param name="Limit">Because of what; of no meaning with <see cref="LimitDecision.Pass"/>.</param>
/// <param name="WaitUntilMs">With <see cref="LimitDecision.Wait"/>: until when, by the connection's clock.</param>
public readonly record struct LimitVerdict(LimitDecision Decision, LimitKind Limit, long WaitUntilMs);

/// <summary>
/// How much of its limits one client has used. Made when there are any. To evaluate an operation takes nothing; it is charged once, when it has been carried
/// out. On the client's own thread.
/// </summary>
public sealed class ClientRateLimits
{
    // Under memory pressure every client gets on by a publish in this time: what stands behind it (acknowledgements, which free memory) must come to be read.
    private const long MemoryPauseMs = 1_000;

    // What a timer of the transport may be late, with an iteration that is long; beyond it lateness is the machine's, and nobody's due.
    private const long MostLatenessMs = 250;

    private LimitOptions? _options;
    private TokenBucket _publishes;
    private TokenBucket _bytes;
    private TokenBucket _subscribes;
    private long _latenessMs;
    private long _pausedUntilMs;

    /// <summary>Evaluates an operation. The same question has the same answer until something is charged or time passes.</summary>
    /// <param name="active">What is in force.</param>
    /// <param name="operation">What the client asks for.</param>
    /// <param name="qos">Of a publish, its QoS.</param>
    /// <param name="refusalIsTold">Whether the client can be told that a publish was dropped.</param>
    /// <param name="nowMs">The connection's clock.</param>
    public LimitVerdict Evaluate(ActiveLimits active, Operation operation, QoS qos, bool refusalIsTold, long nowMs)
    {
        LimitOptions options = active.Options;
        Follow(options);
        bool isPublish = operation == Operation.Publish;
        bool mayDrop = isPublish && (qos == QoS.AtMostOnce || refusalIsTold);
        LimitVerdict verdict = isPublish && active.Memory >= MemoryStage.Pausing ? EvaluateMemory(active.Memory, qos, nowMs) : default;
        if (verdict.Decision == LimitDecision.Pass) verdict = Evaluate(options.BytesPerClient, _bytes, LimitKind.BytesPerClient, mayDrop, nowMs);
        if (verdict.Decision != LimitDecision.Pass) return verdict;
        if (isPublish) return Evaluate(options.PublishesPerClient, _publishes, LimitKind.PublishesPerClient, mayDrop, nowMs);
        return operation == Operation.Subscribe && options.SubscribesPerClient is { OnExceed: ExceedAction.Delay } rate
            ? Evaluate(rate, _subscribes, LimitKind.SubscribesPerClient, mayDrop: false, nowMs)
            : default;
    }

    /// <summary>Takes what an operation needed that has been carried out, or dropped.</summary>
    /// <param name="active">What is in force.</param>
    /// <param name="operation">What the client asked for.</param>
    /// <param name="bytes">Its length.</param>
    /// <param name="verdict">What <see cref="Evaluate(ActiveLimits, Operation, QoS, bool, long)"/> said.</param>
    /// <param name="nowMs">The connection's clock.</param>
    public void Charge(ActiveLimits active, Operation operation, int bytes, in LimitVerdict verdict, long nowMs)
    {
        bool isDropped = verdict.Decision == LimitDecision.Drop;
        bool isByBytes = isDropped && verdict.Limit == LimitKind.BytesPerClient;
        if (active.Options.BytesPerClient is { } byteRate && !isByBytes) _bytes.Take(byteRate, bytes, nowMs, _latenessMs);
        if (operation != Operation.Publish || isDropped) return;
        if (active.Options.PublishesPerClient is { } publishRate) _publishes.Take(publishRate, 1, nowMs, _latenessMs);
        _pausedUntilMs = 0;
    }

    /// <summary>Takes one filter of a subscription.</summary>
    /// <returns>Whether it is within the limit; where excess waits it always is, and those behind it pay.</returns>
    public bool TrySubscribe(ActiveLimits active, long nowMs)
    {
        if (active.Options.SubscribesPerClient is not { } rate) return true;
        Follow(active.Options);
        if (rate.OnExceed != ExceedAction.Delay && !_subscribes.HasRoom(rate, nowMs)) return false;
        _subscribes.Take(rate, 1, nowMs, _latenessMs);
        return true;
    }

    /// <summary>Notes that the client goes on after it had to wait.</summary>
    /// <param name="latenessMs">How much later than it might have.</param>
    public void NoteResumed(long latenessMs) => _latenessMs = Math.Clamp(latenessMs, 0, MostLatenessMs);

    private static LimitVerdict Evaluate(RateLimit? rate, in TokenBucket bucket, LimitKind limit, bool mayDrop, long nowMs)
    {
        if (rate is null || bucket.HasRoom(rate, nowMs)) return default;
        return rate.OnExceed switch
        {
            ExceedAction.Disconnect => new LimitVerdict(LimitDecision.Disconnect, limit, 0),
            ExceedAction.Drop when mayDrop => new LimitVerdict(LimitDecision.Drop, limit, 0),
            _ => new LimitVerdict(LimitDecision.Wait, limit, bucket.RoomAtMs(rate)),
        };
    }

    private LimitVerdict EvaluateMemory(MemoryStage stage, QoS qos, long nowMs)
    {
        if (stage == MemoryStage.Dropping && qos == QoS.AtMostOnce) return new LimitVerdict(LimitDecision.Drop, LimitKind.MaxMemory, 0);
        // The pause begins with the first publish that meets it, and ends with the one that is carried out.
        if (_pausedUntilMs == 0) _pausedUntilMs = nowMs + MemoryPauseMs;
        return nowMs < _pausedUntilMs ? new LimitVerdict(LimitDecision.Wait, LimitKind.MaxMemory, _pausedUntilMs) : default;
    }

    // What was used of other rates says nothing about these.
    private void Follow(LimitOptions options)
    {
        if (ReferenceEquals(options, _options)) return;
        _options = options;
        _publishes = _bytes = _subscribes = default;
    }
}
