using EdgeBroker.Core.Topics;

namespace EdgeBroker.Core.Routing;

/// <summary>
/// Remembers the matches of recent topics. Telemetry repeats its topics, so most publishes find theirs here. One thread at a time. A topic has sixteen places
/// to be in; their hashes fill one cache line, so a look-up touches that and then the one entry. An entry holds until a filter changes that may match its
/// topic.
/// </summary>
internal sealed class MatchCache(SubscriptionTree tree)
{
    private const int FirstSize = 64;
    private const int LargestSize = 64 * 1024;

    // What clients choose must not decide what the cache weighs: of longer topics only a few are kept, and when the arrays made for overlapping filters have so
    // many places together, all is forgotten.
    private const int LongestTopicBytes = 256;
    private const int LongTopics = 4;
    private const int MostMergedPlaces = 512 * 1024;

    // Of 50,000 topics asked for at random 98 of 100 are found in the largest table; with four places each it would be nine tenths, with one seven.
    private const int Places = 16;
    private const uint Mixer = 0x9E3779B1;

    private const int MostFetched = 16;

    private int[] _hashes = new int[FirstSize];
    private Entry[] _entries = new Entry[FirstSize];
    private byte[]?[] _found = [];
    private readonly int[] _levels = new int[FilterShape.MostLevels];
    // Nobody asks for it, but what nobody could ask for would not be computed.
    private int _fetched;
    private int _evictions;
    private int _mergedPlaces;

    // Filters that overlap in thousands of ways on one topic make its match take milliseconds: whoever publishes to it again and again pays once.
    private Entry[]? _long;
    private int _lastLong;

    /// <summary>The match of a topic, and an array that holds the topic, if one is kept.</summary>
    public MatchResult Match(SubscriptionMatcher matcher, ReadOnlySpan<byte> topic, out byte[]? ownedTopic)
    {
        ownedTopic = null;
        if (topic.Length > LongestTopicBytes) return MatchLong(matcher, topic, out ownedTopic);
        int hash = LevelHash.Of(topic);
        long version = tree.Version;
        int at = Find(hash, topic);
        if (at >= 0)
        {
            ref Entry found = ref _entries[at];
            ownedTopic = found.Topic!;
            if (IsUnchanged(ref found, hash, version)) return found.Result!;
        }

        MatchResult result = matcher.Match(tree.Root, topic);
        if (at < 0)
        {
            // That there is nobody is found quickly, and topics without a subscriber, as those of retained values mostly are, would push out the others.
            if (result.IsEmpty) return result;
            ownedTopic = topic.ToArray();
            at = MakeRoom(hash);
        }

        AccountMerged(_entries[at].Result, result);
        _hashes[at] = hash;
        _entries[at] = new Entry { Version = version, Topic = ownedTopic, Result = result };
        return result;
    }

    private MatchResult MatchLong(SubscriptionMatcher matcher, ReadOnlySpan<byte> topic, out byte[]? ownedTopic)
    {
        long version = tree.Version;
        _long ??= new Entry[LongTopics];
        foreach (ref Entry entry in _long.AsSpan())
        {
            if (entry.Topic is not { } kept || entry.Version != version || !topic.SequenceEqual(kept)) continue;
            ownedTopic = kept;
            return entry.Result!;
        }

        MatchResult result = matcher.Match(tree.Root, topic);
        ownedTopic = null;
        // What is found at one place is found quickly.
        if (result is not MergedMatchResult) return result;
        ownedTopic = topic.ToArray();
        _lastLong = (_lastLong + 1) % LongTopics;
        _long[_lastLong] = new Entry { Version = version, Topic = ownedTopic, Result = result };
        return result;
    }

    /// <summary>
    /// The matches of all messages of a batch. One step after the other over all of them, not one message after the other: where topics are many each step of a
    /// look-up waits for memory that no cache has, and the processor waits for that of several messages at once as long as none depends on another.
    /// </summary>
    public void Match(SubscriptionMatcher matcher, MessageBatch batch)
    {
        Span<MatchResult> results = batch.Matches;
        if (_found.Length < results.Length) _found = new byte[]?[MessageBatch.MaxMessages];
        Span<byte[]?> found = _found.AsSpan(0, results.Length);
        Span<int> hashes = stackalloc int[results.Length];
        Span<int> places = stackalloc int[results.Length];
        for (int i = 0; i < hashes.Length; i++)
        {
            ReadOnlySpan<byte> topic = batch.TopicOf(i);
            hashes[i] = topic.Length <= LongestTopicBytes ? LevelHash.Of(topic) : 0;
        }

        for (int i = 0; i < places.Length; i++)
        {
            int first = FirstPlace(hashes[i]);
            places[i] = first + Math.Max(0, _hashes.AsSpan(first, Places).IndexOf(hashes[i]));
        }

        long version = tree.Version;
        for (int i = 0; i < places.Length; i++) found[i] = _entries[places[i]].Topic;
        for (int i = 0; i < places.Length; i++)
        {
            // One that is not there, or not at the first place with its hash.
            if (found[i] is { } kept && !batch.TopicOf(i).SequenceEqual(kept)) found[i] = null;
        }

        for (int i = 0; i < places.Length; i++)
        {
            ref Entry entry = ref _entries[places[i]];
            // What was matched anew for a message before this one may have taken the place.
            bool isHere = found[i] is { } kept && ReferenceEquals(entry.Topic, kept);
            results[i] = isHere && IsUnchanged(ref entry, hashes[i], version) ? entry.Result! : Match(matcher, batch.TopicOf(i), out _);
        }

        found.Clear();
        _fetched = Fetch(results);
    }

    /// <summary>Whether an entry still holds; under a newer version then.</summary>
    private bool IsUnchanged(ref Entry entry, int hash, long version)
    {
        if (entry.Version == version) return true;
        if (tree.Changes.MayConcern(entry.Topic, hash, entry.Version, _levels)) return false;
        entry.Version = version;
        return true;
    }

    /// <summary>
    /// Reads a little of what will be read next, for the processor to fetch. Where many get one message their memory is what counts, and it is touched once for
    /// all messages anyway.
    /// </summary>
    private static int Fetch(ReadOnlySpan<MatchResult> results)
    {
        int sum = 0;
        foreach (MatchResult result in results) sum += result.Plain.Length;
        MatchResult? last = null;
        foreach (MatchResult result in results)
        {
            if (ReferenceEquals(result, last) || result.Plain.Length > MostFetched) continue;
            foreach (Subscription subscription in result.Plain) sum += (int)subscription.Options.MaximumQoS;
            last = result;
        }

        return sum;
    }

    /// <summary>Where a topic is, or -1.</summary>
    private int Find(int hash, ReadOnlySpan<byte> topic)
    {
        int first = FirstPlace(hash);
        for (int i = first; i < first + Places; i++)
        {
            int next = _hashes.AsSpan(i, first + Places - i).IndexOf(hash);
            if (next < 0) return -1;
            i += next;
            if (_entries[i].Topic is { } kept && topic.SequenceEqual(kept)) return i;
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

    // Mixed, since hashes of topics that differ in the last byte only may be neighbours, and neighbours would share their places.
    private int FirstPlace(int hash) => (int)(((uint)hash * Mixer) >> 15) & (_entries.Length - Places);

    private void AccountMerged(MatchResult? leaving, MatchResult coming)
    {
        if (leaving is MergedMatchResult) _mergedPlaces -= leaving.Plain.Length;
        if (coming is not MergedMatchResult) return;
        _mergedPlaces += coming.Plain.Length;
        if (_mergedPlaces <= MostMergedPlaces) return;
        Array.Clear(_entries);
        _mergedPlaces = coming.Plain.Length;
    }

    /// <summary>Four times as many groups of places: those that shared one fit wherever they go.</summary>
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
