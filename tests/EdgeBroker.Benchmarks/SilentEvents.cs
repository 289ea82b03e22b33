using EdgeBroker.Core.Events;

namespace EdgeBroker.Benchmarks;

/// <summary>Nobody listens to what happens in the broker; but a dropped message would make a benchmark measure something else.</summary>
internal sealed class SilentEvents : BrokerEventSink
{
    public override EventKinds Wanted => EventKinds.MessagesDropped;

    public override void MessagesDropped(in DroppedEvent what) => Environment.FailFast($"{what.Count} message(s) for {what.ClientId} dropped: {what.Reason}");
}
