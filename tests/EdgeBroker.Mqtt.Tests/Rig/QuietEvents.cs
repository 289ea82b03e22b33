using EdgeBroker.Core.Events;
using EdgeBroker.Core.Ports;

namespace EdgeBroker.Mqtt.Tests.Rig;

/// <summary>Counts, and keeps nothing.</summary>
internal sealed class QuietEvents : BrokerEventSink
{
    private long _slowDrops;
    private int _refused;

    public override EventKinds Wanted => EventKinds.ConnectRefused | EventKinds.MessagesDropped;

    public long SlowDrops => Interlocked.Read(ref _slowDrops);

    public int Refused => Volatile.Read(ref _refused);

    public override void ConnectRefused(in ConnectRefusedEvent what) => Interlocked.Increment(ref _refused);

    public override void MessagesDropped(in DroppedEvent what)
    {
        if (what.Reason == DropReason.SlowClient) Interlocked.Add(ref _slowDrops, what.Count);
    }
}
