namespace EdgeBroker.Cluster.Tests.Simulation;

/// <summary>A fault built into the parts around the mesh, which the judgement must find.</summary>
[Flags]
internal enum Mutation
{
    None = 0,

    /// <summary>What waits for the disk does not.</summary>
    AcknowledgedBeforeCommit = 1,

    /// <summary>A start numbers its positions as the one before.</summary>
    PositionReused = 2,

    /// <summary>The disk does not keep how far another node's messages were taken.</summary>
    TakenNotKept = 4,

    /// <summary>SUBACK does not wait for the other nodes.</summary>
    NoBarrier = 8,

    /// <summary>A deletion leaves no tombstone.</summary>
    TombstoneAtOnce = 16,

    /// <summary>Each node stamps by its own wall clock.</summary>
    StampFromWallClock = 32,

    /// <summary>The disk does not keep up to where stamps were given.</summary>
    BoundNotKept = 64,

    /// <summary>The disk does not keep what another node's sessions want.</summary>
    InterestNotKept = 128,

    /// <summary>A restarted node does not send what an earlier life has left.</summary>
    OutboxNotKept = 256,

    /// <summary>CONNACK of a new session does not wait for the other nodes.</summary>
    BeginsWithoutBarrier = 512,

    /// <summary>A client that starts clean tells nobody.</summary>
    CleanStartWithoutVoid = 1024,

    /// <summary>The disk does not keep that a client has begun anew.</summary>
    VoidNotKept = 2048,

    /// <summary>A node says that an older session is over before its disk does.</summary>
    VoidSeenBeforeCommit = 4096,

    /// <summary>A node takes every other for dead, and a session of one without asking the voters.</summary>
    GrantedByNobody = 8192,

    /// <summary>The disk keeps a session, and not under what its node owns it.</summary>
    EpochNotKept = 16384,
}
