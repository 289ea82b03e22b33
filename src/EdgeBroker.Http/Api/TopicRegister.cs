using System.Diagnostics.CodeAnalysis;
using System.Text;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;

namespace EdgeBroker.Http.Api;

/// <summary>What came in one topic, while somebody looked.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Published">Messages.</param>
/// <param name="Bytes">Bytes of their payloads.</param>
/// <param name="PerSecond">Messages a second lately; null: not known yet.</param>
/// <param name="LastAt">When the last came.</param>
/// <param name="LastQoS">Its QoS.</param>
/// <param name="LastPublisher">Who published it; null: nobody says.</param>
internal sealed record TopicFigures(
    string Topic, long Published, long Bytes, double? PerSecond, DateTimeOffset LastAt, int LastQoS, string? LastPublisher);

/// <summary>
/// Counts what is published by topic, while somebody looks at topics and a minute longer: 5,000 of them, the latest. Else it is told of nothing, and a publish
/// costs nothing more.
/// </summary>
internal sealed class TopicRegister : BrokerEventSink
{
    private const int Shards = 16;
    private const int MostInShard = 320;
    private const int LongestTopicBytes = 1_024;

    // An entry, its place in the table, and the array of its topic.
    private const int EntryBytes = 160;

    private static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(5);

    private readonly BrokerEvents _events;
    private readonly MemoryLedger _ledger;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly Shard[] _shards = [.. Enumerable.Range(0, Shards).Select(_ => new Shard())];
    private IDisposable? _registration;
    private ITimer? _end;
    private long _evicted;

    /// <param name="events">Tells of messages.</param>
    /// <param name="ledger">Where its memory is accounted.</param>
    /// <param name="time">The clock.</param>
    public TopicRegister(BrokerEvents events, MemoryLedger ledger, TimeProvider time)
    {
        _events = events;
        _ledger = ledger;
        _time = time;
    }

    /// <inheritdoc/>
    public override EventKinds Wanted => EventKinds.MessagePublished;

    /// <summary>Since when it counts; null: it does not.</summary>
    public DateTimeOffset? Since { get; private set; }

    /// <summary>Topics that made room for others since it began.</summary>
    public long Evicted => Volatile.Read(ref _evicted);

    /// <summary>Somebody looks: it counts from here on, for a while.</summary>
    public void Look()
    {
        lock (_lock)
        {
            Since ??= _time.GetUtcNow();
            _registration ??= _events.Add(this);
            if (_end is null) _end = _time.CreateTimer(static register => ((TopicRegister)register!).End(), this, IdleTimeout, Timeout.InfiniteTimeSpan);
            else _end.Change(IdleTimeout, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>What is known of all topics.</summary>
    public List<TopicFigures> ToList()
    {
        var all = new List<TopicFigures>();
        foreach (Shard shard in _shards)
        {
            lock (shard.Lock)
            {
                foreach ((byte[] topic, Entry entry) in shard.Entries) all.Add(Show(topic, entry));
            }
        }

        return all;
    }

    /// <summary>What is known of one topic; null: nothing.</summary>
    public TopicFigures? Find(string topic)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(topic);
        Shard shard = ShardOf(bytes);
        lock (shard.Lock) return shard.Entries.TryGetValue(bytes, out Entry? entry) ? Show(bytes, entry) : null;
    }

    /// <inheritdoc/>
    public override void MessagePublished(in Publication message)
    {
        if (message.Topic.Length > LongestTopicBytes) return;
        long now = _time.GetTimestamp();
        Shard shard = ShardOf(message.Topic);
        lock (shard.Lock)
        {
            if (!shard.ByTopic.TryGetValue(message.Topic, out Entry? entry))
            {
                if (shard.Entries.Count >= MostInShard) Evict(shard);
                byte[] topic = message.Topic.ToArray();
                entry = new Entry { BaseAt = now };
                shard.Entries.Add(topic, entry);
                _ledger.Account(MemoryKind.LocalQueues, EntryBytes + topic.Length);
            }

            entry.Published++;
            entry.Bytes += message.Payload.Length;
            entry.LastAt = now;
            entry.LastQoS = (int)message.QoS;
            entry.LastPublisher = message.Publisher?.Id;
        }
    }

    private void Evict(Shard shard)
    {
        byte[]? oldest = null;
        long at = long.MaxValue;
        foreach ((byte[] topic, Entry entry) in shard.Entries)
        {
            if (entry.LastAt >= at) continue;
            (oldest, at) = (topic, entry.LastAt);
        }

        if (oldest is null) return;
        shard.Entries.Remove(oldest);
        _ledger.Release(MemoryKind.LocalQueues, EntryBytes + oldest.Length);
        Interlocked.Increment(ref _evicted);
    }

    /// <summary>Nobody has looked for a while.</summary>
    private void End()
    {
        lock (_lock)
        {
            _registration?.Dispose();
            _registration = null;
            _end?.Dispose();
            _end = null;
            Since = null;
        }

        foreach (Shard shard in _shards)
        {
            lock (shard.Lock)
            {
                foreach (byte[] topic in shard.Entries.Keys) _ledger.Release(MemoryKind.LocalQueues, EntryBytes + topic.Length);
                shard.Clear();
            }
        }

        Volatile.Write(ref _evicted, 0);
    }

    private TopicFigures Show(byte[] topic, Entry entry)
    {
        long now = _time.GetTimestamp();
        TimeSpan elapsed = _time.GetElapsedTime(entry.BaseAt, now);
        if (elapsed >= TimeSpan.FromSeconds(1))
        {
            entry.PerSecond = Math.Round((entry.Published - entry.BasePublished) / elapsed.TotalSeconds, 1);
            if (elapsed >= Window) (entry.BaseAt, entry.BasePublished) = (now, entry.Published);
        }

        DateTimeOffset lastAt = _time.GetUtcNow() - _time.GetElapsedTime(entry.LastAt, now);
        return new TopicFigures(Encoding.UTF8.GetString(topic), entry.Published, entry.Bytes, entry.PerSecond, lastAt, entry.LastQoS, entry.LastPublisher);
    }

    private Shard ShardOf(ReadOnlySpan<byte> topic) => _shards[(TopicComparer.HashOf(topic) >>> 8) % Shards];

    private sealed class Entry
    {
        public long Published { get; set; }

        public long Bytes { get; set; }

        public long LastAt { get; set; }

        public int LastQoS { get; set; }

        public string? LastPublisher { get; set; }

        public double? PerSecond { get; set; }

        public long BaseAt { get; set; }

        public long BasePublished { get; set; }
    }

    // Made small: it grows while somebody looks.
    private sealed class Shard
    {
        public Shard() => Clear();

        public Lock Lock { get; } = new();

        public Dictionary<byte[], Entry> Entries { get; private set; }

        public Dictionary<byte[], Entry>.AlternateLookup<ReadOnlySpan<byte>> ByTopic { get; private set; }

        [MemberNotNull(nameof(Entries))]
        public void Clear()
        {
            Entries = new Dictionary<byte[], Entry>(TopicComparer.Instance);
            ByTopic = Entries.GetAlternateLookup<ReadOnlySpan<byte>>();
        }
    }

    private sealed class TopicComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static readonly TopicComparer Instance = new();

        public static int HashOf(ReadOnlySpan<byte> topic)
        {
            var hash = default(HashCode);
            hash.AddBytes(topic);
            return hash.ToHashCode();
        }

        public bool Equals(byte[]? one, byte[]? other) => one.AsSpan().SequenceEqual(other);

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(byte[] topic) => HashOf(topic);

        public int GetHashCode(ReadOnlySpan<byte> alternate) => HashOf(alternate);

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
