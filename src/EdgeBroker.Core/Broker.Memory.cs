using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Sessions;

namespace EdgeBroker.Core;

// What stays when its client has gone is bounded, so that there is room for those who come; and while memory is short, connections that hold most go first.
public sealed partial class Broker
{
    // A will that comes with a known session, and may be new.
    private const int KnownWillBytes = 1024;

    // Whoever holds less is not what is the matter.
    private const long WorthwhileBytes = 64 * 1024;
    private const long MuchBytes = 1024 * 1024;
    private const int MostGivenUp = 64;

    /// <summary>Which limit keeps a message from being retained; null: none. Replacing with what is not longer, and deleting, always may.</summary>
    private LimitKind? FindRetainLimit(in Publication publication)
    {
        if (publication is not { Retain: true, Payload.IsEmpty: false } || !Options.RetainAvailable || publication.IsBrokersOwn) return null;
        LimitOptions limits = Limits.Current;
        bool isTight = Retained.Count >= limits.MaxRetained || Retained.SizeBytes + publication.SizeBytes > limits.MaxRetainedBytes
            || !Limits.Ledger.HasLastingRoomFor(publication.SizeBytes);
        if (!isTight) return null;
        long growthBytes = Retained.CountGrowth(publication, out bool isNew);
        if (isNew && Retained.Count >= limits.MaxRetained) return LimitKind.MaxRetained;
        if (growthBytes <= 0) return null;
        if (Retained.SizeBytes + growthBytes > limits.MaxRetainedBytes) return LimitKind.MaxRetainedBytes;
        return Limits.Ledger.HasLastingRoomFor(growthBytes) ? null : LimitKind.MaxMemory;
    }

    /// <summary>
    /// Which limit keeps a client from beginning a session, or from leaving a will; null: none. Whoever has a session that is kept comes in, and whoever wants
    /// nothing to be kept does.
    /// </summary>
    /// <param name="clientId">The client id.</param>
    /// <param name="cleanStart">Whether a session that is there ends first.</param>
    /// <param name="grant">What the connection brings.</param>
    public LimitKind? FindSessionLimit(string clientId, bool cleanStart, SessionGrant grant)
    {
        if (grant is { ExpirySeconds: 0, Will: null }) return null;
        bool isKnown = _sessions.TryGetValue(clientId, out Session? session) && session.OutlivesConnection;
        if (!isKnown && grant.ExpirySeconds != 0 && _sessions.Count >= Limits.Current.MaxSessions) return LimitKind.MaxSessions;
        long willBytes = grant.Will?.Message.SizeBytes ?? 0;
        if (isKnown && willBytes <= (cleanStart ? KnownWillBytes : Math.Max(KnownWillBytes, session!.WillBytes))) return null;
        return Limits.Ledger.HasLastingRoomFor(Session.SessionBytes + willBytes) ? null : LimitKind.MaxMemory;
    }

    /// <summary>
    /// Ends the connections that hold most, the largest first, until there is enough again by what they hold. Sessions that outlive their connection are kept,
    /// with their messages where the store has them.
    /// </summary>
    private void GiveUpLargest()
    {
        MemoryPressure memory = Limits.Memory;
        if (memory.Stage == MemoryStage.Normal) return;
        // Nobody is kept out for the sake of a few who hold much.
        long leastBytes = memory.Stage == MemoryStage.Refusing ? MuchBytes : WorthwhileBytes;
        long enoughBytes = memory.LimitBytes / 100 * MemoryPressure.LeavesAtPercent(MemoryStage.Refusing);
        long wantedBytes = memory.OwnBytes + Limits.Ledger.TotalBytes - enoughBytes;
        if (wantedBytes <= 0) return;
        List<(long Bytes, string ClientId, ISessionLink Link)> holders = [];
        foreach (KeyValuePair<string, Session> entry in _sessions)
        {
            long bytes = entry.Value.CountHeldBytes(out ISessionLink? link);
            if (link is not null && bytes >= leastBytes) holders.Add((bytes, entry.Key, link));
        }

        holders.Sort((one, other) => other.Bytes.CompareTo(one.Bytes));
        foreach ((long bytes, string clientId, ISessionLink link) in holders.Take(MostGivenUp))
        {
            Limits.Report(LimitKind.MaxMemory, LimitAction.Disconnected, clientId);
            link.GiveUpMemory();
            wantedBytes -= bytes;
            if (wantedBytes <= 0) return;
        }
    }
}
