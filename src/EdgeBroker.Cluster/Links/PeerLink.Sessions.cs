using EdgeBroker.Cluster.Fields;
using EdgeBroker.Cluster.Ownership;
using EdgeBroker.Core.Journaling;

namespace EdgeBroker.Cluster.Links;

// Which sessions the other node has.
public sealed partial class PeerLink
{
    private const int MostSessions = 1_000_000;

    private readonly SeenQueue _sessionsToSee;

    /// <summary>The version of what this node has of clients that the other has acted upon; -1: not all there is yet.</summary>
    internal long SessionsSeen { get; private set; } = -1;

    /// <summary>Whether the other has told all it has.</summary>
    internal bool HasSessions { get; private set; }

    private bool TakeSessions(ReadOnlySpan<byte> bytes, MeshPeer peer)
    {
        var body = new FieldReader(bytes);
        long version = body.Int64();
        var part = (SessionsPart)body.Byte();
        if (body.IsBroken || version < 0 || (!HasSessions && (part & SessionsPart.Full) == 0)) return false;
        if ((part & SessionsPart.First) != 0) peer.Sessions.BeginAll();
        Completion? completion = null;
        while (!body.IsAtEnd)
        {
            if (!SessionFrames.TryRead(ref body, out SessionEntry entry) || !_mesh.TryMerge(entry.Stamp)) return false;
            if (peer.Sessions.Count >= MostSessions) return false;
            completion = Completion.Both(completion, _mesh.Sessions.Take(peer, entry));
        }

        if (body.IsBroken) return false;
        bool isWhole = (part & SessionsPart.Full) == 0 || (part & SessionsPart.Last) != 0;
        if ((part & SessionsPart.Last) != 0)
        {
            _mesh.Sessions.TakeAll(peer);
            HasSessions = true;
        }

        _sessionsToSee.Add(isWhole ? version : -1, completion);
        return true;
    }

    private bool TakeSessionsSeen(ReadOnlySpan<byte> bytes, MeshPeer peer)
    {
        var body = new FieldReader(bytes);
        long version = body.Int64();
        if (!body.IsWhole || version > _mesh.Sessions.Version) return false;
        SessionsSeen = Math.Max(SessionsSeen, version);
        peer.Sessions.Seen = Math.Max(peer.Sessions.Seen, version);
        return true;
    }
}
