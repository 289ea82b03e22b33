using System.Text;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Testing;

/// <summary>A store that keeps nothing but a list of the facts it was told, and whose "disk" writes when the test says so.</summary>
public sealed class TestJournal : ISessionStore, IRetainedStore
{
    private readonly Lock _gate = new();
    private readonly List<string> _facts = [];
    private readonly List<(CommitToken Token, Action Committed)> _waiting = [];
    private long _committed;

    /// <summary>Everything appended, in order: <c>"Enqueue client topic"</c> and so on.</summary>
    public IReadOnlyList<string> Facts
    {
        get
        {
            lock (_gate) return [.. _facts];
        }
    }

    /// <summary>The token of the fact appended last.</summary>
    public CommitToken Last
    {
        get
        {
            lock (_gate) return new CommitToken(_facts.Count);
        }
    }

    /// <summary>Everything appended so far is on disk.</summary>
    public void Commit() => Commit(Last);

    /// <summary>Everything up to <paramref name="token"/> is on disk; calls back who waits for it.</summary>
    public void Commit(CommitToken token)
    {
        List<Action> due = [];
        lock (_gate)
        {
            _committed = Math.Max(_committed, token.Sequence);
            for (int i = 0; i < _waiting.Count;)
            {
                if (_waiting[i].Token.Sequence > _committed)
                {
                    i++;
                    continue;
                }

                due.Add(_waiting[i].Committed);
                _waiting.RemoveAt(i);
            }
        }

        foreach (Action committed in due) committed();
    }

    public bool IsCommitted(CommitToken token)
    {
        lock (_gate) return token.Sequence <= _committed;
    }

    public void WhenCommitted(CommitToken token, Action committed)
    {
        lock (_gate)
        {
            if (token.Sequence > _committed)
            {
                _waiting.Add((token, committed));
                return;
            }
        }

        committed();
    }

    public CommitToken SaveSession(string clientId, uint expirySeconds) => Append($"SaveSession {clientId} {expirySeconds}");

    public CommitToken DeleteSession(string clientId) => Append($"DeleteSession {clientId}");

    public CommitToken SaveSubscription(string clientId, Subscription subscription) => Append($"SaveSubscription {clientId} {Text(subscription.Filter)}");

    public CommitToken DeleteSubscription(string clientId, byte[] filter) => Append($"DeleteSubscription {clientId} {Text(filter)}");

    public CommitToken Enqueue(string clientId, long position, Message message, QoS qos, bool retain, uint[]? subscriptionIdentifiers, byte[]? sharedFilter) =>
        Append($"Enqueue {clientId} {Text(message.Topic)}");

    public CommitToken MarkReleased(string clientId, long position, ushort packetId) => Append($"MarkReleased {clientId} {packetId}");

    public CommitToken Dequeue(string clientId, long position) => Append($"Dequeue {clientId}");

    public CommitToken AddReceivedId(string clientId, ushort packetId) => Append($"AddReceivedId {clientId} {packetId}");

    public CommitToken RemoveReceivedId(string clientId, ushort packetId) => Append($"RemoveReceivedId {clientId} {packetId}");

    public CommitToken SaveWill(string clientId, Will? will) => Append($"SaveWill {clientId} {(will is null ? "none" : Text(will.Message.Topic))}");

    public CommitToken Save(Message message) => Append($"Save {Text(message.Topic)}");

    public CommitToken Delete(byte[] topic) => Append($"Delete {Text(topic)}");

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);

    private CommitToken Append(string fact)
    {
        lock (_gate)
        {
            _facts.Add(fact);
            return new CommitToken(_facts.Count);
        }
    }
}
