using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Journaling;

namespace EdgeBroker.Cluster.Ownership;

/// <summary>What this node has of a client: a session, or claims to one. Only on the thread that serves the cluster.</summary>
/// <param name="clientId">The client id.</param>
internal sealed class OwnSession(string clientId)
{
    public string ClientId => clientId;

    /// <summary>Claims that wait for other nodes.</summary>
    public int Waiting { get; set; }

    /// <summary>Claims that were granted, and of which it is not known yet what they came to.</summary>
    public int Pending { get; set; }

    /// <summary>Whether a claim was ever granted, or the store has the session.</summary>
    public bool IsGranted { get; set; }

    /// <summary>Whether it outlives its connection.</summary>
    public bool IsKept { get; set; }

    /// <summary>Whether the others have been told of it as of something that is there.</summary>
    public bool IsNamed { get; set; }

    /// <summary>Whether a newer one on another node has passed it over.</summary>
    public bool IsFrozen { get; set; }

    /// <summary>Whether it is the one its client finds wherever it comes: it outlives its connection, and no newer one is elsewhere.</summary>
    public bool IsOwned => IsGranted && IsKept && !IsFrozen;

    /// <summary>Of the last claim that was granted.</summary>
    public Stamp Stamp { get; set; }

    /// <summary>Of the last claim that waits or was granted.</summary>
    public Stamp ClaimStamp { get; set; }

    /// <summary>Of the last claim that came to a connection; none: no client was ever told of the session.</summary>
    public Stamp SessionStamp { get; set; }

    /// <summary>The mark of the user of the last claim granted.</summary>
    public UInt128 User { get; set; }

    /// <summary>What was claimed below this is over: the client has begun anew elsewhere.</summary>
    public Stamp VoidBelow { get; set; }

    /// <summary>Connections whose claims are below this are to be closed: the client has a newer one elsewhere.</summary>
    public Stamp CloseBelow { get; set; }

    /// <summary>Done when what is void has ended for good; null: nothing of it can still come.</summary>
    public Condemnation? Condemned { get; set; }

    /// <summary>As the others are told of it.</summary>
    public SessionEntry Entry => new(clientId, KindOf(), IsGranted ? Stamp : ClaimStamp, User);

    private SessionKind KindOf()
    {
        if (!IsGranted) return SessionKind.Claimed;
        return !IsKept ? SessionKind.Connection : IsFrozen ? SessionKind.Frozen : SessionKind.Kept;
    }

    /// <summary>The end of what is void and had still a connection to come.</summary>
    internal sealed class Condemnation : Completion;
}
