using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Topics;

namespace EdgeBroker.Mqtt.Sending;

/// <summary>
/// The numbers the broker gives to topics on one connection: from a topic's first message on, and when all are in use, that of the topic not used for longest.
/// Guarded by the lock of the connection's output.
/// </summary>
/// <param name="maximum">How many.</param>
/// <param name="ledger">Where their memory is accounted.</param>
internal sealed class OutboundAliases(int maximum, MemoryLedger ledger)
{
    // The head of the topic's array, its node, and its place in the dictionary, which is half empty at times.
    private const int EntryBytes = 24 + 64 + 48;

    private readonly Dictionary<byte[], LinkedListNode<Entry>> _byTopic = new(TopicComparer.Instance);
    private readonly LinkedList<Entry> _byUse = new();

    /// <summary>Memory of what is in use.</summary>
    public long MemoryBytes { get; private set; }

    /// <summary>The topic's number, when it has one; it counts as used.</summary>
    public bool TryFind(ReadOnlySpan<byte> topic, out ushort alias)
    {
        // Many a subscriber has one topic, or several messages of one behind each other.
        if (_byUse.First is { } last && topic.SequenceEqual(last.Value.Topic))
        {
            alias = last.Value.Alias;
            return true;
        }

        alias = 0;
        if (!_byTopic.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(topic, out LinkedListNode<Entry>? node)) return false;
        alias = node.Value.Alias;
        _byUse.Remove(node);
        _byUse.AddFirst(node);
        return true;
    }

    /// <summary>Gives the topic a number.</summary>
    public ushort Assign(ReadOnlySpan<byte> topic)
    {
        ushort alias = (ushort)(_byTopic.Count + 1);
        int moreBytes = EntryBytes + topic.Length;
        if (_byTopic.Count == maximum)
        {
            LinkedListNode<Entry> oldest = _byUse.Last!;
            alias = oldest.Value.Alias;
            moreBytes -= EntryBytes + oldest.Value.Topic.Length;
            _byUse.RemoveLast();
            _byTopic.Remove(oldest.Value.Topic);
        }

        MemoryBytes += moreBytes;
        if (moreBytes != 0) ledger.Account(MemoryKind.Aliases, moreBytes);
        byte[] owned = topic.ToArray();
        _byTopic.Add(owned, _byUse.AddFirst(new Entry(owned, alias)));
        return alias;
    }

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        ledger.Release(MemoryKind.Aliases, MemoryBytes);
        MemoryBytes = 0;
        _byTopic.Clear();
        _byUse.Clear();
    }

    private readonly record struct Entry(byte[] Topic, ushort Alias);
}
