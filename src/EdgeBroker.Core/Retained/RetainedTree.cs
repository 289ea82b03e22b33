using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Retained;

/// <summary>
/// The topics that have a retained value, level by level, and the values, in blocks of a <see cref="SlabHeap"/>. Nodes are known by handles. The lock of
/// <see cref="RetainedMessages"/> covers every call; what leaves it is a copy. A node stands as long as it has a value, a child, or a walk that stands on it.
/// </summary>
internal sealed unsafe class RetainedTree
{
    private readonly SlabHeap _heap = new();
    private readonly RetainedIndex _index;

    public RetainedTree() => _index = new RetainedIndex(_heap);

    /// <summary>The node above all topics; 0: there is none.</summary>
    public uint Root { get; private set; }

    /// <summary>Bytes of memory that nodes, values and the index take.</summary>
    public long UsedBytes => _heap.UsedBytes - _index.SpareBytes;

    /// <summary>Bytes taken from the system for them.</summary>
    public long MappedBytes => _heap.MappedBytes;

    /// <summary>The node of a topic; 0: none.</summary>
    public uint Find(ReadOnlySpan<byte> topic)
    {
        uint node = Root;
        for (bool isLast = false; !isLast && node != 0;) node = Child(node, TopicLevels.Cut(topic, out topic, out isLast));
        return node;
    }

    /// <summary>A node's child; 0: none.</summary>
    public uint Child(uint node, ReadOnlySpan<byte> level) => _index.Find(node, level);

    /// <summary>A node's first child; 0: none.</summary>
    public uint FirstChild(uint node) => At(node).FirstChild;

    /// <summary>The next child of the same parent, in the order in which they came; 0: none.</summary>
    public uint Next(uint node) => At(node).Next;

    /// <summary>Whether it is a first level that begins with $.</summary>
    public bool IsReserved(uint node)
    {
        ref RetainedNode here = ref At(node);
        return here.Parent == Root && TopicName.IsReserved(LevelOf(ref here));
    }

    /// <summary>What a node's value says besides its bytes; null: it has none.</summary>
    public RetainedHead? HeadOf(uint node) => node == 0 || At(node).Value == 0 ? null : *ValueAt(At(node).Value);

    /// <summary>A copy of a node's value, or of its tombstone.</summary>
    public Message Copy(uint node)
    {
        RetainedHead* head = ValueAt(At(node).Value);
        var payload = new ReadOnlySpan<byte>((byte*)(head + 1), head->PayloadLength);
        var properties = new ReadOnlySpan<byte>((byte*)(head + 1) + head->PayloadLength, head->PropertiesLength);
        return new Message
        {
            Topic = TopicOf(node),
            Payload = payload.ToArray(),
            Properties = properties.IsEmpty ? [] : properties.ToArray(),
            QoS = head->QoS,
            Retain = head->Retain,
            ExpiresAtMs = head->ExpiresAtMs,
            Ordinal = head->Ordinal,
            Stamp = head->Stamp,
        };
    }

    /// <summary>Sets a topic's value; makes its node, and those above it, where there is none.</summary>
    /// <param name="node">Its node; 0: none yet.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="head">What the value says besides its bytes.</param>
    /// <param name="payload">Its payload.</param>
    /// <param name="properties">Its properties.</param>
    public void Set(uint node, ReadOnlySpan<byte> topic, in RetainedHead head, ReadOnlySpan<byte> payload, ReadOnlySpan<byte> properties)
    {
        // First what can fail.
        uint value = _heap.Allocate(sizeof(RetainedHead) + payload.Length + properties.Length);
        RetainedHead* to = ValueAt(value);
        *to = head;
        payload.CopyTo(new Span<byte>((byte*)(to + 1), payload.Length));
        properties.CopyTo(new Span<byte>((byte*)(to + 1) + payload.Length, properties.Length));
        ref uint own = ref At(node == 0 ? Make(topic) : node).Value;
        if (own != 0) _heap.Free(own);
        own = value;
    }

    /// <summary>Removes a node's value, and every node that nothing needs any more.</summary>
    public void Remove(uint node)
    {
        ref uint value = ref At(node).Value;
        if (value != 0) _heap.Free(value);
        value = 0;
        Prune(node);
    }

    /// <summary>A walk stands on a node from now on.</summary>
    public void Hold(uint node) => At(node).Walks++;

    /// <summary>It has left it.</summary>
    public void Release(uint node)
    {
        At(node).Walks--;
        Prune(node);
    }

    private uint Make(ReadOnlySpan<byte> topic)
    {
        if (Root == 0) Root = Add(parent: 0, [], hash: 0);
        uint node = Root;
        for (bool isLast = false; !isLast;)
        {
            ReadOnlySpan<byte> level = TopicLevels.Cut(topic, out topic, out isLast);
            uint next = Child(node, level);
            if (next == 0)
            {
                next = Add(node, level, RetainedIndex.HashOf(node, level));
                Append(node, next);
                _index.Add(next);
            }

            node = next;
        }

        return node;
    }

    private uint Add(uint parent, ReadOnlySpan<byte> level, int hash)
    {
        uint handle = _heap.Allocate(sizeof(RetainedNode) + level.Length);
        ref RetainedNode node = ref At(handle);
        node = new RetainedNode { Parent = parent, Hash = hash, LevelLength = (ushort)level.Length };
        level.CopyTo(LevelOf(ref node));
        return handle;
    }

    private void Prune(uint handle)
    {
        while (handle != 0)
        {
            ref RetainedNode node = ref At(handle);
            if (node.Value != 0 || node.FirstChild != 0 || node.Walks != 0) return;
            uint parent = node.Parent;
            if (parent == 0)
            {
                Root = 0;
            }
            else
            {
                _index.Remove(handle);
                Unlink(parent, handle);
            }

            _heap.Free(handle);
            handle = parent;
        }
    }

    // Before the first child stands the last.
    private void Append(uint parent, uint child)
    {
        ref uint first = ref At(parent).FirstChild;
        if (first == 0)
        {
            first = child;
        }
        else
        {
            uint last = At(first).Previous;
            At(last).Next = child;
            At(child).Previous = last;
        }

        At(first).Previous = child;
    }

    private void Unlink(uint parent, uint child)
    {
        ref uint first = ref At(parent).FirstChild;
        ref RetainedNode node = ref At(child);
        if (first == child) first = node.Next;
        else At(node.Previous).Next = node.Next;
        if (node.Next != 0) At(node.Next).Previous = node.Previous;
        else if (first != 0) At(first).Previous = node.Previous;
    }

    private byte[] TopicOf(uint handle)
    {
        int length = -1;
        for (uint node = handle; node != Root; node = At(node).Parent) length += At(node).LevelLength + 1;
        byte[] topic = new byte[length];
        for (uint node = handle; node != Root; node = At(node).Parent)
        {
            Span<byte> level = LevelOf(ref At(node));
            length -= level.Length;
            level.CopyTo(topic.AsSpan(length));
            if (length > 0) topic[--length] = (byte)'/';
        }

        return topic;
    }

    private ref RetainedNode At(uint node) => ref *(RetainedNode*)_heap.At(node);

    private RetainedHead* ValueAt(uint value) => (RetainedHead*)_heap.At(value);

    // Blocks do not move.
    private static Span<byte> LevelOf(ref RetainedNode node) => RetainedNode.LevelOf(ref node);
}
