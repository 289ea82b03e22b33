using EdgeBroker.Core;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Core.Limits;

namespace EdgeBroker.Memory;

/// <summary>Watches over the process's memory, and gives back what a storm has left.</summary>
/// <param name="broker">The broker, whose limits are told.</param>
/// <param name="addPeriodic">Has something run again and again, once the listeners start.</param>
/// <param name="time">The clock.</param>
internal sealed class MemoryPart(Broker broker, Action<TimeSpan, Action> addPeriodic, TimeProvider time) : IBrokerPart
{
    private readonly MemoryGauge _gauge = new("/");

    /// <inheritdoc/>
    public string Name => "memory";

    /// <inheritdoc/>
    public ValueTask StartAsync(CancellationToken cancel)
    {
        addPeriodic(HeapTrim.Interval, new HeapTrim(broker.Limits.Ledger, () => GC.GetTotalMemory(false), CollectAll, StartupPages.Release).Run);
        var watch = new MemoryWatch(broker.Limits, _gauge, CollectAll, time);
        // Before the first connection: until the limit has been read nothing that clients take counts against it.
        watch.Run();
        addPeriodic(MemoryWatch.Interval, watch.Run);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public IEnumerable<HealthFinding> Findings() => [broker.Limits.Memory.Stage switch
    {
        MemoryStage.Normal => new HealthFinding(Name, HealthState.Good, "there is enough"),
        MemoryStage.Refusing => new HealthFinding(Name, HealthState.Failing, "it is short: new connections are refused"),
        MemoryStage.Pausing => new HealthFinding(Name, HealthState.Failing, "it is short: new connections are refused, and clients that publish are held back"),
        _ => new HealthFinding(Name, HealthState.Failing, "it is short: new connections are refused, clients that publish are held back, QoS 0 is dropped"),
    }];

    // It stops every thread, whichever asks for it.
    private static void CollectAll() => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _gauge.Dispose();
        return ValueTask.CompletedTask;
    }
}
