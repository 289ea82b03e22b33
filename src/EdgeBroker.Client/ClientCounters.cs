namespace EdgeBroker.Client;

/// <summary>What a client has done so far. Counted under the lock of its session, but for what is received.</summary>
internal sealed class ClientCounters
{
    private long _received;

    public long Connections { get; set; }

    public long Sent { get; set; }

    public long Acknowledged { get; set; }

    public long GivenUp { get; set; }

    public long Received => Volatile.Read(ref _received);

    /// <summary>Over connections that have ended.</summary>
    public long PastBytesSent { get; set; }

    /// <summary>Over connections that have ended.</summary>
    public long PastBytesReceived { get; set; }

    public void CountReceived() => Interlocked.Increment(ref _received);
}
