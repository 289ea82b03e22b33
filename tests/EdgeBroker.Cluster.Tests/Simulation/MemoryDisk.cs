using EdgeBroker.Core;
using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Cluster.Tests.Simulation;

/// <summary>What is on a node's disk: it outlives the process.</summary>
internal sealed class MemoryDisk
{
    private long _lastMessageId;

    public Guid StoreId { get; } = Guid.NewGuid();

    public List<Row> Rows { get; } = [];

    public SortedDictionary<long, RetainedRow> Retained { get; } = [];

    public Dictionary<(long Life, byte Lane), MessageOrigin> Taken { get; } = [];

    public Stamp Bound { get; set; }

    public Dictionary<string, Stamp> Tombstones { get; } = [];

    /// <summary>What a start finds of the cluster.</summary>
    public RestoredMesh Mesh => new(
        StoreId, Bound, [.. Taken.Values], [.. Rows.Where(row => row.Owned is not null).Select(row => (row.ClientId, row.Owned!.Epoch.Stamp))],
        [.. Tombstones.Select(one => new SessionTombstone(one.Key, one.Value))]);

    public long NextMessageId() => ++_lastMessageId;

    /// <summary>Puts into a new broker what is here.</summary>
    public void RestoreInto(Broker broker, Mutation mutation)
    {
        foreach (Row row in Rows)
        {
            if ((mutation & Mutation.OutboxNotKept) != 0 && row.ClientId.StartsWith("$node/", StringComparison.Ordinal)
                && !row.ClientId.EndsWith("/interest", StringComparison.Ordinal))
            {
                continue;
            }

            broker.Restore(row.Restore());
        }

        foreach ((long ordinal, RetainedRow row) in Retained) broker.Retained.Restore(row.Topic, row.Message, ordinal);
    }

    /// <summary>The last change of a topic counts.</summary>
    public void Save(RetainedChanged change)
    {
        byte[] topic = change.Topic.ToArray();
        foreach (long older in Retained.Where(one => one.Value.Topic.AsSpan().SequenceEqual(topic)).Select(one => one.Key).ToList()) Retained.Remove(older);
        Message? message = change.HasValue ? new Message
        {
            Topic = topic,
            Payload = change.Payload.ToArray(),
            Properties = change.Properties.ToArray(),
            QoS = change.QoS,
            Retain = change.Retain,
            ExpiresAtMs = change.ExpiresAtMs,
            Ordinal = change.Ordinal,
            Stamp = change.Stamp,
        } : null;
        Retained.Add(change.Ordinal, new RetainedRow(topic, message));
    }

    public sealed record RetainedRow(byte[] Topic, Message? Message);

    /// <summary>A delivery that waits.</summary>
    public sealed record Waiting(long MessageId, Message Message, QoS QoS, bool Retain, uint[]? Identifiers, byte[]? SharedFilter);

    /// <summary>A session.</summary>
    public sealed class Row(string clientId)
    {
        public string ClientId => clientId;

        public SessionSaved? Saved { get; set; }

        public SessionSaved? Owned { get; set; }

        public Dictionary<byte[], Subscription> Subscriptions { get; } = new(TopicComparer.Instance);

        public SortedDictionary<long, Waiting> Deliveries { get; } = [];

        public HashSet<long> Released { get; } = [];

        public HashSet<ushort> ReceivedIds { get; } = [];

        public long Highest { get; set; }

        public RestoredSession Restore()
        {
            long sent = Saved!.SentPosition;
            var stored = new MemorySession(clientId, this);
            var restored = new RestoredSession(stored)
            {
                ExpirySeconds = Saved.ExpirySeconds,
                EndsAtMs = uint.MaxValue * 1000L,
                WillAtMs = long.MaxValue,
                SentPosition = sent,
                Will = null,
                UserName = Saved.UserName,
                QueuePolicy = Saved.QueuePolicy,
                LostConnection = Saved.IsConnected,
                LastPosition = sent == SessionSaved.Never ? Highest : Math.Max(Highest, sent),
            };
            foreach (Subscription one in Subscriptions.Values) restored.Subscriptions.Add(new RestoredSubscription(one.Filter, one.Options, 0));
            restored.ReceivedIds.AddRange(ReceivedIds);
            foreach ((long position, Waiting waiting) in Deliveries)
            {
                if (Released.Contains(position))
                {
                    restored.Released.Add(new StoredDelivery(stored, position, waiting.MessageId));
                    continue;
                }

                DeliveryOptions options = waiting.QoS.ToOptions() | (waiting.Retain ? DeliveryOptions.Retain : 0)
                    | (position <= sent ? DeliveryOptions.MayBeSent : 0);
                restored.Add(new SpilledDelivery(waiting.MessageId, position, waiting.Message.SizeBytes, waiting.Message.ExpiresAtMs, options));
            }

            return restored;
        }
    }
}

/// <summary>A session's identity on a disk; its row is there from its first fact that is committed on.</summary>
internal sealed class MemorySession(string clientId, MemoryDisk.Row? row) : StoredSession(clientId)
{
    public MemoryDisk.Row? Row { get; set; } = row;
}
