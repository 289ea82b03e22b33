using System.Text;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Retained;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Management;

/// <summary>
/// What is to be seen of the broker, and done to it, from outside: for the control socket, an API, a console. Any thread but those that serve clients: a list
/// of 100,000 sessions is one pass over them. No lock is held for more than one row.
/// </summary>
/// <param name="broker">The broker.</param>
/// <param name="refusals">The refusals it keeps.</param>
public sealed class BrokerView(Broker broker, RecentRefusals refusals)
{
    private const int MostMembersShown = 100;

    private static readonly Comparer<byte[]> ByBytes = Comparer<byte[]>.Create((one, other) => one.AsSpan().SequenceCompareTo(other));

    /// <summary>Sessions by client id.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="after">The client id behind which the page begins; null: with the first.</param>
    /// <param name="limit">Most rows.</param>
    public Page<SessionSummary> Sessions(SessionFilter filter, string? after, int limit)
    {
        return Fill(NewPage<Listed>(after, limit), filter);
    }

    /// <summary>Sessions by client id, the last ones first.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="before">The client id before which the page begins; null: with the last.</param>
    /// <param name="limit">Most rows.</param>
    public Page<SessionSummary> SessionsDescending(SessionFilter filter, string? before, int limit)
    {
        Comparer<string> descending = Comparer<string>.Create((one, other) => string.CompareOrdinal(other, one));
        return Fill(
            before is null ? PageBuilder<string, Listed>.First(descending, limit) : PageBuilder<string, Listed>.Behind(before, descending, limit), filter);
    }

    /// <summary>The sessions that are first by something measured, which changes while one looks: a list without pages.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="measure">What counts, the most first.</param>
    /// <param name="limit">Most rows.</param>
    public Page<SessionSummary> TopSessions(SessionFilter filter, Func<SessionSummary, double> measure, int limit)
    {
        Comparer<(double Value, string Id)> order = Comparer<(double Value, string Id)>.Create(
            (one, other) => one.Value != other.Value ? other.Value.CompareTo(one.Value) : string.CompareOrdinal(one.Id, other.Id));
        PageBuilder<(double Value, string Id), SessionSummary> page = PageBuilder<(double Value, string Id), SessionSummary>.First(order, limit);
        foreach (KeyValuePair<string, Session> entry in broker.Sessions)
        {
            if (filter.Includes(entry.Value, out SessionSummary? known) && (known ?? entry.Value.Summarize()) is { } row)
            {
                page.Add((measure(row), entry.Key), row);
            }
        }

        foreach ((string id, IGatewayClient client) in broker.GatewayClients)
        {
            if (client.Summarize() is { } row && filter.Includes(row)) page.Add((measure(row), id), row);
        }

        return page.Build(row => row, _ => "") with { Next = null };
    }

    /// <summary>The row of one session; null when there is none, or it is not meant.</summary>
    public SessionSummary? SessionRow(string clientId, SessionFilter filter)
    {
        if (broker.FindSession(clientId) is { } session) return filter.Includes(session, out SessionSummary? row) ? row ?? session.Summarize() : null;
        return broker.FindGatewayClient(clientId)?.Summarize() is { } client && filter.Includes(client) ? client : null;
    }

    /// <summary>One session; null when there is none of this client id.</summary>
    public SessionDetail? Session(string clientId) =>
        broker.FindSession(clientId) is { } session ? session.Detail() : broker.FindGatewayClient(clientId)?.Detail();

    /// <summary>Closes a client's connection.</summary>
    /// <param name="clientId">The client id.</param>
    /// <param name="forget">Whether its session ends, too.</param>
    /// <param name="publishWill">Of a session that ends: whether its will is published.</param>
    /// <param name="connection">The number of the connection that was seen; null: whichever it has.</param>
    public KickOutcome Kick(string clientId, bool forget, bool publishWill = false, string? connection = null) =>
        broker.Kick(clientId, ReasonCode.AdministrativeAction, forget, publishWill, connection);

    /// <summary>The oldest messages that wait for a client, which has got none of them yet; null: there is no such session.</summary>
    /// <param name="clientId">The client id.</param>
    /// <param name="limit">Most rows.</param>
    public Page<WaitingView>? Queue(string clientId, int limit)
    {
        if (broker.FindSession(clientId) is not { } session) return null;
        List<WaitingMessage> oldest = session.ListQueue(limit);
        DateTimeOffset began = broker.Clock.WallTime - TimeSpan.FromMilliseconds(broker.Clock.NowMs);
        return new Page<WaitingView>([.. oldest.Select((one, i) => Show(one, i + 1, began))], null, Math.Max(oldest.Count, session.Backlog.Messages));
    }

    /// <summary>Drops what waits for a client; what is sent and not acknowledged stays.</summary>
    /// <returns>How many messages; null: there is no such session.</returns>
    public int? PurgeQueue(string clientId) => broker.PurgeQueue(clientId);

    /// <summary>Takes a subscription away from a client, who is not told.</summary>
    /// <param name="clientId">The client id.</param>
    /// <param name="filter">The filter, <c>$share/group/</c> included.</param>
    /// <param name="completion">What is to be on disk before it is gone for good; null: nothing.</param>
    /// <returns>Whether there was one; null: there is no such session.</returns>
    public bool? RemoveSubscription(string clientId, string filter, out Completion? completion) =>
        broker.RemoveSubscription(clientId, Encoding.UTF8.GetBytes(filter), out completion);

    /// <summary>Retained messages by topic.</summary>
    /// <param name="filter">The topic filter they match; a valid one.</param>
    /// <param name="after">The topic behind which the page begins; null: with the first.</param>
    /// <param name="limit">Most rows.</param>
    /// <param name="text">A part of their topics, in any case; null: any.</param>
    public Page<RetainedSummary> Retained(string filter, string? after, int limit, string? text = null)
    {
        PageBuilder<byte[], Message> page = after is null
            ? PageBuilder<byte[], Message>.First(ByBytes, limit)
            : PageBuilder<byte[], Message>.Behind(Encoding.UTF8.GetBytes(after), ByBytes, limit);
        long nowMs = broker.Clock.NowMs;
        if (broker.Retained.Walk(Encoding.UTF8.GetBytes(filter)) is { } walk)
        {
            while (!walk.IsDone)
            {
                while (walk.TryTake(out Message? message))
                {
                    if (!message.IsExpired(nowMs) && HasText(message.Topic, text)) page.Add(message.Topic, message);
                }
            }
        }

        return page.Build(
            message => new RetainedSummary(
                Encoding.UTF8.GetString(message.Topic), (int)message.QoS, message.Payload.Length, message.RemainingExpirySeconds(nowMs)),
            Encoding.UTF8.GetString);
    }

    /// <summary>The retained message of a topic; null when it has none.</summary>
    public RetainedValue? RetainedValueOf(string topic)
    {
        long nowMs = broker.Clock.NowMs;
        return broker.Retained.Get(Encoding.UTF8.GetBytes(topic)) is { } message && !message.IsExpired(nowMs)
            ? new RetainedValue(topic, (int)message.QoS, message.Payload, message.RemainingExpirySeconds(nowMs)) { Properties = message.Properties }
            : null;
    }

    /// <summary>Deletes the retained message of a topic. Subscribers get an empty message, as when a client deletes it.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="completion">What is to be on disk before it is gone for good; null: nothing.</param>
    /// <returns>Whether there was one.</returns>
    public bool DeleteRetained(string topic, out Completion? completion) => DeleteRetained(topic, condition: null, out completion);

    /// <summary>The same on a condition, which says afterwards whether it held.</summary>
    public bool DeleteRetained(string topic, RetainedCondition? condition, out Completion? completion) =>
        broker.DeleteRetained(Encoding.UTF8.GetBytes(topic), condition, out completion);

    /// <summary>Who subscribes to a topic, by client id.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="after">The client id behind which the page begins; null: with the first.</param>
    /// <param name="limit">Most rows.</param>
    public Page<SubscriberView> Subscribers(string topic, string? after, int limit)
    {
        var byReceiver = new Dictionary<Receiver, List<Subscription>>();
        foreach (Subscription one in new SubscriptionMatcher().FindAll(broker.Subscriptions.Root, Encoding.UTF8.GetBytes(topic)))
        {
            if (!byReceiver.TryGetValue(one.Receiver, out List<Subscription>? several)) byReceiver.Add(one.Receiver, several = []);
            several.Add(one);
        }

        PageBuilder<string, List<Subscription>> page = NewPage<List<Subscription>>(after, limit);
        foreach ((Receiver receiver, List<Subscription> several) in byReceiver) page.Add(receiver.Id, several);
        return page.Build(several => new SubscriberView(several[0].Receiver.Id, [.. several.Select(SubscriptionView.Of)]), clientId => clientId);
    }

    /// <summary>Groups of shared subscriptions, by filter.</summary>
    /// <param name="after">The filter behind which the page begins; null: with the first.</param>
    /// <param name="limit">Most rows.</param>
    public Page<SharedGroupView> SharedGroups(string? after, int limit)
    {
        PageBuilder<string, Subscription[]> page = NewPage<Subscription[]>(after, limit);
        foreach (SharedGroup group in broker.Subscriptions.FindGroups())
        {
            Subscription[] members = group.Members;
            if (members.Length > 0) page.Add(Encoding.UTF8.GetString(members[0].Filter), members);
        }

        return page.Build(
            members => new SharedGroupView(
                Encoding.UTF8.GetString(members[0].Filter),
                members.Length,
                [.. members.Select(one => one.Receiver.Id).Order(StringComparer.Ordinal).Take(MostMembersShown)]),
            filter => filter);
    }

    /// <summary>Recent refusals, the newest first.</summary>
    public IReadOnlyList<RefusalView> Refusals() => refusals.ToList();

    // Clients of other protocols stand among the sessions: for whoever looks, they are clients like any other.
    private Page<SessionSummary> Fill(PageBuilder<string, Listed> page, SessionFilter filter)
    {
        foreach (KeyValuePair<string, Session> entry in broker.Sessions)
        {
            if (filter.Includes(entry.Value, out _)) page.Add(entry.Key, new Listed(entry.Value, null));
        }

        foreach ((string id, IGatewayClient client) in broker.GatewayClients)
        {
            if (client.Summarize() is { } row && filter.Includes(row)) page.Add(id, new Listed(null, client));
        }

        return page.Build(one => one.Session?.Summarize() ?? one.Client?.Summarize(), clientId => clientId);
    }

    private static WaitingView Show(in WaitingMessage one, int position, DateTimeOffset began) => new(
        position, one.Message is null ? null : Encoding.UTF8.GetString(one.Message.Topic), (int)one.QoS, one.Retain, one.SizeBytes,
        began + TimeSpan.FromSeconds(one.QueuedAtSeconds))
    {
        ExpiresAt = one.ExpiresAtMs == Message.Never ? null : began + TimeSpan.FromMilliseconds(one.ExpiresAtMs),
        Payload = one.Message?.Payload,
    };

    private static bool HasText(byte[] topic, string? text) =>
        text is null || Encoding.UTF8.GetString(topic).Contains(text, StringComparison.OrdinalIgnoreCase);

    private static PageBuilder<string, T> NewPage<T>(string? after, int limit) => after is null
        ? PageBuilder<string, T>.First(StringComparer.Ordinal, limit)
        : PageBuilder<string, T>.Behind(after, StringComparer.Ordinal, limit);

    private readonly record struct Listed(Session? Session, IGatewayClient? Client);
}
