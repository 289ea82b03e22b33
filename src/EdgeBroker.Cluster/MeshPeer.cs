using EdgeBroker.Cluster.Forwarding;
using EdgeBroker.Cluster.Links;
using EdgeBroker.Cluster.Ownership;
using EdgeBroker.Cluster.Wills;
using EdgeBroker.Core.Cluster;

namespace EdgeBroker.Cluster;

/// <summary>Another node, linked or not. Only on the thread that serves the cluster.</summary>
/// <param name="outbox">What goes to it.</param>
/// <param name="inbox">What comes from it.</param>
internal sealed class MeshPeer(PeerOutbox outbox, PeerInbox inbox)
{
    /// <summary>Its number.</summary>
    public byte Node => (byte)outbox.Node;

    public PeerOutbox Outbox => outbox;

    public PeerInbox Inbox => inbox;

    /// <summary>What it has of clients.</summary>
    public PeerSessions Sessions { get; private set; } = new();

    /// <summary>Copies of the wills of its clients.</summary>
    public PeerWills Wills { get; } = new();

    /// <summary>Whether it was removed from the cluster, and nothing of it is kept here.</summary>
    public bool IsForgotten { get; private set; }

    /// <summary>Forgets what it wants, what it has, and what waits for it; how many messages those were.</summary>
    public int Forget()
    {
        IsForgotten = true;
        Sessions = PeerSessions.OfNobody();
        return outbox.Forget();
    }

    /// <summary>It is linked.</summary>
    public void Return()
    {
        if (IsForgotten) Sessions = new PeerSessions();
        IsForgotten = false;
    }

    /// <summary>The link; null: none, or it has not said who it is yet.</summary>
    public PeerLink? Link { get; set; }

    /// <summary>When it last was linked, or the mesh began.</summary>
    public long SinceMs { get; set; }

    /// <summary>When it was last heard; counts while there is no link.</summary>
    public long HeardMs { get; set; }

    /// <summary>The store it came with last.</summary>
    public Guid StoreId { get; set; }

    /// <summary>What it calls itself.</summary>
    public string Name { get; set; } = "";

    /// <summary>Why the last link ended.</summary>
    public string? Cause { get; set; }

    /// <summary>The life of it whose retained values have been taken.</summary>
    public long RetainedLife { get; set; }

    /// <summary>The place in that life's order of changes up to which they have.</summary>
    public long RetainedCursor { get; set; }
}
