using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;

namespace EdgeBroker.Core.Sessions;

/// <summary>
/// Whose the session is and how long it lasts: connections come and go, the will waits, time ends it. A field of the session, guarded by its lock where nothing
/// else is said; a copy is of no use.
/// </summary>
internal struct SessionLifetime
{
    private Will? _will;

    // The user it was begun by; null: anonymous.
    private string? _owner;

    private long _willDueMs;
    private long _expiresAtMs;
    private uint _generation;
    private uint _expirySeconds;
    private bool _hasEnded;
    private bool _awaitsReturn;

    /// <summary>The session's index in <see cref="DeadlineHeap"/>, which guards it; -1: not in it.</summary>
    public int HeapIndex = -1;

    public SessionLifetime()
    {
    }

    /// <summary>Whether it is over for good; read with or without the lock.</summary>
    public bool HasEnded => Volatile.Read(ref _hasEnded);

    /// <summary>Whether it outlives its connection; read with or without the lock.</summary>
    public bool OutlivesConnection => Volatile.Read(ref _expirySeconds) != 0;

    /// <summary>
    /// Whether it lost its connection with an earlier life of the process, and its will waits for its client to be back: a failing server defers a will, and
    /// whoever was there all the time was never gone. Read with or without the lock.
    /// </summary>
    public bool AwaitsReturn => Volatile.Read(ref _awaitsReturn);

    /// <summary>The user it was begun by; null: anonymous. Read with or without the lock.</summary>
    public string? Owner => Volatile.Read(ref _owner);

    /// <summary>How long it outlives its connection.</summary>
    public readonly uint ExpirySeconds => _expirySeconds;

    /// <summary>When it ends, while it has no connection.</summary>
    public readonly long ExpiresAtMs => _expiresAtMs;

    /// <summary>Whether no connection has had it yet.</summary>
    public readonly bool IsNew => _generation == 0;

    /// <summary>The generation of the connection that has it.</summary>
    public readonly uint Generation => _generation;

    /// <summary>The will; null: none, or published.</summary>
    public readonly Will? Will => _will;

    /// <summary>When it is to be looked at next, while it has no connection.</summary>
    public readonly long DueMs => Math.Min(_willDueMs, _expiresAtMs);

    /// <summary>Whether a connection's right is still good.</summary>
    public readonly bool IsCurrent(uint generation) => generation == _generation && !_hasEnded;

    /// <summary>Whether it may be resumed by a user: only by the one who began it.</summary>
    public readonly bool BelongsTo(string? userName) => IsNew || _owner == userName;

    /// <summary>A connection takes it; returns the generation that is its right.</summary>
    public uint Attach(SessionGrant grant)
    {
        Volatile.Write(ref _owner, grant.UserName);
        _will = grant.Will;
        Volatile.Write(ref _expirySeconds, grant.ExpirySeconds);
        Volatile.Write(ref _awaitsReturn, false);
        return ++_generation;
    }

    /// <summary>The connection is gone.</summary>
    /// <param name="nowMs">The broker clock's time.</param>
    /// <param name="discardWill">Whether the client discarded its will by DISCONNECT with 0x00 [MQTT-3.14.4-3].</param>
    /// <param name="newExpirySeconds">The expiry DISCONNECT asked for, or null.</param>
    public void Detach(long nowMs, bool discardWill, uint? newExpirySeconds)
    {
        _generation++;
        if (newExpirySeconds is { } seconds) Volatile.Write(ref _expirySeconds, seconds);
        if (discardWill) _will = null;
        _expiresAtMs = nowMs + (_expirySeconds * 1000L);
        _willDueMs = _will is null ? long.MaxValue : nowMs + (_will.DelaySeconds * 1000L);
    }

    /// <summary>Takes the will away: somebody else has published it, or will.</summary>
    public void DiscardWill() => (_will, _willDueMs) = (null, long.MaxValue);

    /// <summary>Whether its time is over, while it has no connection.</summary>
    public readonly bool HasExpired(long nowMs) => nowMs >= _expiresAtMs;

    /// <summary>Takes the will when its delay is over, while there is no connection; null: not due, or none.</summary>
    public Will? TakeDueWill(long nowMs) => nowMs >= _willDueMs ? TakeWill() : null;

    /// <summary>Ends it for good. However long its delay, a will does not outlive the session [MQTT-3.1.2-8].</summary>
    public Will? End()
    {
        Volatile.Write(ref _hasEnded, true);
        _generation++;
        return TakeWill();
    }

    /// <summary>Takes up where an earlier life of the process ended.</summary>
    /// <param name="restored">What the store has.</param>
    /// <param name="backByMs">Until when a client that lost its connection then may be back, and its will is not published.</param>
    public void Restore(RestoredSession restored, long backByMs)
    {
        if (!restored.LostConnection) backByMs = 0;
        Volatile.Write(ref _awaitsReturn, restored.LostConnection);
        _generation = 1;
        _owner = restored.UserName;
        _expirySeconds = restored.ExpirySeconds;
        _will = restored.Will;
        // A will does not outlive its session, so the session lasts as long.
        _expiresAtMs = restored.Will is null ? restored.EndsAtMs : Math.Max(restored.EndsAtMs, backByMs);
        _willDueMs = restored.Will is null ? long.MaxValue : Math.Max(restored.WillAtMs, backByMs);
    }

    /// <summary>It is the shadow of another node's session: there is nobody whose it is, and no time at which it ends.</summary>
    public void BeginShadow()
    {
        _generation = 1;
        Volatile.Write(ref _expirySeconds, uint.MaxValue);
        _expiresAtMs = _willDueMs = long.MaxValue;
    }

    /// <summary>Becomes what it was on another node.</summary>
    public void Import(SessionSnapshot snapshot, long nowMs)
    {
        Volatile.Write(ref _owner, snapshot.UserName);
        Volatile.Write(ref _expirySeconds, snapshot.ExpirySeconds);
        _will = snapshot.Will;
        _expiresAtMs = nowMs + snapshot.EndsInMs;
        _willDueMs = _will is null ? long.MaxValue : nowMs + snapshot.WillInMs;
    }

    /// <summary>How it stands, for the store.</summary>
    public readonly SessionSaved ToFact(
        StoredSession session, bool isConnected, long sentPosition, QueuePolicy? policy, Holder? holder = null, Epoch epoch = default) => new(session)
        {
            ExpirySeconds = _expirySeconds,
            IsConnected = isConnected,
            EndsAtMs = isConnected ? SessionSaved.Never : _expiresAtMs,
            WillAtMs = isConnected || _will is null ? SessionSaved.Never : _willDueMs,
            SentPosition = isConnected ? SessionSaved.Never : sentPosition,
            Will = _will,
            UserName = _owner,
            Holder = holder,
            QueuePolicy = policy,
            Epoch = epoch,
        };

    private Will? TakeWill()
    {
        Will? will = _will;
        _will = null;
        _willDueMs = long.MaxValue;
        Volatile.Write(ref _awaitsReturn, false);
        return will;
    }
}
