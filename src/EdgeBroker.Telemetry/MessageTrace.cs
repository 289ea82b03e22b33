using System.Diagnostics;
using EdgeBroker.Core.Messages;

namespace EdgeBroker.Telemetry;

/// <summary>The spans of one message: that of its publish, under which those of its deliveries stand.</summary>
/// <param name="publish">The span of the publish.</param>
internal sealed class MessageTrace(Activity publish)
{
    // A message to ten thousand subscribers is told by as many deliveries as anybody reads.
    private const int MostDeliveries = 32;

    private Activity? _publish = publish;
    private int _deliveries;

    /// <summary>What the other spans stand under.</summary>
    public ActivityContext Context { get; } = publish.Context;

    /// <summary>When the message was taken.</summary>
    public DateTime StartedAt { get; } = publish.StartTimeUtc;

    /// <summary>The trace of a message; null: it has none.</summary>
    public static MessageTrace? Of(MessagePassage? passage) => passage?.Trace as MessageTrace;

    /// <summary>The span of the publish, once.</summary>
    public Activity? TakePublish() => Interlocked.Exchange(ref _publish, null);

    /// <summary>Whether one more delivery gets a span.</summary>
    public bool TryAddDelivery() => Volatile.Read(ref _deliveries) < MostDeliveries && Interlocked.Increment(ref _deliveries) <= MostDeliveries;
}
