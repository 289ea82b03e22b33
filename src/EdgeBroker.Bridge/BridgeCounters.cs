namespace EdgeBroker.Bridge;

/// <summary>What a bridge counts since the broker's start. Each field has one writer at a time; read by anybody.</summary>
internal sealed class BridgeCounters
{
    private long _sent;
    private long _acknowledged;
    private long _received;
    private long _refused;
    private long _unwanted;
    private long _loops;
    private long _reconnects;
    private long _lastAcknowledgedMs = -1;
    private double _roundTripMs = -1;

    /// <summary>Messages sent.</summary>
    public long Sent => Volatile.Read(ref _sent);

    /// <summary>Messages the other side has acknowledged.</summary>
    public long Acknowledged => Volatile.Read(ref _acknowledged);

    /// <summary>Messages received and published here.</summary>
    public long Received => Volatile.Read(ref _received);

    /// <summary>Messages that the other side, or this one, has refused for good.</summary>
    public long Refused => Volatile.Read(ref _refused);

    /// <summary>Messages received for which no route leads in.</summary>
    public long Unwanted => Volatile.Read(ref _unwanted);

    /// <summary>Messages that would have gone in a circle.</summary>
    public long Loops => Volatile.Read(ref _loops);

    /// <summary>Connections made.</summary>
    public long Connections => Volatile.Read(ref _reconnects);

    /// <summary>When the other side acknowledged something last, by the broker's clock; -1: never.</summary>
    public long LastAcknowledgedMs => Volatile.Read(ref _lastAcknowledgedMs);

    /// <summary>
    /// How long the other side took last for a message, from its sending to the end of its exchange, in milliseconds; below 0: not known yet.
    /// </summary>
    public double RoundTripMs => Volatile.Read(ref _roundTripMs);

    public void NoteRoundTrip(double ms) => Volatile.Write(ref _roundTripMs, ms);

    public void CountSent() => Interlocked.Increment(ref _sent);

    public void CountAcknowledged(long nowMs)
    {
        Interlocked.Increment(ref _acknowledged);
        Volatile.Write(ref _lastAcknowledgedMs, nowMs);
    }

    public void CountReceived() => Interlocked.Increment(ref _received);

    public void CountRefused() => Interlocked.Increment(ref _refused);

    public void CountUnwanted() => Interlocked.Increment(ref _unwanted);

    public void CountLoop() => Interlocked.Increment(ref _loops);

    public void CountConnection() => Interlocked.Increment(ref _reconnects);
}
