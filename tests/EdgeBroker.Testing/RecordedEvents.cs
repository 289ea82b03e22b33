using System.Text;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Ports;
using EdgeBroker.Protocol;

namespace EdgeBroker.Testing;

/// <summary>Which of <see cref="IBrokerEvents"/>' calls it was.</summary>
public enum BrokerEventKind
{
    Connected,
    Disconnected,
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
    BrokerEventKind Kind, string? ClientId, ReasonCode Reason = default, string Text = "", DropReason Drop = default, int Count = 0);

/// <summary>Notes what the broker says it does, and lets a test wait for it.</summary>
public sealed class RecordedEvents : IBrokerEvents
{
    private readonly Lock _gate = new();
    private readonly List<BrokerEvent> _all = [];
    private readonly List<(Func<BrokerEvent, bool> Wanted, TaskCompletionSource<BrokerEvent> Found)> _waiting = [];

    /// <summary>Called with each event, on the thread it happens on; may throw, as a listener with a bug would.</summary>
    public Action<BrokerEvent>? Listener { get; set; }

    /// <summary>Everything so far, in order.</summary>
    public IReadOnlyList<BrokerEvent> All
    {
        get
        {
            lock (_gate) return [.. _all];
        }
    }

    /// <summary>How many there are of a kind for a client.</summary>
    public int Count(BrokerEventKind kind, string? clientId = null) => All.Count(one => one.Kind == kind && (clientId is null || one.ClientId == clientId));

    /// <summary>Waits for an event, which may have happened already.</summary>
    public Task<BrokerEvent> WaitForAsync(Func<BrokerEvent, bool> wanted, string waitingFor)
    {
        var found = new TaskCompletionSource<BrokerEvent>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_all.FirstOrDefault(wanted) is { } past) return Task.FromResult(past);
            _waiting.Add((wanted, found));
        }

        return Deadline.Within(found.Task, waitingFor);
    }

    public void ClientConnected(in ClientDescription client, bool sessionPresent) => Note(new BrokerEvent(BrokerEventKind.Connected, client.ClientId));

    public void ClientDisconnected(in ClientDescription client, ReasonCode reason, string explanation) =>
        Note(new BrokerEvent(BrokerEventKind.Disconnected, client.ClientId, reason, explanation));

    public void ConnectRefused(string remoteEndPoint, string? clientId, ReasonCode reason, string explanation) =>
        Note(new BrokerEvent(BrokerEventKind.Refused, clientId, reason, explanation));

    public void SessionEnded(string clientId) => Note(new BrokerEvent(BrokerEventKind.SessionEnded, clientId));

    public void Subscribed(string clientId, ReadOnlySpan<byte> filter, ReasonCode outcome) =>
        Note(new BrokerEvent(BrokerEventKind.Subscribed, clientId, outcome, Encoding.UTF8.GetString(filter)));

    public void Unsubscribed(string clientId, ReadOnlySpan<byte> filter) =>
        Note(new BrokerEvent(BrokerEventKind.Unsubscribed, clientId, Text: Encoding.UTF8.GetString(filter)));

    public void PublishRefused(string clientId, ReadOnlySpan<byte> topic, ReasonCode reason) =>
        Note(new BrokerEvent(BrokerEventKind.PublishRefused, clientId, reason, Encoding.UTF8.GetString(topic)));

    public void MessagesDropped(string clientId, DropReason reason, int count) =>
        Note(new BrokerEvent(BrokerEventKind.Dropped, clientId, Drop: reason, Count: count));

    public void LimitReached(LimitKind limit, LimitAction action, string who, BrokerLimits limits) =>
        Note(new BrokerEvent(BrokerEventKind.Limited, who, Text: $"{action} by {limits.Describe(limit)}"));

    public void MemoryStageChanged(MemoryStage stage, long usedBytes, long limitBytes) =>
        Note(new BrokerEvent(BrokerEventKind.MemoryStage, null, Text: stage.ToString()));

    public void Fault(Exception exception, string where) => Note(new BrokerEvent(BrokerEventKind.Fault, null, Text: where));

    private void Note(BrokerEvent happened)
    {
        Listener?.Invoke(happened);
        lock (_gate)
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
