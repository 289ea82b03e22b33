using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;

namespace EdgeBroker.Core;

// What stays when its client has gone is bounded, so that there is room for those who come.
public sealed partial class Broker
{
    // A will that comes with a known session, and may be new.
    private const int KnownWillBytes = 1024;

    /// <summary>Which limit keeps a message from being retained; null: none. Replacing with what is not longer, and deleting, always may.</summary>
    private LimitKind? FindRetainLimit(in Publication publication)
    {
        if (publication is not { Retain: true, Payload.IsEmpty: false } || !Options.RetainAvailable || publication.IsBrokersOwn) return null;
        LimitOptions limits = Limits.Current;
        Holder? holder = publication.Publisher?.Holder;
        (int ownCount, long ownBytes) = (holder?.Retained ?? 0, holder?.RetainedBytes ?? 0);
        bool isTight = Retained.Count >= limits.MaxRetained || Retained.SizeBytes + publication.SizeBytes > limits.MaxRetainedBytes
            || ownCount >= limits.MaxRetainedPerUser || ownBytes + publication.SizeBytes > limits.MaxRetainedBytesPerUser
            || !Limits.Ledger.HasLastingRoomFor(publication.SizeBytes);
        if (!isTight) return null;
        long growthBytes = Retained.CountGrowth(publication, out bool isNew);
        if (isNew && Retained.Count >= limits.MaxRetained) return LimitKind.MaxRetained;
        if (isNew && ownCount >= limits.MaxRetainedPerUser) return LimitKind.MaxRetainedPerUser;
        if (growthBytes <= 0) return null;
        if (Retained.SizeBytes + growthBytes > limits.MaxRetainedBytes) return LimitKind.MaxRetainedBytes;
        if (ownBytes + growthBytes > limits.MaxRetainedBytesPerUser) return LimitKind.MaxRetainedBytesPerUser;
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
        LimitOptions limits = Limits.Current;
        Holder? holder = Limits.Holders.Find(grant.UserName, grant.Network);
        if (!isKnown && grant.ExpirySeconds != 0)
        {
            if (_sessions.Count >= limits.MaxSessions) return LimitKind.MaxSessions;
            if (holder?.Sessions >= limits.MaxSessionsPerUser) return LimitKind.MaxSessionsPerUser;
        }

        long willBytes = grant.Will?.Message.SizeBytes ?? 0;
        long knownBytes = isKnown ? session!.WillBytes : 0;
        if (isKnown && willBytes <= (cleanStart ? KnownWillBytes : Math.Max(KnownWillBytes, knownBytes))) return null;
        long growthBytes = willBytes - knownBytes;
        if (growthBytes > 0 && Limits.Ledger.Bytes(MemoryKind.Wills) + growthBytes > limits.MaxWillBytes) return LimitKind.MaxWillBytes;
        if (growthBytes > 0 && (holder?.WillBytes ?? 0) + growthBytes > limits.MaxWillBytesPerUser) return LimitKind.MaxWillBytesPerUser;
        return Limits.Ledger.HasLastingRoomFor(Session.SessionBytes + willBytes) ? null : LimitKind.MaxMemory;
    }

    /// <summary>Which limit keeps a receiver from subscribing another filter; null: none. One that it has may be subscribed anew.</summary>
    internal LimitKind? FindFilterLimit(Receiver receiver, ReadOnlySpan<byte> filter)
    {
        LimitOptions limits = Limits.Current;
        LimitKind? limit = Subscriptions.Count >= limits.MaxFilters ? LimitKind.MaxFilters
            : receiver.Holder?.Filters >= limits.MaxFiltersPerUser ? LimitKind.MaxFiltersPerUser
            : !Limits.Ledger.HasLastingRoomFor(SubscriptionTree.SubscriptionBytes + filter.Length) ? LimitKind.MaxMemory : null;
        return limit is null || receiver.FindSubscription(filter) is not null ? null : limit;
    }
}
