using System.Runtime.CompilerServices;

namespace EdgeBroker.Core.Topics;

/// <summary>
/// The children of one tree node by level. One writer at a time (the tree's lock); readers take no lock. A child keeps its slot for life, so a walk by slot
/// number meets every child that is there throughout exactly once, whatever is added or removed in between. Most levels have one child, which stands for
/// itself; up to four are found by scanning the slots, more through an open-addressing index.
/// </summary>
internal struct LevelTable<TNode>
    where TNode : LevelNode<TNode>
{
    private const int ScanLimit = 4;
    private const int Removed = -1;

    private LevelTableContent? _content;

    /// <summary>Number of children.</summary>
    public readonly int Count => _content switch { null => 0, { IsNode: true } => 1, var several => Several(several).Count };

    /// <summary>Slots in use or used before; the bound of a walk.</summary>
    public readonly int SlotCount => Volatile.Read(in _content) switch { null => 0, { IsNode: true } => 1, var several => Several(several).UsedSlots };

    /// <summary>The child in a slot, or null.</summary>
    public readonly TNode? At(int slot)
    {
        LevelTableContent? content = Volatile.Read(in _content);
        if (content is null) return null;
        if (content.IsNode) return slot == 0 ? Only(content) : null;
        State state = Several(content);
        return slot < state.Slots.Length ? Volatile.Read(ref state.Slots[slot]) : null;
    }

    /// <summary>Finds a child without a lock.</summary>
    public readonly TNode? Find(ReadOnlySpan<byte> level)
    {
        LevelTableContent? content = Volatile.Read(in _content);
        if (content is null) return null;
        int hash = LevelNode<TNode>.HashOf(level);
        if (content.IsNode) return Is(Only(content), level, hash) ? Only(content) : null;
        State state = Several(content);
        return state.Index is null ? Scan(state, level, hash) : Probe(state, state.Index, level, hash);
    }

    /// <summary>Adds a child that is not there yet; writers only.</summary>
    public void Add(TNode child)
    {
        if (_content is null)
        {
            Volatile.Write(ref _content, child);
            return;
        }

        // The one there is keeps slot 0.
        State state = _content.IsNode ? State.Of(Only(_content)) : Several(_content);
        int slot = state.TakeFreeSlot();
        if (slot < 0)
        {
            state = state.Grown();
            slot = state.TakeFreeSlot();
        }

        Volatile.Write(ref state.Slots[slot], child);
        state.Count++;
        if (state.Index is not null) state.AddToIndex(child.Hash, slot);
        Volatile.Write(ref _content, state);
    }

    /// <summary>Removes a child; writers only.</summary>
    public void Remove(TNode child)
    {
        if (_content is null) return;
        if (_content.IsNode)
        {
            if (ReferenceEquals(_content, child)) Volatile.Write(ref _content, null);
            return;
        }

        State state = Several(_content);
        int slot = state.TakeOutOfIndex(child);
        if (slot < 0) return;
        Volatile.Write(ref state.Slots[slot], null);
        state.Free(slot);
        state.Count--;
    }

    private static TNode Only(LevelTableContent content) => Unsafe.As<TNode>(content);

    private static State Several(LevelTableContent content) => Unsafe.As<State>(content);

    private static bool Is(TNode node, ReadOnlySpan<byte> level, int hash) => node.Hash == hash && level.SequenceEqual(node.Level);

    private static TNode? Scan(State state, ReadOnlySpan<byte> level, int hash)
    {
        foreach (TNode? node in state.Slots)
        {
            if (node is not null && Is(node, level, hash)) return node;
        }

        return null;
    }

    private static TNode? Probe(State state, int[] index, ReadOnlySpan<byte> level, int hash)
    {
        int mask = index.Length - 1;
        for (int i = hash & mask; ; i = (i + 1) & mask)
        {
            int entry = Volatile.Read(ref index[i]);
            if (entry == 0) return null;
            if (entry == Removed) continue;
            // A slot may have been emptied or given to another child since; the text decides.
            TNode? node = Volatile.Read(ref state.Slots[entry - 1]);
            if (node is not null && Is(node, level, hash)) return node;
        }
    }

    /// <summary>Slots and the index over them, replaced together when they grow so that a reader never sees one without the other.</summary>
    private sealed class State(int capacity) : LevelTableContent(tag: 0)
    {
        public readonly TNode?[] Slots = new TNode?[capacity];
        public int[]? Index;
        public int Count;
        public int UsedSlots;
        private Stack<int>? _free;
        private int _indexUsed;

        public static State Of(TNode only)
        {
            var state = new State(2) { Count = 1, UsedSlots = 1 };
            state.Slots[0] = only;
            return state;
        }

        public int TakeFreeSlot()
        {
            if (_free is { Count: > 0 }) return _free.Pop();
            return UsedSlots < Slots.Length ? UsedSlots++ : -1;
        }

        public void Free(int slot) => (_free ??= new Stack<int>()).Push(slot);

        public State Grown()
        {
            var grown = new State(2 * Slots.Length) { Count = Count, UsedSlots = UsedSlots, _free = _free };
            Slots.CopyTo(grown.Slots, 0);
            if (grown.Slots.Length > ScanLimit) grown.BuildIndex();
            return grown;
        }

        public void AddToIndex(int hash, int slot)
        {
            // Probing ends at an empty entry, so at least a quarter stays empty.
            if (4 * (_indexUsed + 1) > 3 * Index!.Length)
            {
                BuildIndex();
                return;
            }

            Insert(Index, hash, slot);
        }

        public int TakeOutOfIndex(TNode child)
        {
            if (Index is not { } index) return Array.IndexOf(Slots, child);
            int mask = index.Length - 1;
            for (int i = child.Hash & mask; index[i] != 0; i = (i + 1) & mask)
            {
                int slot = index[i] - 1;
                if (index[i] == Removed || !ReferenceEquals(Slots[slot], child)) continue;
                Volatile.Write(ref index[i], Removed);
                return slot;
            }

            return -1;
        }

        private void BuildIndex()
        {
            var index = new int[2 * Slots.Length];
            _indexUsed = 0;
            for (int slot = 0; slot < UsedSlots; slot++)
            {
                if (Slots[slot] is { } node) Insert(index, node.Hash, slot);
            }

            Volatile.Write(ref Index, index);
        }

        private void Insert(int[] index, int hash, int slot)
        {
            int mask = index.Length - 1;
            int i = hash & mask;
            // The place of one that was removed will do: coming and going then never fills the index. Who probes past it meanwhile reads on either way.
            while (index[i] > 0) i = (i + 1) & mask;
            if (index[i] == 0) _indexUsed++;
            Volatile.Write(ref index[i], slot + 1);
        }
    }
}
