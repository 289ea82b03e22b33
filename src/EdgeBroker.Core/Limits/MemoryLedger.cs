using System.Numerics;
using EdgeBroker.Core.Metrics;

namespace EdgeBroker.Core.Limits;

/// <summary>What memory is used for that clients can make grow.</summary>
public enum MemoryKind : byte
{
    /// <summary>Bytes received and not yet handled, of clients that have logged in. Buffers are those of the whole process.</summary>
    ReceiveBuffers,

    /// <summary>The same of connections that have not logged in yet, and CONNECTs that wait for a verdict.</summary>
    UnauthenticatedBuffers,

    /// <summary>Bytes that wait for a client's socket.</summary>
    Output,

    /// <summary>Messages that wait in sessions, each counted once, and the queues' own memory.</summary>
    Queues,

    /// <summary>
    /// Messages sent and not yet acknowledged that no queue holds, the windows' own memory, and the packet identifiers of open QoS 2 exchanges.
    /// </summary>
    Inflight,

    /// <summary>Retained messages, and the tree of their topics.</summary>
    Retained,

    /// <summary>Sessions themselves.</summary>
    Sessions,

    /// <summary>Wills.</summary>
    Wills,

    /// <summary>Subscriptions, and the tree of their filters.</summary>
    Filters,

    /// <summary>Topic aliases of connections, each way.</summary>
    Aliases,

    /// <summary>Credentials that are being verified.</summary>
    Verifications,

    /// <summary>Queues of clients within the process.</summary>
    LocalQueues,

    /// <summary>CoAP peers, what is remembered of their requests, and bodies in blocks.</summary>
    Coap,

    /// <summary>Events that wait for receivers of webhooks.</summary>
    Webhooks,
}

/// <summary>
/// Everything that clients can make grow, in bytes by kind. Whoever takes memory for a client accounts it, and releases as much; what others keep count of is
/// polled. Any thread: threads have cells of their own, so that counting costs an uncontended addition.
/// </summary>
public sealed class MemoryLedger
{
    // A cache line each, and the one fetched with it.
    private const int CellLongs = 16;

    private static readonly MemoryKind[] Kinds = Enum.GetValues<MemoryKind>();
    private static readonly int Cells = Math.Min(16, (int)BitOperations.RoundUpToPowerOf2((uint)Environment.ProcessorCount));

    // What a thread takes before somebody looks at the sum: a fast client fills tens of megabytes between two looks of whoever watches over memory.
    private const long StepBytes = 1024 * 1024;

    // Of the memory that clients can make grow, what may be used for what stays when they have gone, in percent.
    private const int LastingPercent = 60;

    [ThreadStatic]
    private static long _grownBytes;

    private readonly long[] _bytes = new long[Cells * CellLongs];
    private readonly Func<long>[][] _polled = [.. Kinds.Select(_ => Array.Empty<Func<long>>())];
    private readonly Lock _lock = new();
    private long _limitBytes = long.MaxValue;

    /// <summary>Bytes of all kinds.</summary>
    public long TotalBytes
    {
        get
        {
            // Asked for with every megabyte that is taken: without objects.
            long sum = 0;
            foreach (MemoryKind kind in Kinds) sum += Bytes(kind);
            return sum;
        }
    }

    /// <summary>What the total may be before something large is refused.</summary>
    public long LimitBytes
    {
        get => Volatile.Read(ref _limitBytes);
        set => Volatile.Write(ref _limitBytes, value);
    }

    /// <summary>Called on whatever thread has taken another megabyte, perhaps under a lock: takes none, and does not call out.</summary>
    internal Action? Grown { get; set; }

    /// <summary>Notes that memory was taken.</summary>
    public void Account(MemoryKind kind, long bytes)
    {
        Interlocked.Add(ref _bytes[Cell(kind)], bytes);
        if (bytes > 0) NoteGrowth(bytes);
    }

    /// <summary>Notes that memory was taken of which others keep count.</summary>
    public void NoteGrowth(long bytes)
    {
        if ((_grownBytes += bytes) < StepBytes) return;
        _grownBytes = 0;
        Grown?.Invoke();
    }

    /// <summary>Notes that it was given back.</summary>
    public void Release(MemoryKind kind, long bytes) => Interlocked.Add(ref _bytes[Cell(kind)], -bytes);

    /// <summary>Whether there is memory for so much more; for what one request can make large.</summary>
    public bool HasRoomFor(long bytes) => LimitBytes == long.MaxValue || TotalBytes + bytes <= LimitBytes;

    /// <summary>
    /// Whether there is memory for so much more of what stays when its client has gone: sessions, wills, filters, retained values. It may use a part of the
    /// whole only, so that whoever comes back is let in however much of it there is.
    /// </summary>
    public bool HasLastingRoomFor(long bytes) => LimitBytes == long.MaxValue
        || Bytes(MemoryKind.Sessions) + Bytes(MemoryKind.Wills) + Bytes(MemoryKind.Filters) + Bytes(MemoryKind.Retained) + bytes
            <= LimitBytes / 100 * LastingPercent;

    /// <summary>Adds what somebody else keeps count of.</summary>
    /// <param name="kind">Its kind.</param>
    /// <param name="read">Reads it, on any thread.</param>
    public void Poll(MemoryKind kind, Func<long> read)
    {
        lock (_lock.Alone()) _polled[(int)kind] = [.. _polled[(int)kind], read];
    }

    /// <summary>Bytes of a kind.</summary>
    public long Bytes(MemoryKind kind)
    {
        long sum = 0;
        for (int cell = 0; cell < Cells; cell++) sum += Interlocked.Read(ref _bytes[(cell * CellLongs) + (int)kind]);
        foreach (Func<long> read in _polled[(int)kind]) sum += read();
        return sum;
    }

    /// <summary>Registers the bytes of each kind.</summary>
    internal void RegisterMeters(MeterRegistry meters)
    {
        foreach (MemoryKind kind in Kinds)
        {
            string name = NameOf(kind);
            meters.Gauge(
                "edgebroker.memory.ledger",
                MeterUnit.Bytes,
                "memory that clients have made grow, by what it is used for",
                () => Bytes(kind),
                "memory/" + name,
                tags: new MeterTag("owner", name));
        }
    }

    private static int Cell(MemoryKind kind) => ((Environment.CurrentManagedThreadId & (Cells - 1)) * CellLongs) + (int)kind;

    private static string NameOf(MemoryKind kind) => kind switch
    {
        MemoryKind.ReceiveBuffers => "receive_buffers",
        MemoryKind.UnauthenticatedBuffers => "unauthenticated_buffers",
        MemoryKind.Output => "output",
        MemoryKind.Queues => "queues",
        MemoryKind.Inflight => "inflight",
        MemoryKind.Retained => "retained",
        MemoryKind.Sessions => "sessions",
        MemoryKind.Wills => "wills",
        MemoryKind.Filters => "filters",
        MemoryKind.Aliases => "aliases",
        MemoryKind.Verifications => "verifications",
        MemoryKind.LocalQueues => "local_queues",
        MemoryKind.Coap => "coap",
        MemoryKind.Webhooks => "webhooks",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "A kind needs a name."),
    };
}
