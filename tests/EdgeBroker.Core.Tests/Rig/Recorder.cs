using EdgeBroker.Core.Events;
using EdgeBroker.Core.Ports;

namespace EdgeBroker.Core.Tests.Rig;

/// <summary>Notes what the broker tells of sessions and drops.</summary>
internal sealed class Recorder : BrokerEventSink
{
    public override EventKinds Wanted => EventKinds.SessionEnded | EventKinds.MessagesDropped | EventKinds.Fault;

    public List<(string ClientId, DropReason Reason, int Count)> Dropped { get; } = [];

    public List<string> Ended { get; } = [];

    public List<(Exception Exception, string Where)> Faults { get; } = [];

    public override void SessionEnded(string clientId)
    {
        lock (Ended) Ended.Add(clientId);
    }

    public override void Fault(in FaultEvent what)
    {
        lock (Faults) Faults.Add((what.Exception, what.Where));
    }

    public override void MessagesDropped(in DroppedEvent what)
    {
        lock (Dropped) Dropped.Add((what.ClientId, what.Reason, what.Count));
    }
}
