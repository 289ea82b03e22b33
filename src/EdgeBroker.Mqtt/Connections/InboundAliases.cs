using EdgeBroker.Core.Limits;

namespace EdgeBroker.Mqtt.Connections;

/// <summary>The topics a client has given numbers to on its connection (3.3.2.3.4). Filled as the client uses them.</summary>
/// <param name="maximum">The highest number.</param>
/// <param name="ledger">Where their memory is accounted.</param>
internal sealed class InboundAliases(int maximum, MemoryLedger ledger)
{
    // Hundreds of topics as long as they usually are; what a connection may have of the longest ones that there can be.
    private const int MostBytes = 256 * 1024;

    // The head of a topic's array.
    private const int OverheadBytes = 24;

    private byte[]?[] _topics = [];

    /// <summary>Memory of all of them.</summary>
    public int MemoryBytes { get; private set; }

    /// <summary>Whether a topic, in the place of the one that has the number now, is within what a connection may have.</summary>
    public bool IsWithinBound(uint alias, ReadOnlySpan<byte> topic) => MemoryBytes - SizeOf(Get(alias)) + SizeOf(topic) <= MostBytes;

    /// <summary>Whether there is memory for a topic.</summary>
    public bool HasRoomFor(ReadOnlySpan<byte> topic) => ledger.HasRoomFor(topic.Length);

    /// <summary>Whether the alias is within what CONNACK announced.</summary>
    public bool IsInRange(uint alias) => alias <= maximum;

    /// <summary>Gives a number to a topic, or a new topic to a number.</summary>
    public void Set(uint alias, ReadOnlySpan<byte> topic)
    {
        if (alias > _topics.Length)
        {
            int places = (int)Math.Min(maximum, Math.Max(alias, 2 * _topics.Length));
            Account((places - _topics.Length) * IntPtr.Size);
            Array.Resize(ref _topics, places);
        }

        ref byte[]? known = ref _topics[alias - 1];
        if (known is not null && topic.SequenceEqual(known)) return;
        Account(SizeOf(topic) - SizeOf(known));
        known = topic.ToArray();
    }

    /// <summary>The topic of a number; empty when it has none.</summary>
    public ReadOnlySpan<byte> Get(uint alias) => alias <= _topics.Length ? _topics[alias - 1] : default(ReadOnlySpan<byte>);

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        Account(-MemoryBytes);
        _topics = [];
    }

    private void Account(int bytes)
    {
        MemoryBytes += bytes;
        ledger.Account(MemoryKind.Aliases, bytes);
    }

    private static int SizeOf(ReadOnlySpan<byte> topic) => topic.IsEmpty ? 0 : OverheadBytes + topic.Length;
}
