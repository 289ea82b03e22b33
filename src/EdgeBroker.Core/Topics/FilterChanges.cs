namespace EdgeBroker.Core.Topics;

/// <summary>
/// When filters came and went, told apart by which topics they can match, so that a change makes only those topics be matched anew. One writer at a time (the
/// tree's lock); readers take none. Of a bounded size: where it does not know, it says that a topic may be concerned. A filter's wildcards give its shape; its
/// other levels, hashed together, give a stamp with the version of the change. A topic is concerned when, for the shape of a later change, its levels at the
/// same places lead to a stamp as late. Stamps lie in buckets of six, with two versions behind them: that of the newest, since most buckets have nothing as
/// late, and the one up to which the oldest stamps have been forgotten, which concerns every topic that leads there.
/// </summary>
internal sealed class FilterChanges
{
    // Kinds of filters that change at about the same time. When there are more, the one that has not changed for longest is forgotten, and with it what it was
    // about.
    private const int MostShapes = 16;
    private const int FirstStamps = 1024;

    // A topic not asked for while so many filters came and went is matched anew.
    private const int MostStamps = 64 * 1024;

    private const int BucketLength = 8;
    private const int BucketStamps = 6;
    private const int Newest = 6;
    private const int Forgotten = 7;

    // Of a stamp: the lower bits tell filters apart, the upper ones are the version, enough for some 20 years of 20,000 changes a second.
    private const int TagBits = 20;

    private readonly FilterShape?[] _shapes = new FilterShape?[MostShapes];
    private long[] _stamps = new long[FirstStamps];

    private int _changesSinceGrown;

    // Changes up to here may concern any topic.
    private long _unknownUpTo;

    /// <summary>Notes a change; writers only, before the tree's version becomes <paramref name="version"/>.</summary>
    /// <param name="filter">The filter, without its shared group.</param>
    /// <param name="version">The version with this change.</param>
    public void Note(ReadOnlySpan<byte> filter, long version)
    {
        if (_stamps.Length < MostStamps && ++_changesSinceGrown > 2 * _stamps.Length) Grow();
        if (!FilterShape.TryRead(filter, out FilterShape.Key key, out uint hash))
        {
            Volatile.Write(ref _unknownUpTo, version);
            return;
        }

        Stamp(BucketOf(_stamps, hash), hash, version);
        Volatile.Write(ref ShapeOf(key).ChangedAt, version);
    }

    /// <summary>
    /// Whether a change after <paramref name="since"/> may concern a topic. Called after the tree's version has been read, it knows all changes up to that.
    /// </summary>
    /// <param name="topic">The topic.</param>
    /// <param name="topicHash"><see cref="LevelHash"/> of it.</param>
    /// <param name="since">The version under which it was matched.</param>
    /// <param name="levels">Room for <see cref="FilterShape.MostLevels"/>, which to clear would cost as much as to fill.</param>
    public bool MayConcern(ReadOnlySpan<byte> topic, int topicHash, long since, Span<int> levels)
    {
        long[] stamps = Volatile.Read(ref _stamps);
        int count = 0;
        for (int i = 0; i < MostShapes && Volatile.Read(ref _shapes[i]) is { } shape; i++)
        {
            if (Volatile.Read(ref shape.ChangedAt) <= since) continue;
            uint hash;
            if (shape.IsExact)
            {
                hash = FilterShape.HashExact(topicHash);
            }
            else
            {
                if (count == 0 && (count = FilterShape.HashLevels(topic, levels)) == 0) return true;
                if (!shape.Fits(count)) continue;
                hash = shape.Hash(levels);
            }

            if (IsStamped(BucketOf(stamps, hash), hash, since)) return true;
        }

        // Last: what is forgotten is noted here first.
        return Volatile.Read(ref _unknownUpTo) > since;
    }

    private static Span<long> BucketOf(long[] stamps, uint hash) => stamps.AsSpan((int)(hash & (uint)(stamps.Length - BucketLength)), BucketLength);

    private static long TagOf(uint hash) => hash >> (32 - TagBits);

    private static bool IsTagged(long stamp, long tag) => ((stamp ^ tag) & ((1 << TagBits) - 1)) == 0;

    private static bool IsStamped(Span<long> bucket, uint hash, long since) =>
        Volatile.Read(ref bucket[Newest]) > since && IsStampedSince(bucket, TagOf(hash), since);

    private static bool IsStampedSince(Span<long> bucket, long tag, long since)
    {
        foreach (ref long stamp in bucket[..BucketStamps])
        {
            long read = Volatile.Read(ref stamp);
            if (IsTagged(read, tag) && read >> TagBits > since) return true;
        }

        // Last: a stamp that gives way is noted here first.
        return Volatile.Read(ref bucket[Forgotten]) > since;
    }

    private static void Stamp(Span<long> bucket, uint hash, long version)
    {
        long tag = TagOf(hash);
        int oldest = 0;
        for (int i = 0; i < BucketStamps; i++)
        {
            if (IsTagged(bucket[i], tag))
            {
                oldest = i;
                break;
            }

            if (bucket[i] < bucket[oldest]) oldest = i;
        }

        if (!IsTagged(bucket[oldest], tag)) Volatile.Write(ref bucket[Forgotten], Math.Max(bucket[Forgotten], bucket[oldest] >> TagBits));
        Volatile.Write(ref bucket[oldest], (version << TagBits) | tag);
        Volatile.Write(ref bucket[Newest], version);
    }

    private FilterShape ShapeOf(FilterShape.Key key)
    {
        int oldest = 0;
        for (int i = 0; i < MostShapes; i++)
        {
            if (_shapes[i] is not { } shape)
            {
                oldest = i;
                break;
            }

            if (shape.Is(key)) return shape;
            if (shape.ChangedAt < _shapes[oldest]!.ChangedAt) oldest = i;
        }

        if (_shapes[oldest] is { } forgotten) Volatile.Write(ref _unknownUpTo, Math.Max(_unknownUpTo, forgotten.ChangedAt));
        var added = new FilterShape(key);
        Volatile.Write(ref _shapes[oldest], added);
        return added;
    }

    /// <summary>Twice as many buckets. Of a stamp it is not known to which of two it belongs now, so both have it: nothing is forgotten by that.</summary>
    private void Grow()
    {
        _changesSinceGrown = 0;
        var more = new long[2 * _stamps.Length];
        _stamps.CopyTo(more, 0);
        _stamps.CopyTo(more, _stamps.Length);
        Volatile.Write(ref _stamps, more);
    }
}
