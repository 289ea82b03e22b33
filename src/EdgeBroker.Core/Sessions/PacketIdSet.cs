using System.Numerics;
using System.Runtime.Intrinsics;
using EdgeBroker.Core.Limits;

namespace EdgeBroker.Core.Sessions;

/// <summary>
/// A set of packet identifiers, none of which is 0. The first eight are held in the object itself, which is enough for a client that sends one message after
/// the other; more are bits in pages that exist only while they hold one. Adding, removing and looking up take constant time.
/// </summary>
internal sealed class PacketIdSet
{
    /// <summary>The empty set, shared; never added to.</summary>
    public static readonly PacketIdSet None = new();

    private const int PageBits = 1024;

    // With their headers: this object, the table of pages, a page.
    private const int SetBytes = 56;
    private const int TableBytes = ((ushort.MaxValue + 1) / PageBits * 8) + 24;
    private const int PageBytes = (PageBits / 8) + 24;

    private ulong[]?[]? _pages;
    private Vector128<ushort> _few;
    private int _pageCount;
    private int _accountedBytes;

    /// <summary>Identifiers in the set.</summary>
    public int Count { get; private set; }

    /// <summary>Adds an identifier; false when it was there.</summary>
    public bool Add(ushort id)
    {
        if (Contains(id)) return false;
        Count++;
        if (TryReplaceFew(0, id)) return true;
        _pages ??= new ulong[]?[(ushort.MaxValue + 1) / PageBits];
        ref ulong[]? page = ref _pages[id / PageBits];
        if (page is null)
        {
            page = new ulong[PageBits / 64];
            _pageCount++;
        }

        page[id % PageBits / 64] |= 1UL << (id % 64);
        return true;
    }

    /// <summary>Whether the identifier is in the set.</summary>
    public bool Contains(ushort id) =>
        Vector128.EqualsAny(_few, Vector128.Create(id)) || (_pages?[id / PageBits] is { } page && (page[id % PageBits / 64] & (1UL << (id % 64))) != 0);

    /// <summary>Removes an identifier; false when it was not there.</summary>
    public bool Remove(ushort id)
    {
        if (!Contains(id)) return false;
        Count--;
        if (TryReplaceFew(id, 0)) return true;
        ulong[] page = _pages![id / PageBits]!;
        page[id % PageBits / 64] &= ~(1UL << (id % 64));
        if (page.AsSpan().ContainsAnyExcept(0UL)) return true;
        _pages[id / PageBits] = null;
        if (--_pageCount == 0) _pages = null;
        return true;
    }

    /// <summary>Another set of the same identifiers.</summary>
    public PacketIdSet Copy() =>
        new() { _few = _few, _pages = _pages is null ? null : [.. _pages.Select(page => page?.ToArray())], _pageCount = _pageCount, Count = Count };

    /// <summary>Accounts what the set takes; nothing once it is over. Not of <see cref="None"/>.</summary>
    public void Account(MemoryLedger ledger, bool isOver)
    {
        int bytes = isOver ? 0 : SetBytes + (_pages is null ? 0 : TableBytes + (_pageCount * PageBytes));
        if (bytes == _accountedBytes) return;
        ledger.Account(MemoryKind.Inflight, bytes - _accountedBytes);
        _accountedBytes = bytes;
    }

    private bool TryReplaceFew(ushort old, ushort fresh)
    {
        uint found = Vector128.Equals(_few, Vector128.Create(old)).ExtractMostSignificantBits();
        if (found == 0) return false;
        _few = _few.WithElement(BitOperations.TrailingZeroCount(found), fresh);
        return true;
    }
}
