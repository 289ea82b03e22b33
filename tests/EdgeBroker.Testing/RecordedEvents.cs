using System.Text;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Ports;
using EdgeBroker.Protocol;

namespace EdgeBroker.Testing;

/// <summary>Which of <see cref="BrokerEventSink"/>'s methods it was.</summary>
public enum BrokerEventKind
{
    Connected,
    Disconnected,
    TakenOver,
    Authenticated,
    NotAuthenticated,
    Refused,
    SessionEnded,
    Subscribed,
    Unsubscribed,
    PublishRefused,
    Dropped,
    Limited,
    MemoryStage,
    Fault,
}

/// <summary>One call.</summary>
/// <param name="Kind">Which.</param>
/// <param name="ClientId">The client; null where a refused one had no id.</param>
/// <param name="Reason">The reason code, where the call has one.</param>
/// <param name="Text">Explanation, filter or topic.</param>
/// <param name="Drop">Why messages were dropped.</param>
/// <param name="Count">How many.</param>
public sealed record BrokerEvent(
    BrokerEventKind Kind, string? ClientId, ReasonCode Reason = default, string Text = "", DropReason Drop = default, int Count = 0)
{
    /// <summary>Who ended a connection.</summary>
    public DisconnectedBy By { get; init; }
}

/// <summary>Notes what the broker says it does, and lets a test wait for it.</summary>
public sealed class RecordedEvents : BrokerEventSink
{
    private readonly Lock _lock = new();
    private readonly List<BrokerEvent> _all = [];
    private readonly List<(Func<BrokerEvent, bool> Wanted, TaskCompletionSource<BrokerEvent> Found)> _waiting = [];

    /// <summary>Everything so far, in order.</summary>
    public IReadOnlyList<BrokerEvent> All
    {
        get
        {
            lock (_lock) return [.. _all];
        }
    }

    /// <summary>How many there are of a kind for a client.</summary>
    public int Count(BrokerEventKind kind, string? clientId = null) => All.Count(one => one.Kind == kind && (clientId is null || one.ClientId == clientId));

    /// <summary>Waits for an event, which may have happened already.</summary>
    public Task<BrokerEvent> WaitForAsync(Func<BrokerEvent, bool> wanted, string waitingFor)
    {
        var found = new TaskCompletionSource<BrokerEvent>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_all.FirstOrDefault(wanted) is { } past) return Task.FromResult(past);
            _waiting.Add((wanted, found));
        }

        return Deadline.Within(found.Task, waitingFor);
    }

    /// <inheritdoc/>
    public override EventKinds Wanted => ~(EventKinds.MessagePublished | EventKinds.MessageDelivered | EventKinds.MessageRetained | EventKinds.MessageFollowed);

    public override void ClientConnected(in ConnectedEvent what) => Note(new BrokerEvent(BrokerEventKind.Connected, what.Client.ClientId));

    public override void ClientDisconnected(in DisconnectedEvent what) =>
        Note(new BrokerEvent(BrokerEventKind.Disconnected, what.Client.ClientId, what.Reason, what.Explanation) { By = what.By });

    public override void SessionTakenOver(in TakenOverEvent what) =>
        Note(new BrokerEvent(BrokerEventKind.TakenOver, what.Client.ClientId, Text: what.PreviousEndPoint));

    public override void ConnectRefused(in ConnectRefusedEvent what) =>
        Note(new BrokerEvent(BrokerEventKind.Refused, what.ClientId, what.Reason, what.Explanation));

    public override void AuthenticationSucceeded(in AuthenticationSucceededEvent what) =>
        Note(new BrokerEvent(BrokerEventKind.Authenticated, what.Client.ClientId, Text: $"{what.Client.UserName} by {what.Method}"));

    public override void AuthenticationFailed(in AuthenticationFailedEvent what) =>
        Note(new BrokerEvent(BrokerEventKind.NotAuthenticated, what.Client.ClientId, what.Reason, $"{what.Client.UserName} by {what.Method}: {what.Cause}"));

    public override void SessionEnded(string clientId) => Note(new BrokerEvent(BrokerEventKind.SessionEnded, clientId));

    public override void SubscriptionCreated(in SubscriptionCreatedEvent what) =>
        Note(new BrokerEvent(BrokerEventKind.Subscribed, what.ClientId, (ReasonCode)what.Granted, Encoding.UTF8.GetString(what.Filter)));

    public override void SubscribeRefused(in RefusedEvent what) =>
        Note(new BrokerEvent(BrokerEventKind.Subscribed, what.ClientId, what.Reason, Encoding.UTF8.GetString(what.Topic)));

    public override void SubscriptionRemoved(in SubscriptionRemovedEvent what) =>
        Note(new BrokerEvent(BrokerEventKind.Unsubscribed, what.ClientId, Text: Encoding.UTF8.GetString(what.Filter)));

    public override void PublishRefused(in RefusedEvent what) =>
        Note(new BrokerEvent(BrokerEventKind.PublishRefused, what.ClientId, what.Reason, Encoding.UTF8.GetString(what.Topic)));

    public override void MessagesDropped(in DroppedEvent what) =>
        Note(new BrokerEvent(BrokerEventKind.Dropped, what.ClientId, Drop: what.Reason, Count: what.Count));

    public override void LimitReached(in LimitReachedEvent what) =>
        Note(new BrokerEvent(BrokerEventKind.Limited, what.Who, Text: $"{what.Action} by {what.Describe()}"));

    public override void MemoryStageChanged(in MemoryStageEvent what) => Note(new BrokerEvent(BrokerEventKind.MemoryStage, null, Text: what.Stage.ToString()));

    public override void Fault(in FaultEvent what) => Note(new BrokerEvent(BrokerEventKind.Fault, null, Text: what.Where));

    private void Note(BrokerEvent happened)
    {
        lock (_lock)
        {
            _all.Add(happened);
            for (int i = _waiting.Count - 1; i >= 0; i--)
            {
                if (!_waiting[i].Wanted(happened)) continue;
                _waiting[i].Found.SetResult(happened);
                _waiting.RemoveAt(i);
            }
        }
    }
}
