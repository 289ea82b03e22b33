using EdgeBroker.Core.Events;

namespace EdgeBroker.Http.Api;

/// <summary>Something that happened to a client.</summary>
/// <param name="Id">Its place among all events since the start.</param>
/// <param name="At">When.</param>
/// <param name="Kind">What: <c>connected</c>, <c>disconnected</c>, <c>refused</c>, <c>takeover</c> or <c>dropped</c>.</param>
/// <param name="ClientId">The client; null: it had no id yet.</param>
public sealed record HistoryEvent(long Id, DateTimeOffset At, string Kind, string? ClientId)
{
    /// <summary>Its user.</summary>
    public string? User { get; init; }

    /// <summary>Where it came from.</summary>
    public string? Address { get; init; }

    /// <summary>The listener it came by.</summary>
    public string? Listener { get; init; }

    /// <summary>Who ended a connection: <c>client</c>, <c>broker</c> or <c>network</c>.</summary>
    public string? By { get; init; }

    /// <summary>MQTT's reason code.</summary>
    public int? ReasonCode { get; init; }

    /// <summary>Why, in one phrase.</summary>
    public string? Explanation { get; init; }

    /// <summary>How long the connection lasted.</summary>
    public double? ConnectedSeconds { get; init; }

    /// <summary>Whether the session was there already.</summary>
    public bool? SessionPresent { get; init; }

    /// <summary>How many messages, of those dropped.</summary>
    public long? Count { get; init; }
}

/// <summary>
/// The last comings and goings of all clients. One client holds at most 20 of them, so that a storm of one does not push out the others.
/// </summary>
/// <param name="time">The wall clock.</param>
public sealed class HistoryRing(TimeProvider time) : BrokerEventSink
{
    private const int Most = 4_000;
    private const int MostOfOne = 20;
    private const int MostCharacters = 200;

    private readonly Lock _lock = new();
    private readonly LinkedList<HistoryEvent> _events = new();
    private readonly Dictionary<string, Queue<LinkedListNode<HistoryEvent>>> _byClient = new(StringComparer.Ordinal);
    private long _last;

    /// <inheritdoc/>
    public override EventKinds Wanted =>
        EventKinds.ClientConnected | EventKinds.ClientDisconnected | EventKinds.SessionTakenOver | EventKinds.ConnectRefused;

    /// <summary>Events, the newest first.</summary>
    public IReadOnlyList<HistoryEvent> ToList()
    {
        lock (_lock)
        {
            var all = new List<HistoryEvent>(_events.Count);
            for (LinkedListNode<HistoryEvent>? node = _events.Last; node is not null; node = node.Previous) all.Add(node.Value);
            return all;
        }
    }

    /// <summary>The id of the newest event; 0: there is none yet.</summary>
    public long LastId
    {
        get
        {
            lock (_lock) return _last;
        }
    }

    /// <summary>Events behind one, the oldest first.</summary>
    /// <param name="id">The id of the one before.</param>
    /// <param name="limit">Most of them; the newest are taken.</param>
    public IReadOnlyList<HistoryEvent> After(long id, int limit)
    {
        lock (_lock)
        {
            var some = new List<HistoryEvent>();
            for (LinkedListNode<HistoryEvent>? node = _events.Last; node is not null && node.Value.Id > id && some.Count < limit; node = node.Previous)
            {
                some.Add(node.Value);
            }

            some.Reverse();
            return some;
        }
    }

    /// <summary>Events of one client, the newest first.</summary>
    public IReadOnlyList<HistoryEvent> Of(string clientId)
    {
        string key = Short(clientId);
        lock (_lock) return _byClient.TryGetValue(key, out Queue<LinkedListNode<HistoryEvent>>? own) ? [.. own.Select(node => node.Value).Reverse()] : [];
    }

    /// <inheritdoc/>
    public override void ClientConnected(in ConnectedEvent what) => Add(Of("connected", what.Client) with { SessionPresent = what.SessionPresent });

    /// <inheritdoc/>
    public override void ClientDisconnected(in DisconnectedEvent what) => Add(Of("disconnected", what.Client) with
    {
        By = what.By switch { DisconnectedBy.Client => "client", DisconnectedBy.Broker => "broker", _ => "network" },
        ReasonCode = (int)what.Reason,
        Explanation = what.Explanation,
        ConnectedSeconds = what.ConnectedMs / 1000.0,
    });

    /// <inheritdoc/>
    public override void SessionTakenOver(in TakenOverEvent what) => Add(Of("takeover", what.Client) with
    {
        Explanation = "another connection had this client id, from " + what.PreviousEndPoint,
        ReasonCode = (int)Protocol.ReasonCode.SessionTakenOver,
    });

    /// <inheritdoc/>
    public override void ConnectRefused(in ConnectRefusedEvent what) => Add(new HistoryEvent(0, default, "refused", Short(what.ClientId))
    {
        User = Short(what.UserName),
        Address = what.RemoteEndPoint,
        Listener = what.Listener,
        ReasonCode = (int)what.Reason,
        Explanation = what.Explanation,
    });

    private static HistoryEvent Of(string kind, in ClientDescription client) => new(0, default, kind, Short(client.ClientId))
    {
        User = Short(client.UserName),
        Address = client.RemoteEndPoint,
        Listener = client.Listener,
    };

    [return: System.Diagnostics.CodeAnalysis.NotNullIfNotNull(nameof(text))]
    private static string? Short(string? text) => text is null || text.Length <= MostCharacters ? text : text[..MostCharacters] + "...";

    private void Add(HistoryEvent what)
    {
        DateTimeOffset now = time.GetUtcNow();
        lock (_lock)
        {
            // Those without an id share one place.
            string key = what.ClientId ?? "";
            if (!_byClient.TryGetValue(key, out Queue<LinkedListNode<HistoryEvent>>? own)) _byClient.Add(key, own = new Queue<LinkedListNode<HistoryEvent>>(1));
            own.Enqueue(_events.AddLast(what with { Id = ++_last, At = now }));
            if (own.Count > MostOfOne) _events.Remove(own.Dequeue());
            if (_events.Count > Most) Forget(_events.First!);
        }
    }

    private void Forget(LinkedListNode<HistoryEvent> oldest)
    {
        string key = oldest.Value.ClientId ?? "";
        Queue<LinkedListNode<HistoryEvent>> own = _byClient[key];
        // The oldest of all is the oldest of its client.
        own.Dequeue();
        if (own.Count == 0) _byClient.Remove(key);
        _events.Remove(oldest);
    }
}
