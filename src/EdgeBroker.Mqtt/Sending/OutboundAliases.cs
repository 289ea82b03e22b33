using EdgeBroker.Core.Topics;

namespace EdgeBroker.Mqtt.Sending;

/// <summary>
/// The numbers the broker gives to topics on one connection: from a topic's first message on, and when all are in use, that of the topic not used for longest.
/// Guarded by the lock of the connection's output.
/// </summary>
internal sealed class OutboundAliases(int maximum)
{
    private readonly Dictionary<byte[], LinkedListNode<Entry>> _byTopic = new(TopicComparer.Instance);
    private readonly LinkedList<Entry> _byUse = new();

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
        if (_byTopic.Count == maximum)
        {
            LinkedListNode<Entry> oldest = _byUse.Last!;
            alias = oldest.Value.Alias;
            _byUse.RemoveLast();
            _byTopic.Remove(oldest.Value.Topic);
        }

        byte[] owned = topic.ToArray();
        _byTopic.Add(owned, _byUse.AddFirst(new Entry(owned, alias)));
        return alias;
    }

    private readonly record struct Entry(byte[] Topic, ushort Alias);
}
