using EdgeBroker.Core.Events;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core;

// Sessions begin, change hands and end.
public sealed partial class Broker
{
    /// <summary>
    /// Gives the client's session to a connection: resumes or makes it, takes it from an older connection, which is closed with 0x8E [MQTT-3.1.4-3], and
    /// has CONNACK written.
    /// </summary>
    /// <param name="clientId">The client id.</param>
    /// <param name="cleanStart">Whether an existing session ends first [MQTT-3.1.2-4].</param>
    /// <param name="grant">What the connection brings.</param>
    /// <param name="context">The caller's context.</param>
    /// <param name="link">The connection.</param>
    /// <returns>The right to act for the session; null: the client id belongs to another user, see <see cref="FindOwner"/>.</returns>
    public ConnectionLease? Connect(string clientId, bool cleanStart, SessionGrant grant, RoutingContext context, ISessionLink link)
    {
        Holder? holder = Limits.Holders.Use(grant.UserName, grant.Network);
        try
        {
            return Connect(clientId, cleanStart, grant, holder, context, link);
        }
        finally
        {
            holder?.Release();
        }
    }

    private ConnectionLease? Connect(string clientId, bool cleanStart, SessionGrant grant, Holder? holder, RoutingContext context, ISessionLink link)
    {
        Displaced? displaced = null;
        while (true)
        {
            if (FindOwner(clientId, grant.UserName) is not null) return null;
            Session session = cleanStart ? BeginAnew(clientId, context, ref displaced) : Resume(clientId, context, ref displaced);
            link.Prepare(session);
            if (session.TryAttach(link, grant, holder, out ConnectionLease lease, out ISessionLink? previous, out Will? previousWill))
            {
                _sessions.Deadlines.Remove(session);
                _ways.Set(clientId, grant.Way);
                if (previous is not null) _sessions.CountDisconnected(previous);
                _sessions.CountConnected(link);
                NoteReadiness(session);
                previous?.Close(ReasonCode.SessionTakenOver);
                if (previousWill is not null) PublishWill(previousWill, session, context);
                if (previous is not null)
                {
                    displaced = new Displaced(previous, grant.UserName);
                    var end = new Disconnection(SessionKept: true, WillPublished: previousWill is not null);
                    TellDisconnected(clientId, grant.UserName, previous, ReasonCode.SessionTakenOver, end);
                }

                if (displaced is { } other) TellTakenOver(clientId, grant.UserName, link, other);
                return lease;
            }

            if (session.IsOfAnother(grant.UserName)) return null;
            // Either it is not this client's to resume and ends here, or it ended between being found and being taken; whoever ended it removes it too, and one
            // of us is first.
            End(session, context, ref displaced);
            _sessions.TryRemove(new KeyValuePair<string, Session>(clientId, session));
        }
    }

    /// <summary>
    /// The user to whom a client id belongs, because a session of it is connected or kept, where that is another one than this; null: nobody. An anonymous
    /// client's belongs to whoever comes.
    /// </summary>
    /// <param name="clientId">The client id.</param>
    /// <param name="userName">Who wants it; null: an anonymous client.</param>
    public string? FindOwner(string clientId, string? userName) =>
        _sessions.TryGetValue(clientId, out Session? session) && session.IsOfAnother(userName) ? session.UserName : null;

    /// <summary>The connection that a client's session has now; null: none.</summary>
    /// <param name="clientId">The client id.</param>
    public ISessionLink? FindLink(string clientId) => _sessions.TryGetValue(clientId, out Session? session) ? session.Link : null;

    /// <summary>The connection is gone. Does nothing for a connection whose session was taken over.</summary>
    /// <param name="lease">The connection's right.</param>
    /// <param name="discardWill">Whether the client said goodbye with 0x00.</param>
    /// <param name="newExpirySeconds">The expiry its DISCONNECT asked for, or null.</param>
    /// <param name="context">The caller's context.</param>
    /// <param name="isFault">Whether a bug ended the connection: then the session may be half changed, and is put together anew.</param>
    /// <returns>What became of its session; null: it had none any more, and whoever took it has told of its end.</returns>
    public Disconnection? Disconnect(ConnectionLease lease, bool discardWill, uint? newExpirySeconds, RoutingContext context, bool isFault = false)
    {
        Detachment detachment = lease.Session.Detach(lease, discardWill, newExpirySeconds, isFault);
        return detachment.Link is { } link ? Conclude(lease.Session, link, detachment, context) : null;
    }

    private Disconnection Conclude(Session session, ISessionLink link, in Detachment detachment, RoutingContext context)
    {
        _sessions.CountDisconnected(link);
        if (detachment.Ending is { } ending)
        {
            Finish(session, ending, context);
            return new Disconnection(SessionKept: false, ending.Will is not null);
        }

        if (detachment.WillNow is { } will) PublishWill(will, session, context);
        // A connection may have come meanwhile and found no deadline to remove; then the one set here finds it connected and does nothing.
        _sessions.Deadlines.Set(session, detachment.DueMs);
        NoteReadiness(session);
        // Nor does one that was ended meanwhile stay there for the weeks its expiry may be.
        if (session.Readiness == ReceiverReadiness.Gone) _sessions.Deadlines.Remove(session);
        return new Disconnection(SessionKept: true, detachment.WillNow is not null);
    }

    private Session Resume(string clientId, RoutingContext context, ref Displaced? displaced)
    {
        Session session = _sessions.GetOrAdd(clientId, id => new Session(id, _environment));
        // What ends with its connection is not carried into another one: taking over closes the connection first [MQTT-3.1.2-6], [MQTT-3.1.4-3].
        return session.EndsBeforeResumption ? BeginAnew(clientId, context, ref displaced) : session;
    }

    private Session BeginAnew(string clientId, RoutingContext context, ref Displaced? displaced)
    {
        var fresh = new Session(clientId, _environment);
        while (true)
        {
            if (_sessions.TryAdd(clientId, fresh)) return fresh;
            if (!_sessions.TryGetValue(clientId, out Session? existing)) continue;
            if (!_sessions.TryUpdate(clientId, fresh, existing)) continue;
            End(existing, context, ref displaced);
            return fresh;
        }
    }

    /// <summary>Ends a session that gives way to another of its client id.</summary>
    private void End(Session session, RoutingContext context, ref Displaced? displaced)
    {
        if (session.GiveWay() is not { } ending) return;
        Finish(session, ending, context);
        if (ending.Link is { } link) displaced = new Displaced(link, session.UserName);
    }

    /// <summary>Puts in order what an ended session leaves.</summary>
    /// <returns>What is on disk when the session is over there too; null: it is in no store.</returns>
    private Completion? Finish(Session session, SessionEnding ending, RoutingContext context, ReasonCode reason = ReasonCode.SessionTakenOver)
    {
        _sessions.TryRemove(new KeyValuePair<string, Session>(session.Id, session));
        _sessions.Deadlines.Remove(session);
        if (!_sessions.ContainsKey(session.Id)) _ways.Set(session.Id, way: null);
        if (ending.Link is not null)
        {
            _sessions.CountDisconnected(ending.Link);
            ending.Link.Close(reason);
            TellDisconnected(session.Id, session.UserName, ending.Link, reason, new Disconnection(SessionKept: false, ending.Will is not null));
        }

        ending.Deferred.Complete();
        foreach (Subscription subscription in ending.Subscriptions)
        {
            SyncTree(session, subscription.Filter);
            Events.SubscriptionRemoved(
                new SubscriptionRemovedEvent { ClientId = session.Id, Filter = subscription.Filter, Cause = SubscriptionEnd.SessionEnded });
        }

        if (ending.Will is not null) PublishWill(ending.Will, session, context);
        foreach (OrphanedMessage orphan in ending.Orphans) Reassign(orphan, session, context);
        CountDropped(session, ending.Dropped, DropReason.SessionEnded, context);
        // Last, behind what its will and its orphans left in the journal: nothing is lost in between.
        Completion? deleted = ending.Stored is null ? null : _transfers.Delete(session, ending.Stored, ending.Spilled);
        Events.SessionEnded(session.Id);
        Cluster.Ended(session.Id);
        return deleted;
    }

    private void PublishWill(Will will, Session session, RoutingContext context)
    {
        if (FindWillObjection(will, session) is { } cause)
        {
            context.Counters.CountDropped(DropReason.NotPermitted);
            TellWillRefused(will.Message, session.Id, session.UserName, cause);
            session.RecordWillPublished();
            return;
        }

        Publish(OfWill(will.Message, will.ExpirySeconds, session), context);
        session.RecordWillPublished();
    }

    private static Publication OfWill(Message will, uint? expirySeconds, Session? publisher) => new()
    {
        Topic = will.Topic,
        Payload = will.Payload,
        Properties = will.Properties,
        QoS = will.QoS,
        Retain = will.Retain,
        ExpirySeconds = expirySeconds,
        Publisher = publisher,
        IsBrokersOwn = true,
    };

    // Its client had the right when it connected; that may be weeks ago.
    private string? FindWillObjection(Will will, Session session) =>
        will.Author is { } author ? author.FindObjection(will.Message) : JudgeRestoredWill?.Invoke(session.Id, session.UserName, will.Message);

    private void TellWillRefused(Message will, string clientId, string? userName, string cause) => Events.PublishRefused(new RefusedEvent
    {
        ClientId = clientId,
        UserName = userName,
        Topic = will.Topic,
        QoS = will.QoS,
        Retain = will.Retain,
        Reason = ReasonCode.NotAuthorized,
        Cause = "the will: " + cause,
    });

    /// <summary>Hands a message of an ended member to another member of its group.</summary>
    internal void Reassign(OrphanedMessage orphan, Receiver from, RoutingContext context)
    {
        Publication publication = Publication.Of(orphan.Message, Clock.NowMs);
        context.BeginOne(publication);
        DeliveryOutcome outcome = Subscriptions.FindGroup(orphan.SharedFilter) is { } group
            ? DeliverToOne(group, publication, context, except: from)
            : DeliveryOutcome.Ignored;
        RecordPublish(publication, null, context, ReasonCode.Success);
        if (orphan.Stored is not null) ((Session)from).Forget(orphan);
        if (outcome.Result == DeliveryResult.Ignored) CountDropped(from, 1, DropReason.SessionEnded, context);
        if (context.Isolated.Count > 0) ConcludeIsolated(context);
    }
}
