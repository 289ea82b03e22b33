using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core;

// A session moves from one node to another. All on the thread that serves the cluster.
public sealed partial class Broker
{
    /// <summary>
    /// A client's session is to move to another node: its connection is closed, and <see cref="TryExport"/> copies it as soon as that is gone and all is in
    /// memory.
    /// </summary>
    /// <param name="clientId">The client id.</param>
    /// <param name="changed">Called when another look is worth it; on any thread, under a lock.</param>
    /// <returns>The session; null: there is none, or it cannot move.</returns>
    public Session? Pin(string clientId, Action changed)
    {
        if (FindSession(clientId) is not { } session || !session.TryPin(changed)) return null;
        using OwnCall call = BeginOwnCall();
        session.Link?.Close(ReasonCode.SessionTakenOver);
        return session;
    }

    /// <summary>A session that was to move stays.</summary>
    public void Unpin(Session session)
    {
        using OwnCall call = BeginOwnCall();
        session.Unpin();
    }

    /// <summary>Copies a session that is to move.</summary>
    /// <param name="session">The session, pinned.</param>
    /// <param name="hasFailed">Whether it cannot be had any more.</param>
    /// <returns>The copy, of what it is now; null: not yet.</returns>
    public SessionSnapshot? TryExport(Session session, out bool hasFailed)
    {
        using OwnCall call = BeginOwnCall();
        return session.TryExport(out hasFailed);
    }

    /// <summary>
    /// Gathers from now on what comes by the filters of a session that is to move here. It is in memory only: the session's node has it, too.
    /// </summary>
    /// <param name="clientId">The client id.</param>
    /// <param name="subscriptions">The session's subscriptions.</param>
    /// <returns>The shadow; null: the client has something here.</returns>
    public Session? OpenShadow(string clientId, IReadOnlyCollection<SnapshotSubscription> subscriptions)
    {
        if (FindSession(clientId) is not null) return null;
        using OwnCall call = BeginOwnCall();
        Session shadow = Session.OpenShadow(clientId, subscriptions, _environment);
        if (!_sessions.TryAdd(clientId, shadow))
        {
            shadow.End(onlyIfDetached: true);
            return null;
        }

        foreach (SnapshotSubscription one in subscriptions) SyncTree(shadow, one.Filter);
        return shadow;
    }

    /// <summary>Makes the session of its shadow.</summary>
    /// <param name="shadow">The shadow.</param>
    /// <param name="snapshot">The session as it was on its node.</param>
    /// <param name="epoch">Under what this node owns it.</param>
    /// <param name="committed">Done when all of it is on disk: then it is this node's. Null: nothing to wait for.</param>
    /// <returns>False: the shadow has ended, or the session is another one by now.</returns>
    public bool TryImport(Session shadow, SessionSnapshot snapshot, Epoch epoch, out Completion? committed)
    {
        using OwnCall call = BeginOwnCall();
        Holder? holder = Limits.Holders.Use(snapshot.UserName, ClientNetwork.None);
        try
        {
            if (!shadow.TryImport(snapshot, epoch, holder, out committed)) return false;
        }
        finally
        {
            holder?.Release();
        }

        _sessions.Deadlines.Set(shadow, shadow.RestoredDueMs);
        return true;
    }

    /// <summary>Ends a shadow that comes to nothing, or a session that has moved: nobody hears of it, and its will is not published.</summary>
    /// <returns>What is on disk when it is over there too; null: nothing to wait for.</returns>
    public Completion? EndMoved(Session session)
    {
        using OwnCall call = BeginOwnCall();
        if (session.End(onlyIfDetached: true) is not { } ending) return null;
        _sessions.TryRemove(new KeyValuePair<string, Session>(session.Id, session));
        _sessions.Deadlines.Remove(session);
        if (!_sessions.ContainsKey(session.Id)) _ways.Set(session.Id, way: null);
        ending.Deferred.Complete();
        foreach (Subscription subscription in ending.Subscriptions) SyncTree(session, subscription.Filter);
        return ending.Stored is null ? null : _transfers.Delete(session, ending.Stored, ending.Spilled);
    }
}
