using System.Globalization;
using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Messages;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Management;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Protocol;

namespace EdgeBroker.Coap.Gateway;

/// <summary>
/// One client as it is shown: all peers that have its client id, the newest of which says where it is. Asked on any thread that holds no lock.
/// </summary>
/// <param name="broker">The broker.</param>
/// <param name="clientId">The client id.</param>
internal sealed class CoapPresence(Broker broker, string clientId) : IGatewayClient
{
    private volatile IReadOnlyList<CoapClient> _members = [];

    /// <inheritdoc/>
    public string Id { get; } = ReservedIds.Coap + clientId;

    /// <summary>Its peers in the order in which they came.</summary>
    public IReadOnlyList<CoapClient> Members => _members;

    /// <summary>What events say of a client.</summary>
    public static ClientDescription Describe(CoapClient client) => new(
        ReservedIds.Coap + client.Subject.ClientId, client.Subject.UserName, client.Peer.At.ToString(), client.Subject.Listener, TransportOf(client),
        ProtocolVersion.V5, KeepAliveSeconds: 0)
    {
        OtherProtocol = ProtocolOf(client),
    };

    /// <summary>One peer more; under the lock of all clients.</summary>
    public void Add(CoapClient client) => _members = [.. _members, client];

    /// <summary>One peer less; under the lock of all clients. False: it is none.</summary>
    public bool Remove(CoapClient client)
    {
        int before = _members.Count;
        _members = [.. _members.Where(one => one != client)];
        return _members.Count < before;
    }

    /// <inheritdoc/>
    public SessionSummary? Summarize()
    {
        var sum = new Sum();
        foreach (CoapClient one in _members) one.Executor.Run(() => sum.Add(one));
        return sum.Newest is null ? null : Show(sum);
    }

    /// <inheritdoc/>
    public SessionDetail? Detail()
    {
        var filters = new List<SubscriptionView>();
        foreach (CoapClient one in _members)
        {
            one.Executor.Run(() => one.Server.ForEachObserved(one.Peer, observed =>
            {
                if (observed is TopicObserved topic) filters.Add(topic.Describe());
            }));
        }

        if (Summarize() is not { } summary) return null;
        var queue = new QueueView(TopicResource.QueuedMessages, TopicResource.QueuedBytes, null, null, "drop-oldest", KeepsQos0: true);
        return new SessionDetail(summary, [.. filters.OrderBy(one => one.Filter, StringComparer.Ordinal)], [], 0, null, queue);
    }

    /// <inheritdoc/>
    public KickOutcome Disconnect(string? connection)
    {
        IReadOnlyList<CoapClient> members = _members;
        if (members.Count == 0) return KickOutcome.NotFound;
        if (connection is not null && connection != NumberOf(members[^1])) return KickOutcome.ChangedMeanwhile;
        foreach (CoapClient one in members)
        {
            one.Executor.Run(() =>
            {
                one.Ending = ClientEnding.Kicked;
                one.Server.Dismiss(one.Peer, CoapResponse.Because(CoapCode.ServiceUnavailable, "disconnected") with { MaxAge = 30 });
            });
        }

        return KickOutcome.Disconnected;
    }

    private static string ProtocolOf(CoapClient client) => client.Peer.EndPoint.Association == 0 ? "coap" : "coaps";

    private static string TransportOf(CoapClient client) => client.Peer.EndPoint.Association == 0 ? "udp" : "dtls";

    private static string NumberOf(CoapClient client) => client.Number.ToString("x", CultureInfo.InvariantCulture);

    private SessionSummary Show(Sum sum)
    {
        CoapClient newest = sum.Newest!;
        return new SessionSummary
        {
            ClientId = Id,
            State = SessionSummary.Connected,
            User = newest.Subject.UserName,
            Connection = NumberOf(newest),
            Address = sum.Address,
            Listener = newest.Subject.Listener,
            Transport = TransportOf(newest),
            Protocol = ProtocolOf(newest),
            Identity = newest.ProvedName,
            ConnectedAt = broker.Clock.WallTime - TimeSpan.FromMilliseconds(broker.Clock.NowMs - newest.ConnectedAtMs),
            ExpirySeconds = 0,
            SubscriptionsCount = sum.Observations,
            InflightCount = sum.Inflight,
            QueueMessages = sum.QueuedMessages,
            QueueBytes = sum.QueuedBytes,
            DroppedTotal = sum.Dropped,
            Traffic = new SessionTraffic(sum.Published, sum.Notified, sum.BytesReceived, sum.BytesSent, 0),
        };
    }

    /// <summary>What all peers of a client amount to.</summary>
    private sealed class Sum
    {
        public CoapClient? Newest { get; private set; }

        public string? Address { get; private set; }

        public int Observations { get; private set; }

        public int Inflight { get; private set; }

        public int QueuedMessages { get; private set; }

        public long QueuedBytes { get; private set; }

        public long Dropped { get; private set; }

        public long Published { get; private set; }

        public long Notified { get; private set; }

        public long BytesReceived { get; private set; }

        public long BytesSent { get; private set; }

        public void Add(CoapClient one)
        {
            (Newest, Address) = (one, one.Peer.At.ToString());
            Published += one.Published;
            Dropped += one.Publisher.Dropped;
            Notified += one.Peer.Notifications;
            BytesReceived += one.Peer.BytesReceived;
            BytesSent += one.Peer.BytesSent;
            if (!one.Peer.IsFree) Inflight++;
            one.Server.ForEachObserved(one.Peer, observed =>
            {
                Observations++;
                if (observed is not TopicObserved topic) return;
                QueuedMessages += topic.QueuedMessages;
                QueuedBytes += topic.QueuedBytes;
                Dropped += topic.Dropped;
            });
        }
    }
}
