namespace EdgeBroker.Bench;

/// <summary>What a run found out.</summary>
internal sealed record BenchResult
{
    // A thread never shows quite as busy as it is: the kernel's ticks are coarse, and an iteration begins with a wait.
    private const double Saturated = 0.9;

    public required BenchOptions Options { get; init; }

    /// <summary>How long was measured.</summary>
    public required double Seconds { get; init; }

    /// <summary>Deliveries (or connections) within that time.</summary>
    public required long Done { get; init; }

    /// <summary>What the generator's thread used within that time.</summary>
    public required ProcessUsage Generator { get; init; }

    /// <summary>What the broker used within that time; null when its process is not known.</summary>
    public ProcessUsage? Broker { get; init; }

    /// <summary>Messages published in the whole run.</summary>
    public long Sent { get; init; }

    /// <summary>Every delivery of the whole run; null in a scenario without any.</summary>
    public DeliveryTally? Tally { get; init; }

    /// <summary>Connections that ended unasked.</summary>
    public int Broken { get; init; }

    /// <summary>Why the first of them did.</summary>
    public string? FirstBreak { get; init; }

    /// <summary>From due to read, at a fixed rate; empty otherwise.</summary>
    public LatencyHistogram Latency { get; init; } = new();

    /// <summary>How late the generator itself was at worst, at a fixed rate.</summary>
    public long WorstLagNs { get; init; }

    /// <summary>From the first system call of a connection to its CONNACK; empty in other scenarios.</summary>
    public LatencyHistogram ConnectTime { get; init; } = new();

    /// <summary>Round trips of the clients beside the load that began within that time; empty without any.</summary>
    public LatencyHistogram BesideTimes { get; init; } = new();

    /// <summary>Messages of those clients that did not come back.</summary>
    public int BesideMissing { get; init; }

    /// <summary>The broker's memory before any client came.</summary>
    public long ResidentBytesBefore { get; init; }

    /// <summary>The broker's memory for each connection or retained message; null when it is not known or another scenario.</summary>
    public double? BytesEach { get; init; }

    public double DonePerSecond => Done / Seconds;

    /// <summary>Round trips of the clients beside the load.</summary>
    public double BesidePerSecond => BesideTimes.Count / Seconds;

    /// <summary>Null when the process is not known or has not used a tick.</summary>
    public double? DonePerBrokerCpuSecond => Broker is { CpuSeconds: > 0 } broker ? Done / broker.CpuSeconds : null;

    /// <summary>Bytes the broker had the kernel write to disks for each; null when its process is not known, or nothing was done.</summary>
    public double? WrittenBytesEach => Broker is { } broker && Done > 0 ? broker.WrittenBytes / (double)Done : null;

    /// <summary>The part of the time in which the generator's thread ran or wanted to.</summary>
    public double GeneratorBusy => (Generator.CpuSeconds + Generator.WaitSeconds) / Seconds;

    /// <summary>The same of the broker, all threads together: above 1 when several ran.</summary>
    public double? BrokerBusy => Broker is { } broker ? (broker.CpuSeconds + broker.WaitSeconds) / Seconds : null;

    /// <summary>Whether something happened that may not: a forbidden delivery, a lost connection, or a client beside the load that waits for ever.</summary>
    public bool IsFailure => Broken > 0 || BesideMissing > 0 || Tally?.IsFailure(Options.QoS) == true;

    /// <summary>
    /// Who set the pace: <c>broker</c>, <c>generator</c>, <c>both</c>, <c>rate</c>, or <c>neither</c>; <c>unknown</c> when nobody can tell. A broker that is
    /// faster than the generator gets little at a time, and so can be busy without being the limit.
    /// </summary>
    public string Limit
    {
        get
        {
            if (!Options.IsClosedLoop) return "rate";
            bool generator = GeneratorBusy >= Saturated;
            if (BrokerBusy >= Saturated) return generator ? "both" : "broker";
            if (generator) return "generator";
            return Broker is null ? "unknown" : "neither";
        }
    }
}
