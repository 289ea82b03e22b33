using System.Numerics;

namespace EdgeBroker.Core.Sessions;

/// <summary>A set of packet identifiers: bits in pages that exist only while they hold one. Adding, removing and looking up take constant time.</summary>
internal sealed class PacketIdSet
{
    /// <summary>The empty set, shared; never added to.</summary>
    public static readonly PacketIdSet None = new();

    private const int PageBits = 1024;
    private ulong[]?[]? _pages;

    /// <summary>Identifiers in the set.</summary>
    public int Count { get; private set; }

    /// <summary>Adds an identifier; false when it was there.</summary>
    public bool Add(ushort id)
    {
        _pages ??= new ulong[]?[(ushort.MaxValue + 1) / PageBits];
        ulong[] page = _pages[id / PageBits] ??= new ulong[PageBits / 64];
        ref ulong word = ref page[id % PageBits / 64];
        ulong bit = 1UL << (id % 64);
        if ((word & bit) != 0) return false;
        word |= bit;
        Count++;
        return true;
    }

    /// <summary>Whether the identifier is in the set.</summary>
    public bool Contains(ushort id) => _pages?[id / PageBits] is { } page && (page[id % PageBits / 64] & (1UL << (id % 64))) != 0;

    /// <summary>Removes an identifier; false when it was not there.</summary>
    public bool Remove(ushort id)
    {
        if (!Contains(id)) return false;
        ulong[] page = _pages![id / PageBits]!;
        page[id % PageBits / 64] &= ~(1UL << (id % 64));
        Count--;
        if (Count == 0) _pages = null;
        else if (!page.AsSpan().ContainsAnyExcept(0UL)) _pages[id / PageBits] = null;
        return true;
    }

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        _pages = null;
        Count = 0;
    }

    /// <summary>The identifiers, ascending.</summary>
    public IEnumerable<ushort> All()
    {
        if (_pages is null) yield break;
        for (int p = 0; p < _pages.Length; p++)
        {
            if (_pages[p] is not { } page) continue;
            for (int w = 0; w < page.Length; w++)
            {
                for (ulong word = page[w]; word != 0; word &= word - 1)
                {
                    yield return (ushort)((p * PageBits) + (w * 64) + BitOperations.TrailingZeroCount(word));
                }
            }
        }
    }
}
