using System.Diagnostics;
using System.Text;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Messages;
using EdgeBroker.Protocol;

namespace EdgeBroker.Telemetry;

/// <summary>
/// Makes spans of messages: <c>publish</c> until it is acknowledged, below it <c>journal</c> while that waits, and a <c>deliver</c> for each receiver. A
/// message whose <c>traceparent</c> says that it is recorded is traced, of those that have none a part.
/// </summary>
internal sealed class MessageTracing : BrokerEventSink, IDisposable
{
    /// <summary>The name under which the spans are offered.</summary>
    public const string SourceName = "EdgeBroker";

    // Clients say which of their messages are traced, so there is a bound: with the spans of some deliveries this many fit the exporter's queue of 2,048, which
    // it empties every five seconds at the latest.
    private const int MostPerSecond = 100;

    private const int LongestText = 1_024;

    private readonly ActivitySource _source = new(SourceName);

    // Begins anew every second: a look at the clock with each message would cost a part of it.
    private readonly ITimer _seconds;
    private readonly double _sampleRate;
    private int _begun;

    /// <param name="sampleRate">Which part, 0 to 1.</param>
    /// <param name="time">The clock of the bound.</param>
    public MessageTracing(double sampleRate, TimeProvider time)
    {
        _sampleRate = sampleRate;
        var second = TimeSpan.FromSeconds(1);
        _seconds = time.CreateTimer(static tracing => Volatile.Write(ref ((MessageTracing)tracing!)._begun, 0), this, second, second);
    }

    /// <inheritdoc/>
    public override EventKinds Wanted => EventKinds.MessageFollowed;

    /// <inheritdoc/>
    public override MessagePassage? Follow(in Publication message, MessagePassage? passage)
    {
        // First, so that whoever publishes beyond the bound pays for nothing else.
        if (!HasBudget()) return passage;
        ActivityContext parent = TraceParent.Find(message.Properties);
        bool isSampled = parent == default ? Random.Shared.NextDouble() < _sampleRate : (parent.TraceFlags & ActivityTraceFlags.Recorded) != 0;
        if (!isSampled || !TakeBudget()) return passage;
        if (Start("publish", ActivityKind.Consumer, parent, default) is not { } span) return passage;
        span.SetTag("messaging.operation.name", "publish");
        span.SetTag("messaging.operation.type", "receive");
        span.SetTag("messaging.destination.name", TextOf(message.Topic));
        if (message.Publisher?.Id is { } client) span.SetTag("messaging.client.id", Cut(client));
        span.SetTag("messaging.message.body.size", message.Payload.Length);
        passage ??= MessagePassage.Of(message);
        passage.Trace = new MessageTrace(span);
        return passage;
    }

    /// <inheritdoc/>
    public override void MessageAcknowledged(in AcknowledgedEvent what)
    {
        if (MessageTrace.Of(what.Passage) is not { } trace || trace.TakePublish() is not { } publish) return;
        if (what.HasWaited && Start("journal", ActivityKind.Internal, trace.Context, trace.StartedAt.AddMilliseconds(what.RoutedMs)) is { } journal)
        {
            End(journal, trace.StartedAt.AddMilliseconds(what.DoneMs));
        }

        if (what.Reason.IsError())
        {
            publish.SetTag("error.type", what.Reason.ToString());
            publish.SetStatus(ActivityStatusCode.Error);
        }

        End(publish, trace.StartedAt.AddMilliseconds(what.DoneMs));
    }

    /// <inheritdoc/>
    public override void MessageDelivered(in DeliveredEvent what)
    {
        if (MessageTrace.Of(what.Message.Passage) is not { } trace || !trace.TryAddDelivery()) return;
        if (Start("deliver", ActivityKind.Producer, trace.Context, trace.StartedAt) is not { } span) return;
        span.SetTag("messaging.operation.name", "deliver");
        span.SetTag("messaging.operation.type", "send");
        span.SetTag("messaging.destination.name", TextOf(what.Message.Topic));
        span.SetTag("messaging.client.id", Cut(what.To.Id));
        span.SetTag("messaging.message.body.size", what.Message.Payload.Length);
        End(span, trace.StartedAt.AddMilliseconds(what.DelayMs ?? 0));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _seconds.Dispose();
        _source.Dispose();
    }

    private Activity? Start(string name, ActivityKind kind, ActivityContext parent, DateTimeOffset startedAt)
    {
        // A thread serves many clients: what is current on it must neither become a parent nor be left behind.
        Activity? current = Activity.Current;
        Activity.Current = null;
        Activity? span = _source.StartActivity(name, kind, parent, [new("messaging.system", "mqtt")], links: null, startedAt);
        Activity.Current = current;
        return span;
    }

    private static void End(Activity span, DateTime at)
    {
        Activity? current = Activity.Current;
        span.SetEndTime(at);
        span.Stop();
        Activity.Current = current;
    }

    private bool HasBudget() => Volatile.Read(ref _begun) < MostPerSecond;

    private bool TakeBudget() => Interlocked.Increment(ref _begun) <= MostPerSecond;

    private static string TextOf(ReadOnlySpan<byte> text) => Encoding.UTF8.GetString(text[..Math.Min(text.Length, LongestText)]);

    private static string Cut(string text) => text.Length <= LongestText ? text : text[..LongestText];
}
