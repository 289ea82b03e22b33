using EdgeBroker.Core.Journaling;

namespace EdgeBroker.Storage.Journal;

/// <summary>What the journal remembers of a session; its writer thread's, but for the identity.</summary>
/// <param name="clientId">The client id.</param>
internal sealed class SqliteSession(string clientId) : StoredSession(clientId)
{
    /// <summary>Its number in the store; 0: not there yet.</summary>
    public long Id { get; set; }

    /// <summary>Whether it is over and kept for what it leaves to other members of its shared groups.</summary>
    public bool IsEnded { get; set; }

    /// <summary>Whether it was deleted; nothing more is written of it.</summary>
    public bool IsDeleted { get; set; }

    /// <summary>Positions done with.</summary>
    public DoneSet Done { get; set; } = new();

    /// <summary>Positions of QoS 2 deliveries that PUBREC came for and PUBCOMP has not.</summary>
    public SortedSet<long> Released { get; } = [];

    /// <summary>How it stands; the last that was said.</summary>
    public SessionSaved? State { get; set; }

    /// <summary>What said last under what this node owns it; null: as its row says.</summary>
    public SessionSaved? Owned { get; set; }

    /// <summary>Whether its row changes with this transaction.</summary>
    public bool IsStateDirty { get; set; }

    /// <summary>Whether its progress changes with this transaction.</summary>
    public bool IsProgressDirty { get; set; }
}
