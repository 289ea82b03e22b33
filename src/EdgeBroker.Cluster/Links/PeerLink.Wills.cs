using EdgeBroker.Cluster.Wills;

namespace EdgeBroker.Cluster.Links;

// Wills of the other node's clients, and of this one's.
public sealed partial class PeerLink
{
    /// <summary>Tells the other the wills of this node's clients; null: nothing is told yet.</summary>
    internal WillFeed? Wills { get; set; }

    private bool TakeWill(ReadOnlySpan<byte> bytes, MeshPeer peer)
    {
        if (!WillFrames.TryRead(bytes, _mesh.MaxTopicLevels, out WillFrame? frame)) return false;
        return (frame.Value.Stamp.IsNone || _mesh.TryMerge(frame.Value.Stamp)) && _mesh.TakeWill(peer, frame.Value);
    }
}
