using System.Diagnostics.CodeAnalysis;

namespace EdgeBroker.Core.Management;

/// <summary>A part of a list that is ordered by a key.</summary>
/// <param name="Items">The rows.</param>
/// <param name="Next">The key behind which the next page begins; null: this is the last one.</param>
/// <param name="Total">Rows of all pages together, as far as they were there when this one was made.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? Next, long Total);

/// <summary>
/// Picks the rows of a page out of one pass over things in any order: a heap holds the smallest keys behind the one the page begins after. Nothing is sorted or
/// copied but the page.
/// </summary>
/// <typeparam name="TKey">What orders the rows.</typeparam>
/// <typeparam name="T">What a row is made of.</typeparam>
internal sealed class PageBuilder<TKey, T>
{
    private readonly IComparer<TKey> _comparer;
    private readonly PriorityQueue<T, TKey> _largestFirst;
    private readonly bool _hasAfter;
    private readonly TKey? _after;
    private readonly int _limit;
    private bool _hasMore;

    private PageBuilder(IComparer<TKey> comparer, bool hasAfter, TKey? after, int limit)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        _comparer = comparer;
        _largestFirst = new PriorityQueue<T, TKey>(Comparer<TKey>.Create((one, other) => comparer.Compare(other, one)));
        _hasAfter = hasAfter;
        _after = after;
        _limit = limit;
    }

    /// <summary>Things seen so far.</summary>
    public long Total { get; private set; }

    /// <summary>A page that begins with the smallest key.</summary>
    public static PageBuilder<TKey, T> First(IComparer<TKey> comparer, int limit) => new(comparer, hasAfter: false, default, limit);

    /// <summary>A page that begins behind a key.</summary>
    public static PageBuilder<TKey, T> Behind(TKey after, IComparer<TKey> comparer, int limit) => new(comparer, hasAfter: true, after, limit);

    /// <summary>Offers a thing.</summary>
    public void Add(TKey key, T thing)
    {
        Total++;
        if (_hasAfter && _comparer.Compare(key, _after!) <= 0) return;
        if (_largestFirst.Count < _limit)
        {
            _largestFirst.Enqueue(thing, key);
            return;
        }

        _hasMore = true;
        if (_largestFirst.TryPeek(out _, out TKey? largest) && _comparer.Compare(key, largest) < 0) _largestFirst.DequeueEnqueue(thing, key);
    }

    /// <summary>The page.</summary>
    /// <param name="toRow">Makes a row; null: it is left out, since it is not there any more.</param>
    /// <param name="toText">The key as a text.</param>
    public Page<TRow> Build<TRow>(Func<T, TRow?> toRow, Func<TKey, string> toText)
        where TRow : class
    {
        var rows = new List<TRow>(_largestFirst.Count);
        string? next = _hasMore && TryPeekKey(out TKey? last) ? toText(last) : null;
        while (_largestFirst.TryDequeue(out T? thing, out _))
        {
            if (toRow(thing) is { } row) rows.Add(row);
        }

        rows.Reverse();
        return new Page<TRow>(rows, next, Total);
    }

    private bool TryPeekKey([NotNullWhen(true)] out TKey? key) => _largestFirst.TryPeek(out _, out key) && key is not null;
}
