using EdgeBroker.Core.Cluster;

namespace EdgeBroker.Storage.Journal;

/// <summary>What the writer goes on from: the last numbers given out, and what is still open.</summary>
internal sealed class JournalState
{
    /// <summary>The last session number given out.</summary>
    public long LastSessionId { get; set; }

    /// <summary>The last message number given out.</summary>
    public long LastMessageId { get; set; }

    /// <summary>No stamp above this is given out.</summary>
    public Stamp StampBound { get; set; }

    /// <summary>Open deliveries.</summary>
    public MessageSegments Segments { get; } = new();

    /// <summary>Rows of retained messages that are superseded.</summary>
    public SupersededRows RetainedGarbage { get; } = new();

    /// <summary>Whether the store is so full that each of these goes at once; else many go together.</summary>
    public bool IsTight { get; set; }
}
