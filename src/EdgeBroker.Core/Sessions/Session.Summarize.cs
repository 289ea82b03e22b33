using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using EdgeBroker.Core.Management;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Sessions;

// What displays show of a session. The lock is held for one row; its connection is asked, and texts are made, outside of it.
public sealed partial class Session
{
    private const int MostInflightShown = 100;

    private long _dropped;

    /// <summary>The user it belongs to; null: anonymous.</summary>
    public string? UserName => _lifetime.Owner;

    /// <summary>Messages that did not reach it.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <summary>What waits for it.</summary>
    public SessionBacklog Backlog
    {
        get
        {
            long nowMs = _environment.Clock.NowMs;
            lock (SyncRoot.Alone())
            {
                long oldest = _queue.Count == 0 ? 0 : Math.Max(0, (nowMs / 1000) - _queue.OldestQueuedAtSeconds);
                return new SessionBacklog(_queue.Count, _queue.SizeBytes, oldest, _window.Count, _received.Count);
            }
        }
    }

    internal void CountDropped(int count) => Interlocked.Add(ref _dropped, count);

    /// <summary>Closes its connection.</summary>
    /// <param name="reason">What a 5.0 client hears.</param>
    /// <param name="connection">The number of the connection that is meant; null: any.</param>
    /// <param name="isOther">Whether it has another one.</param>
    /// <returns>Whether there was one.</returns>
    internal bool Close(ReasonCode reason, string? connection, out bool isOther)
    {
        ISessionLink? link;
        lock (SyncRoot.Alone())
        {
            link = _link;
            isOther = connection is not null && connection != NumberOf(_lifetime.Generation);
        }

        if (isOther || link is null) return false;
        link.Close(reason);
        return true;
    }

    /// <summary>Closes a connection, if it still has the session.</summary>
    internal void Close(ConnectionLease lease, ReasonCode reason)
    {
        ISessionLink? link;
        lock (SyncRoot.Alone()) link = Holds(lease) ? _link : null;
        link?.Close(reason);
    }

    /// <summary>Its row in a list; null when it has ended.</summary>
    internal SessionSummary? Summarize()
    {
        long nowMs = _environment.Clock.NowMs;
        SessionSummary summary;
        ISessionLink? link;
        lock (SyncRoot.Alone())
        {
            if (_lifetime.HasEnded) return null;
            link = _link;
            summary = new SessionSummary
            {
                ClientId = Id,
                State = link is null ? SessionSummary.Disconnected : SessionSummary.Connected,
                User = _lifetime.Owner,
                ExpirySeconds = _lifetime.ExpirySeconds,
                EndsInSeconds = link is null ? Math.Max(0, (_lifetime.ExpiresAtMs - nowMs) / 1000) : null,
                Connection = NumberOf(_lifetime.Generation),
                SubscriptionsCount = _subscriptions.Count,
                InflightCount = _window.Count,
                QueueMessages = _queue.Count,
                QueueBytes = _queue.SizeBytes,
                QueueOldestSeconds = _queue.Count == 0 ? null : Math.Max(0, (nowMs / 1000) - _queue.OldestQueuedAtSeconds),
                DroppedTotal = Dropped,
            };
        }

        return link?.Describe() is { } connection ? With(summary, connection, nowMs) : summary;
    }

    /// <summary>All it holds; null when it has ended.</summary>
    internal SessionDetail? Detail()
    {
        Subscription[] subscriptions;
        List<QueuedMessage> inflight;
        int openReceives;
        Will? will;
        QueuePolicy policy;
        lock (SyncRoot.Alone())
        {
            subscriptions = _subscriptions.ToArray();
            inflight = _window.ToList(MostInflightShown);
            openReceives = _received.Count;
            will = _lifetime.Will;
            policy = Policy;
        }

        if (Summarize() is not { } summary) return null;
        IEnumerable<SubscriptionView> filters = subscriptions.Select(SubscriptionView.Of).OrderBy(one => one.Filter, StringComparer.Ordinal);
        return new SessionDetail(summary, [.. filters], [.. inflight.Select(Show)], openReceives, will is null ? null : Show(will), Show(policy));
    }

    // The generation alone would begin anew with each session of the client.
    private string NumberOf(uint generation) => string.Create(CultureInfo.InvariantCulture, $"{RuntimeHelpers.GetHashCode(this):x}-{generation:x}");

    private SessionSummary With(SessionSummary summary, LinkDescription connection, long nowMs) => summary with
    {
        Address = connection.Address,
        Listener = connection.Listener,
        Transport = connection.Transport,
        Protocol = connection.Version == ProtocolVersion.V5 ? "5.0" : "3.1.1",
        Identity = connection.Identity,
        KeepAliveSeconds = connection.KeepAliveSeconds,
        ConnectedAt = _environment.Clock.WallTime - TimeSpan.FromMilliseconds(nowMs - connection.ConnectedAtMs),
        Traffic = connection.Traffic,
    };

    private static InflightView Show(QueuedMessage one) => new(
        InflightWindow.IdOf(one.Position),
        (int)one.QoS,
        one.State switch
        {
            DeliveryState.Releasing => "store",
            DeliveryState.Released => "pubcomp",
            _ => one.QoS == QoS.AtLeastOnce ? "puback" : "pubrec",
        },
        one.Message is null ? null : Encoding.UTF8.GetString(one.Message.Topic),
        one.Message?.SizeBytes);

    private static WillView Show(Will will) => new(
        Encoding.UTF8.GetString(will.Message.Topic), (int)will.Message.QoS, will.Message.Retain, will.Message.Payload.Length, will.DelaySeconds);

    private static QueueView Show(QueuePolicy policy) => new(
        policy.MaxMessages, policy.MaxBytes, policy.MaxAge?.TotalSeconds, policy.MaxStoreBytes, policy.Overflow.ToWord(), policy.KeepsQoS0);
}
