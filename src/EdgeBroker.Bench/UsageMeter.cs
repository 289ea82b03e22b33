namespace EdgeBroker.Bench;

/// <summary>Reads what generator and broker have used between two points in time, and has the round trips beside the load count only there.</summary>
internal sealed class UsageMeter(LoadLoop loop, int? brokerPid, RoundTrips? beside)
{
    private ProcessUsage _generator;
    private ProcessUsage? _broker;
    private long _startNs;

    /// <summary>Begins anew.</summary>
    public void Start()
    {
        _generator = ProcessUsage.OfThisThread();
        _broker = ReadBroker();
        _startNs = loop.NowNs;
        if (beside is not null) beside.IsMeasuring = true;
    }

    /// <summary>What has been used since the start, and how many seconds that was.</summary>
    public (double Seconds, ProcessUsage Generator, ProcessUsage? Broker) Read()
    {
        if (beside is not null) beside.IsMeasuring = false;
        double seconds = Math.Max(1e-9, (loop.NowNs - _startNs) / 1e9);
        return (seconds, ProcessUsage.OfThisThread().Since(_generator), _broker is { } before ? ReadBroker()!.Value.Since(before) : null);
    }

    /// <summary>The broker's process as it is now; null when it is not known.</summary>
    public ProcessUsage? ReadBroker() => brokerPid is { } pid ? ProcessUsage.OfProcess(pid) : null;
}
