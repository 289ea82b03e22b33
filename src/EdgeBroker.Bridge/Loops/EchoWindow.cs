namespace EdgeBroker.Bridge.Loops;

/// <summary>
/// What has gone out lately: as often as it comes back from a broker that marks nothing, it is left out. Somebody else's message of the same topic and payload
/// passes for an echo within that time, so this is for brokers that offer nothing better. Any thread, also under a session's lock.
/// </summary>
/// <param name="window">How long an echo is waited for.</param>
internal sealed class EchoWindow(TimeSpan window)
{
    private const int Capacity = 65_536;

    private readonly Lock _lock = new();
    private readonly AgedTable<Count> _sent = new((long)window.TotalMilliseconds, Capacity);

    /// <summary>A message goes out.</summary>
    public void Sent(ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload, long nowMs)
    {
        ulong key = Digest.Of(default, topic, payload);
        lock (_lock.Leaf())
        {
            if (!_sent.TryFind(key, nowMs, out Count? count)) count = new Count();
            count.Value++;
            _sent.Set(key, count, nowMs);
        }
    }

    /// <summary>Whether a message that comes in is one that went out.</summary>
    public bool IsEcho(ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload, long nowMs)
    {
        ulong key = Digest.Of(default, topic, payload);
        lock (_lock.Leaf())
        {
            if (!_sent.TryFind(key, nowMs, out Count? count)) return false;
            if (--count.Value <= 0) _sent.Remove(key);
            return true;
        }
    }

    private sealed class Count
    {
        public int Value;
    }
}
