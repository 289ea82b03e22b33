namespace EdgeBroker.Transport.Buffers;

/// <summary>What the buffers of all connections of the process take, in bytes. Any thread.</summary>
public static class BufferMemory
{
    private static readonly SpreadCount OutputCount = new();
    private static readonly SpreadCount ReceivedCount = new();
    private static readonly SpreadCount UnauthenticatedCount = new();

    /// <summary>Memory of what waits for sockets.</summary>
    public static long OutputBytes => OutputCount.Sum;

    /// <summary>Memory of what was received and not consumed, of peers that have logged in.</summary>
    public static long ReceivedBytes => ReceivedCount.Sum;

    /// <summary>The same of peers that have not.</summary>
    public static long UnauthenticatedBytes => UnauthenticatedCount.Sum;

    /// <summary>Is told of bytes that were taken, on any thread and perhaps under a lock: returns at once.</summary>
    public static event Action<long>? Grown;

    internal static void AddOutput(long bytes)
    {
        OutputCount.Add(bytes);
        if (bytes > 0) Grown?.Invoke(bytes);
    }

    internal static void AddReceived(bool hasLoggedIn, long bytes)
    {
        (hasLoggedIn ? ReceivedCount : UnauthenticatedCount).Add(bytes);
        if (bytes > 0) Grown?.Invoke(bytes);
    }
}
