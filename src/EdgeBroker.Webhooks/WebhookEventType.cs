using EdgeBroker.Core.Events;

namespace EdgeBroker.Webhooks;

/// <summary>The events that webhooks know.</summary>
public enum WebhookEventType : byte
{
    ClientConnected,
    ClientDisconnected,
    ClientSessionTakeover,
    MessagePublished,
    MessageDelivered,
    MessageRetained,
    SubscriptionCreated,
    SubscriptionRemoved,
    AuthSuccess,
    AuthFailure,
    AuthzPublishDenied,
    AuthzSubscribeDenied,

    /// <summary>Sent because somebody asks for it, to see whether it arrives.</summary>
    Test,
}

/// <summary>What goes first when a queue is full: the lowest.</summary>
internal enum DropRank
{
    Message,
    Subscription,
    Refusal,
    Client,
}

/// <summary>What there is to know of event types.</summary>
public static class WebhookEventTypes
{
    private static readonly (WebhookEventType Type, string Name, EventKinds Kind, DropRank Rank)[] Known =
    [
        (WebhookEventType.ClientConnected, "client.connected", EventKinds.ClientConnected, DropRank.Client),
        (WebhookEventType.ClientDisconnected, "client.disconnected", EventKinds.ClientDisconnected, DropRank.Client),
        (WebhookEventType.ClientSessionTakeover, "client.session_takeover", EventKinds.SessionTakenOver, DropRank.Client),
        (WebhookEventType.MessagePublished, "message.published", EventKinds.MessagePublished, DropRank.Message),
        (WebhookEventType.MessageDelivered, "message.delivered", EventKinds.MessageDelivered | EventKinds.MessageFollowed, DropRank.Message),
        (WebhookEventType.MessageRetained, "message.retained", EventKinds.MessageRetained, DropRank.Message),
        (WebhookEventType.SubscriptionCreated, "subscription.created", EventKinds.SubscriptionCreated, DropRank.Subscription),
        (WebhookEventType.SubscriptionRemoved, "subscription.removed", EventKinds.SubscriptionRemoved, DropRank.Subscription),
        (WebhookEventType.AuthSuccess, "auth.success", EventKinds.AuthenticationSucceeded, DropRank.Client),
        (WebhookEventType.AuthFailure, "auth.failure", EventKinds.AuthenticationFailed, DropRank.Client),
        (WebhookEventType.AuthzPublishDenied, "authz.publish_denied", EventKinds.PublishRefused, DropRank.Refusal),
        (WebhookEventType.AuthzSubscribeDenied, "authz.subscribe_denied", EventKinds.SubscribeRefused, DropRank.Refusal),
        (WebhookEventType.Test, "webhook.test", EventKinds.None, DropRank.Client),
    ];

    /// <summary>The names of those that may be asked for.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Known.Where(one => one.Kind != EventKinds.None).Select(one => one.Name)];

    /// <summary>Finds one that may be asked for by its name.</summary>
    public static bool TryFind(string name, out WebhookEventType type)
    {
        (WebhookEventType Type, string Name, EventKinds Kind, DropRank Rank) found =
            Array.Find(Known, one => one.Kind != EventKinds.None && one.Name == name);
        type = found.Type;
        return found.Name is not null;
    }

    /// <summary>Its name.</summary>
    public static string NameOf(WebhookEventType type) => Known[(int)type].Name;

    /// <summary>What the broker must be asked for to know of it.</summary>
    internal static EventKinds KindOf(WebhookEventType type) => Known[(int)type].Kind;

    internal static DropRank RankOf(WebhookEventType type) => Known[(int)type].Rank;
}
