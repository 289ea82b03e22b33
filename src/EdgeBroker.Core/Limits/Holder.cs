namespace EdgeBroker.Core.Limits;

/// <summary>
/// What stays of one user's clients, or of the anonymous ones of one address, when they have gone. Counted under the locks of what is counted, read on any
/// thread; takes no lock.
/// </summary>
public sealed class Holder
{
    private const int Gone = -1;

    private string? _text;
    private int _uses;
    private int _sessions;
    private int _filters;
    private int _retained;
    private long _retainedBytes;
    private long _willBytes;

    internal Holder(int id, HolderKey key) => (Id, Key) = (id, key);

    /// <summary>Whose account it is.</summary>
    public HolderKey Key { get; }

    /// <summary>The same as the store has it.</summary>
    public string Text => _text ??= Key.ToString();

    /// <summary>Sessions, connected or not.</summary>
    public int Sessions => Volatile.Read(ref _sessions);

    /// <summary>Filters that they have subscribed.</summary>
    public int Filters => Volatile.Read(ref _filters);

    /// <summary>Bytes of their wills.</summary>
    public long WillBytes => Interlocked.Read(ref _willBytes);

    /// <summary>Retained messages set by them, and not by others since.</summary>
    public int Retained => Volatile.Read(ref _retained);

    /// <summary>Bytes of these, topics included.</summary>
    public long RetainedBytes => Interlocked.Read(ref _retainedBytes);

    /// <summary>The number by which a retained message knows it; not 0.</summary>
    internal int Id { get; }

    /// <summary>Keeps it from being forgotten; false: it has been.</summary>
    internal bool TryUse()
    {
        while (true)
        {
            int uses = Volatile.Read(ref _uses);
            if (uses == Gone) return false;
            if (Interlocked.CompareExchange(ref _uses, uses + 1, uses) == uses) return true;
        }
    }

    internal void Release() => Interlocked.Decrement(ref _uses);

    /// <summary>Forgets it, unless somebody has it.</summary>
    internal bool TryForget() => Interlocked.CompareExchange(ref _uses, Gone, 0) == 0;

    internal void CountSession(int sign) => Interlocked.Add(ref _sessions, sign);

    internal void CountFilters(int count) => Interlocked.Add(ref _filters, count);

    internal void CountWill(long bytes) => Interlocked.Add(ref _willBytes, bytes);

    internal void CountRetained(int sign, long bytes)
    {
        Interlocked.Add(ref _retained, sign);
        Interlocked.Add(ref _retainedBytes, sign * bytes);
    }
}
