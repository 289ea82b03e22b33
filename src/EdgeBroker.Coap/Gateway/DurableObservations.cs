using System.Text;
using EdgeBroker.Core;
using EdgeBroker.Core.Ingress;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Coap.Gateway;

/// <summary>
/// The observations that outlive their observer's association, by client id: each is a session of the broker's, which is stored, named after client and filter.
/// What else is to be known stands in the session, too: the token as a filter that nobody publishes to, and the mode as the subscription's QoS. Any thread.
/// </summary>
/// <param name="broker">The broker.</param>
internal sealed class DurableObservations(Broker broker)
{
    // Whoever does not come back within a week has been taken away.
    private const uint MaxExpirySeconds = 7 * 24 * 3_600;

    // Fewer are not worth looking through.
    private const int FewSessions = 1_024;

    private readonly Lock _lock = new();
    private Dictionary<string, HashSet<string>>? _byClient;
    private int _count;
    private int _nextCleaning = FewSessions;

    /// <summary>Sessions it knows, some of which may have ended.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The sessions of a client's observations.</summary>
    public IReadOnlyList<string> Of(string clientId)
    {
        lock (_lock.Alone()) return Index().TryGetValue(Escape(clientId), out HashSet<string>? own) ? [.. own] : [];
    }

    /// <summary>Takes the session of an observation, or makes it.</summary>
    /// <param name="client">The observer.</param>
    /// <param name="filter">What it observes.</param>
    /// <param name="token">The token it knows.</param>
    /// <param name="isQueue">Whether it gets every message.</param>
    /// <param name="retained">Which retained messages it is owed.</param>
    /// <param name="context">The server's.</param>
    /// <param name="feed">What brings the messages; null where it is refused.</param>
    /// <param name="stored">Is done when it is on disk; null: there is nothing to wait for.</param>
    /// <returns>The granted QoS, or why not.</returns>
    public ReasonCode TryOpen(
        CoapClient client, string filter, ReadOnlySpan<byte> token, bool isQueue, RetainHandling retained, RoutingContext context, out DurableFeed? feed,
        out Completion? stored)
    {
        (feed, stored) = (null, null);
        string clientId = client.Subject.ClientId;
        string id = IdOf(clientId, filter);
        byte[] mark = MarkOf(token);
        ForgetOthersOf(clientId, id, mark, client.Server.Layer.Limits.MaxObservationsPerPeer, out bool hasRoom);
        if (!hasRoom) return ReasonCode.QuotaExceeded;
        broker.Loops.Begin();
        try
        {
            var opened = new DurableFeed(broker, context, client.Executor, isQueue);
            var grant = new SessionGrant((uint)Math.Min(MaxExpirySeconds, broker.Options.MaxSessionExpiry.TotalSeconds), ReceiveMaximum: 1, Will: null)
            {
                UserName = client.Subject.UserName,
                Network = client.Publisher.Options.Network,
                Permissions = client.Identity.Permissions,
                QueuePolicy = new QueuePolicy(
                    TopicResource.QueuedMessages, TopicResource.QueuedBytes, MaxAge: null, MaxStoreBytes: null, QueueOverflow.DropOldest, KeepsQoS0: isQueue),
            };
            // As of an MQTT client that wants its session kept: sessions of all and of one user, and memory, are limited.
            if (broker.FindSessionLimit(id, cleanStart: false, grant) is { } limit)
            {
                broker.Limits.Report(limit, LimitAction.Refused, id);
                return ReasonCode.QuotaExceeded;
            }

            if (!opened.TryOpen(id, grant)) return ReasonCode.NotAuthorized;
            opened.Forgotten = () => DropIfGone(clientId, id);
            Note(clientId, id);
            var options = new SubscriptionOptions(isQueue ? QoS.AtLeastOnce : QoS.AtMostOnce, retainAsPublished: true, retainHandling: retained);
            ReasonCode reason = Subscribe(client, opened.Lease, filter, options, mark, out stored);
            if (reason.IsError()) opened.Forget();
            else feed = opened;
            return reason;
        }
        finally
        {
            broker.Loops.End();
        }
    }

    /// <summary>What a session observes; false: it is none of an observation that could go on.</summary>
    public bool TryRead(string sessionId, out string filter, out byte[] token, out bool isQueue)
    {
        (filter, token, isQueue) = ("", [], false);
        if (broker.FindSession(sessionId) is not { } session) return false;
        bool hasToken = false;
        foreach (byte[] one in session.Filters)
        {
            if (one.AsSpan().StartsWith(ReservedIds.ObservationToken))
            {
                token = Convert.FromHexString(Encoding.ASCII.GetString(one.AsSpan(ReservedIds.ObservationToken.Length)));
                hasToken = true;
            }
            else
            {
                filter = Encoding.UTF8.GetString(one);
                isQueue = session.FindSubscription(one)?.Options.MaximumQoS > QoS.AtMostOnce;
            }
        }

        return hasToken && filter.Length > 0;
    }

    /// <summary>Its session is gone.</summary>
    public void Drop(string clientId, string sessionId)
    {
        lock (_lock.Alone())
        {
            if (!Index().TryGetValue(Escape(clientId), out HashSet<string>? own) || !own.Remove(sessionId)) return;
            _count--;
            if (own.Count == 0) Index().Remove(Escape(clientId));
        }
    }

    /// <summary>The session of a client's observation of a filter.</summary>
    public static string IdOf(string clientId, string filter) => $"{ReservedIds.Observation}{Escape(clientId)}/{filter}";

    // A client id may hold what ends it here.
    private static string Escape(string clientId) =>
        clientId.Replace("%", "%25", StringComparison.Ordinal).Replace("/", "%2F", StringComparison.Ordinal);

    private static byte[] MarkOf(ReadOnlySpan<byte> token) => [.. ReservedIds.ObservationToken, .. Encoding.ASCII.GetBytes(Convert.ToHexStringLower(token))];

    private ReasonCode Subscribe(
        CoapClient client, ConnectionLease lease, string filter, SubscriptionOptions options, byte[] mark, out Completion? stored)
    {
        Session session = lease.Session;
        stored = null;
        byte[] wanted = Encoding.UTF8.GetBytes(filter);
        foreach (byte[] other in session.Filters)
        {
            if (!other.AsSpan().SequenceEqual(wanted) && !other.AsSpan().SequenceEqual(mark)) broker.Unsubscribe(session, lease, other, out _);
        }

        var principal = new Principal
        {
            Receiver = session,
            Generation = lease.Generation,
            Identity = client.Identity,
            Grants = broker.Options,
            HearsRefusals = true,
        };
        SubscribeVerdict verdict = broker.Ingress.Subscribe(wanted, options, 0, principal, broker.Clock.NowMs);
        if (verdict.Reason.IsError()) return verdict.Reason;
        ReasonCode marked = broker.Subscribe(session, lease, mark, new SubscriptionOptions(QoS.AtMostOnce), 0, out stored);
        stored = Completion.Both(verdict.Completion, stored);
        return marked.IsError() ? marked : verdict.Reason;
    }

    // The same client does not know one token for two observations, nor has it more of them than it may.
    private void ForgetOthersOf(string clientId, string id, byte[] mark, int most, out bool hasRoom)
    {
        int others = 0;
        foreach (string other in Of(clientId))
        {
            if (other == id) continue;
            Session? session = broker.FindSession(other);
            if (session is not null && session.FindSubscription(mark) is null)
            {
                others++;
                continue;
            }

            if (session is not null) broker.Kick(other, ReasonCode.SessionTakenOver, forget: true, publishWill: false);
            Drop(clientId, other);
        }

        hasRoom = others < most;
    }

    private void Note(string clientId, string sessionId)
    {
        lock (_lock.Alone())
        {
            if (!Index().TryGetValue(Escape(clientId), out HashSet<string>? own))
            {
                Index().Add(Escape(clientId), own = new HashSet<string>(StringComparer.Ordinal));
            }

            if (!own.Add(sessionId)) return;
            if (++_count >= _nextCleaning) Clean();
        }
    }

    // Its observer may have registered anew, and the session be another observation's by now.
    private void DropIfGone(string clientId, string sessionId)
    {
        if (broker.FindSession(sessionId) is null) Drop(clientId, sessionId);
    }

    // Sessions also end by themselves, when their time is over, and nobody says so here. Under the lock.
    private void Clean()
    {
        foreach ((string client, HashSet<string> own) in Index().ToArray())
        {
            _count -= own.RemoveWhere(id => broker.FindSession(id) is null);
            if (own.Count == 0) Index().Remove(client);
        }

        _nextCleaning = Math.Max(FewSessions, 2 * _count);
    }

    // What an earlier life of the process has left is looked for once.
    private Dictionary<string, HashSet<string>> Index()
    {
        if (_byClient is { } known) return known;
        var found = new Dictionary<string, HashSet<string>>(StringComparer.Ordinal);
        foreach (string id in broker.SessionIds)
        {
            if (!id.StartsWith(ReservedIds.Observation, StringComparison.Ordinal)) continue;
            int end = id.IndexOf('/', ReservedIds.Observation.Length);
            if (end < 0) continue;
            string client = id[ReservedIds.Observation.Length..end];
            if (!found.TryGetValue(client, out HashSet<string>? own)) found.Add(client, own = new HashSet<string>(StringComparer.Ordinal));
            own.Add(id);
            _count++;
        }

        return _byClient = found;
    }
}
