namespace EdgeBroker.Bridge.Routes;

/// <summary>Remembers for topics where they go, in bounded memory: a topic has one slot, which another one may take. Any thread.</summary>
internal sealed class RoutedTopicCache
{
    private const int Slots = 256;

    // So that it never takes more than some hundred kilobytes.
    private const int LongestTopic = 256;

    private readonly Entry?[] _entries = new Entry?[Slots];

    /// <summary>What is known of a topic; null: nothing.</summary>
    public RoutedTopic? Find(ReadOnlySpan<byte> topic)
    {
        if (topic.Length > LongestTopic) return null;
        Entry? entry = Volatile.Read(ref _entries[SlotOf(topic)]);
        return entry is not null && topic.SequenceEqual(entry.Topic) ? entry.Routed : null;
    }

    /// <summary>Remembers a topic.</summary>
    public void Set(ReadOnlySpan<byte> topic, RoutedTopic routed)
    {
        if (topic.Length > LongestTopic || routed.Topic.Length > 4 * LongestTopic) return;
        Volatile.Write(ref _entries[SlotOf(topic)], new Entry(topic.ToArray(), routed));
    }

    private static int SlotOf(ReadOnlySpan<byte> topic)
    {
        var hash = new HashCode();
        hash.AddBytes(topic);
        return hash.ToHashCode() & (Slots - 1);
    }

    private sealed record Entry(byte[] Topic, RoutedTopic Routed);
}
