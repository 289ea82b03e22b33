namespace EdgeBroker.Mqtt.Connections;

/// <summary>Which deadline of a connection has passed.</summary>
internal enum DeadlineKind : byte
{
    /// <summary>None.</summary>
    None,

    /// <summary>A re-authentication was begun and not completed.</summary>
    Renewal,

    /// <summary>What the client was let in by has expired.</summary>
    Identity,

    /// <summary>A packet was begun and not completed.</summary>
    Partial,

    /// <summary>A limit held the client long enough.</summary>
    Hold,

    /// <summary>Nothing was heard within one and a half times the keep alive.</summary>
    KeepAlive,
}

/// <summary>
/// All times that a connected client's connection has to look at. The transport has one deadline: it is set to the first of them, and <see cref="Due"/> says
/// which that was. A packet only notes its time; a deadline that comes too early for that finds nothing due and is set again.
/// </summary>
internal struct ConnectionDeadlines()
{
    // A packet must go on arriving: this long, and a second more for each KB announced, slow links included.
    private const long PartialMs = 30_000;
    private const int PartialBytesPerSecond = 1024;

    private const long Never = long.MaxValue;

    private int _keepAliveMs;
    private long _lastPacketMs;

    // What most connections never wait for.
    private Occasional? _occasional;

    /// <summary>When the client's credentials expire.</summary>
    public long IdentityDueMs
    {
        readonly get => _occasional?.IdentityDueMs ?? Never;
        set
        {
            if (value != IdentityDueMs) Occasionally.IdentityDueMs = value;
        }
    }

    /// <summary>When a re-authentication must be over; never while there is none.</summary>
    public long RenewalDueMs
    {
        readonly get => _occasional?.RenewalDueMs ?? Never;
        set
        {
            if (value != RenewalDueMs) Occasionally.RenewalDueMs = value;
        }
    }

    /// <summary>Whether a re-authentication is going on.</summary>
    public readonly bool IsRenewing => RenewalDueMs != Never;

    /// <summary>Until when a limit holds the client; never while none does.</summary>
    public long HeldUntilMs
    {
        readonly get => _occasional?.HeldUntilMs ?? Never;
        set
        {
            if (value != HeldUntilMs) Occasionally.HeldUntilMs = value;
        }
    }

    /// <summary>The client is connected.</summary>
    /// <param name="keepAliveSeconds">The keep alive in force; 0: none.</param>
    /// <param name="nowMs">The time.</param>
    public void Begin(int keepAliveSeconds, long nowMs)
    {
        // [MQTT-3.1.2-22]
        _keepAliveMs = keepAliveSeconds * 1500;
        _lastPacketMs = nowMs;
    }

    /// <summary>A whole packet has come, or the client is read again and could not be heard before.</summary>
    public void NotePacket(long nowMs)
    {
        _lastPacketMs = nowMs;
        if (_occasional is not null) _occasional.PartialDueMs = Never;
    }

    /// <summary>Bytes have come, if only of a packet that is not complete: a sign of life, however long that takes.</summary>
    public void NoteArrival(long nowMs) => _lastPacketMs = nowMs;

    /// <summary>Part of a packet is there.</summary>
    /// <param name="announcedBytes">Its length, 0 when not even that is known.</param>
    /// <param name="isNew">Whether whole packets came before it, so that it has just begun.</param>
    /// <param name="nowMs">The time.</param>
    public void NotePartial(int announcedBytes, bool isNew, long nowMs)
    {
        NoteArrival(nowMs);
        Occasional times = Occasionally;
        if (isNew || times.PartialDueMs == Never) times.PartialSinceMs = nowMs;
        // Its length may come after its first byte.
        times.PartialDueMs = times.PartialSinceMs + PartialMs + (announcedBytes * 1000L / PartialBytesPerSecond);
    }

    /// <summary>When to look next; <see cref="long.MaxValue"/>: nothing is awaited.</summary>
    /// <param name="holds">Why the connection is not read.</param>
    public readonly long Next(HoldReasons holds) => Math.Min(_occasional?.Next ?? Never, KeepAliveDueMs(holds));

    /// <summary>The transport's deadline has passed. Says what is due: the first in the order of <see cref="DeadlineKind"/>.</summary>
    /// <param name="holds">Why the connection is not read.</param>
    /// <param name="nowMs">The time.</param>
    public readonly DeadlineKind Due(HoldReasons holds, long nowMs)
    {
        if (nowMs >= RenewalDueMs) return DeadlineKind.Renewal;
        if (nowMs >= IdentityDueMs) return DeadlineKind.Identity;
        if (nowMs >= PartialDueMs) return DeadlineKind.Partial;
        if (nowMs >= HeldUntilMs) return DeadlineKind.Hold;
        return nowMs >= KeepAliveDueMs(holds) ? DeadlineKind.KeepAlive : DeadlineKind.None;
    }

    private readonly long PartialDueMs => _occasional?.PartialDueMs ?? Never;

    private Occasional Occasionally => _occasional ??= new Occasional();

    private readonly long KeepAliveDueMs(HoldReasons holds) =>
        _keepAliveMs == 0 || (holds & HoldReasons.ByBroker) != 0 ? Never : _lastPacketMs + _keepAliveMs;

    private sealed class Occasional
    {
        public long PartialSinceMs { get; set; }

        public long PartialDueMs { get; set; } = Never;

        public long IdentityDueMs { get; set; } = Never;

        public long RenewalDueMs { get; set; } = Never;

        public long HeldUntilMs { get; set; } = Never;

        public long Next => Math.Min(Math.Min(RenewalDueMs, IdentityDueMs), Math.Min(PartialDueMs, HeldUntilMs));
    }
}
