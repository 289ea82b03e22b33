namespace EdgeBroker.Mqtt.Connections;

/// <summary>The topics a client has given numbers to on its connection (3.3.2.3.4). Filled as the client uses them.</summary>
internal sealed class InboundAliases(int maximum)
{
    private byte[]?[] _topics = [];

    /// <summary>Whether the alias is within what CONNACK announced.</summary>
    public bool IsInRange(uint alias) => alias <= maximum;

    /// <summary>Gives a number to a topic, or a new topic to a number.</summary>
    public void Set(uint alias, ReadOnlySpan<byte> topic)
    {
        if (alias > _topics.Length) Array.Resize(ref _topics, (int)Math.Min(maximum, Math.Max(alias, 2 * _topics.Length)));
        ref byte[]? known = ref _topics[alias - 1];
        if (known is null || !topic.SequenceEqual(known)) known = topic.ToArray();
    }

    /// <summary>The topic of a number; empty when it has none.</summary>
    public ReadOnlySpan<byte> Get(uint alias) => alias <= _topics.Length ? _topics[alias - 1] : default(ReadOnlySpan<byte>);
}
