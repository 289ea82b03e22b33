using EdgeBroker.Core.Topics;

namespace EdgeBroker.Core.Routing;

/// <summary>
/// Remembers the matches of recent topics. Telemetry repeats its topics, so most publishes find theirs here. One thread at a time. A topic has four places to be in; their hashes lie
/// together, so a look-up touches one cache line of them and then the one entry. An entry holds until a filter changes that may match its topic.
/// </summary>
internal sealed class MatchCache(SubscriptionTree tree)
{
    private const int FirstSize = 64;
    private const int LargestSize = 64 * 1024;

    // What clients choose must not decide what the cache weighs: longer topics are matched anew each time, and when the arrays made for overlapping
    // filters have so many places together, all is forgotten.
    private const int LongestTopicBytes = 256;
    private const int MostMergedPlaces = 512 * 1024;

    // Of 50,000 topics asked for at random nearly nine tenths are found in the largest table; with one place each it would be seven.
    private const int Places = 4;
    private const uint Mixer = 0x9E3779B1;

    private int[] _hashes = new int[FirstSize];
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
        int at = Find(hash, topic);
        if (at >= 0)
        {
            ref Entry found = ref _entries[at];
            ownedTopic = found.Topic!;
            if (found.Version == version) return found.Result!;
            if (!tree.Changes.MayConcern(topic, hash, found.Version))
            {
                found.Version = version;
                return found.Result!;
            }
        }
        else
        {
            ownedTopic = topic.ToArray();
            at = MakeRoom(hash);
        }

        MatchResult result = matcher.Match(tree.Root, topic);
        Weigh(_entries[at].Result, result);
        _hashes[at] = hash;
        _entries[at] = new Entry { Version = version, Topic = ownedTopic, Result = result };
        return result;
    }

    /// <summary>Where a topic is, or -1.</summary>
    private int Find(int hash, ReadOnlySpan<byte> topic)
    {
        int first = FirstPlace(hash);
        for (int i = first; i < first + Places; i++)
        {
            if (_hashes[i] == hash && _entries[i].Topic is { } kept && topic.SequenceEqual(kept)) return i;
        }

        return -1;
    }

    /// <summary>A place for a topic that has none: an empty one, else that of another, which grows the table when it happens often.</summary>
    private int MakeRoom(int hash)
    {
        int first = FirstPlace(hash);
        for (int i = first; i < first + Places; i++)
        {
            if (_entries[i].Topic is null) return i;
        }

        if (++_evictions > _entries.Length && _entries.Length < LargestSize)
        {
            Grow();
            return MakeRoom(hash);
        }

        // The one not asked for since the oldest change; of those alike, in turn.
        int leaving = first + (_evictions & (Places - 1));
        for (int i = first; i < first + Places; i++)
        {
            if (_entries[i].Version < _entries[leaving].Version) leaving = i;
        }

        return leaving;
    }

    // Mixed, since hashes of topics that differ in the last byte only may be neighbours, and neighbours would share four places.
    private int FirstPlace(int hash) => (int)(((uint)hash * Mixer) >> 15) & (_entries.Length - Places);

    private void Weigh(MatchResult? leaving, MatchResult coming)
    {
        if (leaving is MergedMatchResult) _mergedPlaces -= leaving.Plain.Length;
        if (coming is not MergedMatchResult) return;
        _mergedPlaces += coming.Plain.Length;
        if (_mergedPlaces <= MostMergedPlaces) return;
        Array.Clear(_entries);
        _mergedPlaces = coming.Plain.Length;
    }

    /// <summary>Four times as many groups of places: the four that shared one fit wherever they go.</summary>
    private void Grow()
    {
        int[] oldHashes = _hashes;
        Entry[] old = _entries;
        _hashes = new int[4 * old.Length];
        _entries = new Entry[4 * old.Length];
        _evictions = 0;
        for (int i = 0; i < old.Length; i++)
        {
            if (old[i].Topic is null) continue;
            int to = FirstPlace(oldHashes[i]);
            while (_entries[to].Topic is not null) to++;
            _hashes[to] = oldHashes[i];
            _entries[to] = old[i];
        }
    }

    private struct Entry
    {
        public long Version;
        public byte[]? Topic;
        public MatchResult? Result;
    }
}
