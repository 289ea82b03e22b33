using System.Text;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Sessions;

namespace EdgeBroker.Testing;

/// <summary>
/// A journal that remembers what it was told, and whose "disk" writes when the test says so. It coalesces only what was done with before it was appended.
/// </summary>
public sealed class TestJournal : IJournal
{
    private readonly Lock _lock = new();
    private readonly List<string> _facts = [];
    private readonly List<JournalFact> _waiting = [];
    private readonly Dictionary<(string ClientId, long MessageId, long Position), StoredDelivery> _messages = [];
    private readonly Dictionary<string, Will?> _wills = [];
    private JournalFact? _last;
    private long _lastMessageId;

    /// <summary>Whether everything is on disk at once, without <see cref="Commit()"/>.</summary>
    public bool CommitsAtOnce { get; init; }

    /// <summary>Whether the next fact meets a bug.</summary>
    public bool FailsNext { get; set; }

    /// <inheritdoc/>
    public bool IsDurable => true;

    /// <inheritdoc/>
    public JournalCondition Condition { get; set; }

    /// <inheritdoc/>
    public bool IsFullOfValues { get; set; }

    /// <summary>What is called when it can take again what it could not.</summary>
    public Action CaughtUp { get; private set; } = static () => { };

    /// <inheritdoc/>
    public long MaxBytes { get; init; } = long.MaxValue;

    /// <inheritdoc/>
    public JournalStatistics Statistics => default;

    /// <summary>Everything appended, in order: <c>"Enqueue client topic"</c> and so on.</summary>
    public IReadOnlyList<string> Facts
    {
        get
        {
            lock (_lock) return [.. _facts];
        }
    }

    /// <summary>Messages on disk that a session waits for: client id and position.</summary>
    public IReadOnlyCollection<(string ClientId, long Position)> Messages
    {
        get
        {
            lock (_lock) return [.. _messages.Values.Select(one => (one.Session.ClientId, one.Position))];
        }
    }

    /// <summary>The fact appended last.</summary>
    public JournalFact? Last
    {
        get
        {
            lock (_lock) return _last;
        }
    }

    /// <summary>Everything appended so far is on disk.</summary>
    public void Commit() => Commit(Last);

    /// <summary>Everything up to <paramref name="last"/> is on disk; calls back who waits for it.</summary>
    public void Commit(JournalFact? last)
    {
        List<JournalFact> due;
        lock (_lock)
        {
            int count = _waiting.IndexOf(last!) + 1;
            due = _waiting.GetRange(0, count);
            _waiting.RemoveRange(0, count);
        }

        foreach (JournalFact fact in due)
        {
            for (StoredDelivery? one = (fact as PublishRecord)?.Deliveries; one is not null; one = one.Next) one.RecordDurable();
            fact.Complete();
        }

        foreach (StoredSession session in due.SelectMany(SessionsOf).Distinct()) session.Owner?.OnCommitted();
    }

    /// <inheritdoc/>
    public void WhenCaughtUp(Action action) => CaughtUp = action;

    /// <inheritdoc/>
    public StoredSession Open(string clientId) => new Known(clientId);

    /// <inheritdoc/>
    public void Append(JournalFact fact)
    {
        if (FailsNext)
        {
            FailsNext = false;
            throw new InvalidTimeZoneException("a bug");
        }

        lock (_lock)
        {
            Note(fact);
            _waiting.Add(fact);
            _last = fact;
        }

        // As a journal does: on a thread of its own, not under the caller's lock.
        if (CommitsAtOnce) _ = Task.Run(() => Commit(fact));
    }

    /// <inheritdoc/>
    public void Load(StoredSession session, IReadOnlyList<SpilledDelivery> deliveries)
    {
        List<LoadedDelivery> loaded = [];
        lock (_lock)
        {
            foreach (SpilledDelivery one in deliveries)
            {
                StoredDelivery? stored = _messages.GetValueOrDefault((session.ClientId, one.MessageId, one.Position));
                loaded.Add(new LoadedDelivery(one.Position, stored?.Record!.Message, stored?.SubscriptionIdentifiers, stored?.SharedFilter));
            }
        }

        _ = Task.Run(() => session.Owner?.OnLoaded(loaded));
    }

    private static IEnumerable<StoredSession> SessionsOf(JournalFact fact)
    {
        switch (fact)
        {
            case PublishRecord record:
                for (StoredDelivery? one = record.Deliveries; one is not null; one = one.Next) yield return one.Session;
                break;
            case DeliveryReleased released:
                yield return released.Delivery.Session;
                break;
        }
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);

    private void Note(JournalFact fact)
    {
        switch (fact)
        {
            case PublishRecord record:
                NoteRecord(record);
                break;
            case StoredDelivery done:
                if (!_messages.Remove((done.Session.ClientId, done.MessageId, done.Position)))
                {
                    throw new InvalidOperationException("done with a message the journal does not hold");
                }

                _facts.Add($"Dequeue {done.Session.ClientId}");
                break;
            case DeliveryReleased released:
                _facts.Add($"MarkReleased {released.Delivery.Session.ClientId} {released.Delivery.Position}");
                break;
            case SessionSaved saved:
                _facts.Add($"SaveSession {saved.Session.ClientId} {saved.ExpirySeconds}");
                if (!ReferenceEquals(_wills.GetValueOrDefault(saved.Session.ClientId), saved.Will))
                {
                    _facts.Add($"SaveWill {saved.Session.ClientId} {(saved.Will is null ? "none" : Text(saved.Will.Message.Topic))}");
                }

                _wills[saved.Session.ClientId] = saved.Will;
                break;
            case SessionEnded ended:
                _facts.Add($"EndSession {ended.Session.ClientId}");
                break;
            case SessionDeleted deleted:
                foreach (SpilledDelivery one in deleted.Spilled) _messages.Remove((deleted.Session.ClientId, one.MessageId, one.Position));
                _facts.Add($"DeleteSession {deleted.Session.ClientId}");
                break;
            case SubscriptionChanged changed:
                _facts.Add($"{(changed.Subscription is null ? "Delete" : "Save")}Subscription {changed.Session.ClientId} {Text(changed.Filter)}");
                break;
            case ReceivedIdRemoved removed:
                _facts.Add($"RemoveReceivedId {removed.Session.ClientId} {removed.PacketId}");
                break;
            case RetainedChanged retained:
                _facts.Add($"{(retained.HasValue ? "Save" : "Delete")} {Text(retained.Topic)}");
                break;
            default:
                throw new InvalidOperationException($"a fact the journal does not know: {fact.GetType()}");
        }
    }

    private void NoteRecord(PublishRecord record)
    {
        long messageId = ++_lastMessageId;
        var pending = new Stack<StoredDelivery>();
        for (StoredDelivery? one = record.Deliveries; one is not null; one = one.Next)
        {
            if (one.TryWrite()) pending.Push(one);
        }

        foreach (StoredDelivery one in pending)
        {
            one.MessageId = messageId;
            _messages.Add((one.Session.ClientId, messageId, one.Position), one);
            _facts.Add($"Enqueue {one.Session.ClientId} {Text(record.Message!.Topic)}");
        }

        if (record.Publisher is not null) _facts.Add($"AddReceivedId {record.Publisher.ClientId} {record.ReceivedId}");
    }

    private sealed class Known(string clientId) : StoredSession(clientId);
}
