namespace EdgeBroker.Cluster.Links;

/// <summary>What a frame says. Length (3 bytes, big-endian), type (1 byte), body.</summary>
internal enum FrameType : byte
{
    /// <summary>Who speaks, and where both stand: <see cref="Hello"/>. The first of a link.</summary>
    Hello = 1,

    /// <summary>The clock; says that the link lives.</summary>
    Ping = 2,

    /// <summary>Filters and what is wanted of them: <see cref="Interest.InterestFrames"/>.</summary>
    Interest = 3,

    /// <summary>The interest up to a version is in the tree, and on disk where it is kept.</summary>
    InterestSeen = 4,

    /// <summary>A message, with its place in a lane or without: <see cref="Forwarding.MessageFrames"/>.</summary>
    Message = 5,

    /// <summary>The messages of a lane up to a position are safe.</summary>
    MessageSeen = 6,

    /// <summary>Messages of QoS 0.</summary>
    Burst = 7,

    /// <summary>A retained value, or the tombstone of one.</summary>
    RetainedRow = 8,

    /// <summary>All retained values up to a place in the order of changes have been sent.</summary>
    RetainedThrough = 9,

    /// <summary>Asks for all retained values after a place in the order of changes.</summary>
    RetainedSince = 10,

    /// <summary>The link ends, and why, in words. The last of a link.</summary>
    Bye = 11,

    /// <summary>What a node has of clients: <see cref="Ownership.SessionFrames"/>.</summary>
    Sessions = 12,

    /// <summary>What the node has of clients up to a version has been acted upon, and is on disk where it has to be.</summary>
    SessionsSeen = 13,

    /// <summary>How the node sees the cluster: <see cref="ConsensusFrames"/>.</summary>
    Sight = 14,

    /// <summary>A command for the voters that is handed on to their leader.</summary>
    Propose = 15,

    /// <summary>What became of it.</summary>
    Proposed = 16,

    /// <summary>A will of a client, for the case that its node dies: <see cref="Wills.WillFrames"/>.</summary>
    Will = 17,
}

/// <summary>What goes before what. Nothing relies on the order between two of them.</summary>
internal enum FrameClass
{
    /// <summary>What is short and waited for.</summary>
    Control,

    /// <summary>Messages.</summary>
    Messages,

    /// <summary>Retained values.</summary>
    Bulk,
}
