using EdgeBroker.Core.Topics;

namespace EdgeBroker.Core.Routing;

/// <summary>
/// Remembers the matches of recent topics. Telemetry repeats its topics, so most publishes find theirs here. One thread at a time; direct-mapped, so a
/// topic that is looked up costs one hash and one comparison. An entry holds for one version of the tree.
/// </summary>
internal sealed class MatchCache(SubscriptionTree tree)
{
    private const int FirstSize = 64;
    private const int LargestSize = 64 * 1024;

    // What clients choose must not decide what the cache weighs: longer topics are matched anew each time, and when the arrays made for overlapping
    // filters have so many places together, all is forgotten.
    private const int LongestTopicBytes = 256;
    private const int MostMergedPlaces = 512 * 1024;

    private Entry[] _entries = new Entry[FirstSize];
    private int _evictions;
    private int _mergedPlaces;

    /// <summary>The match of a topic, and an array that holds the topic, if one is kept.</summary>
    public MatchResult Match(SubscriptionMatcher matcher, ReadOnlySpan<byte> topic, out byte[]? ownedTopic)
    {
        ownedTopic = null;
        if (topic.Length > LongestTopicBytes) return matcher.Match(tree.Root, topic);
        int hash = LevelHash.Of(topic);
        long version = tree.Version;
        ref Entry entry = ref _entries[hash & (_entries.Length - 1)];
        if (entry.Hash == hash && entry.Topic is not null && topic.SequenceEqual(entry.Topic))
        {
            ownedTopic = entry.Topic;
            if (entry.Version == version) return entry.Result!;
        }
        else
        {
            if (entry.Topic is not null && entry.Version == version && ++_evictions > _entries.Length && _entries.Length < LargestSize)
            {
                Grow();
                entry = ref _entries[hash & (_entries.Length - 1)];
            }

            ownedTopic = topic.ToArray();
        }

        MatchResult result = matcher.Match(tree.Root, topic);
        Weigh(entry.Result, result);
        entry = new Entry { Hash = hash, Version = version, Topic = ownedTopic, Result = result };
        return result;
    }

    private void Weigh(MatchResult? leaving, MatchResult coming)
    {
        if (leaving is { IsMerged: true }) _mergedPlaces -= leaving.Plain.Length;
        if (!coming.IsMerged) return;
        _mergedPlaces += coming.Plain.Length;
        if (_mergedPlaces <= MostMergedPlaces) return;
        Array.Clear(_entries);
        _mergedPlaces = coming.Plain.Length;
    }

    private void Grow()
    {
        var larger = new Entry[4 * _entries.Length];
        foreach (Entry entry in _entries) larger[entry.Hash & (larger.Length - 1)] = entry;
        _entries = larger;
        _evictions = 0;
    }

    private struct Entry
    {
        public int Hash;
        public long Version;
        public byte[]? Topic;
        public MatchResult? Result;
    }
}
