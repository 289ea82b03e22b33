namespace EdgeBroker.Bridge.Loops;

/// <summary>
/// Messages that come by several bridges, as in a ring of brokers, are taken once: of those with the same origin, topic and payload as many are taken as came
/// by the bridge that has brought most. So a value that is published twice is taken twice, whichever way its copies come. Any thread.
/// </summary>
internal sealed class CopyWindow
{
    private const int Capacity = 65_536;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(2);

    private readonly Lock _lock = new();
    private readonly AgedTable<Copies> _seen = new((long)Window.TotalMilliseconds, Capacity);

    /// <summary>Whether a message is not a copy of one that came by another bridge.</summary>
    /// <param name="origin">Where it began; empty: unknown, and then it is taken.</param>
    /// <param name="bridge">The bridge it comes by.</param>
    /// <param name="topic">Its topic here.</param>
    /// <param name="payload">Its payload.</param>
    /// <param name="nowMs">The time.</param>
    public bool IsNew(ReadOnlySpan<byte> origin, string bridge, ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload, long nowMs)
    {
        if (origin.IsEmpty) return true;
        ulong key = Digest.Of(origin, topic, payload);
        lock (_lock.Alone())
        {
            if (!_seen.TryFind(key, nowMs, out Copies? copies)) copies = new Copies();
            _seen.Set(key, copies, nowMs);
            int came = copies.ByBridge[bridge] = copies.ByBridge.GetValueOrDefault(bridge) + 1;
            if (came <= copies.Taken) return false;
            copies.Taken = came;
            return true;
        }
    }

    private sealed class Copies
    {
        public Dictionary<string, int> ByBridge { get; } = new(StringComparer.Ordinal);

        public int Taken { get; set; }
    }
}
