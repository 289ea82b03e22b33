using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

/// <summary>A topic filter to subscribe to.</summary>
/// <param name="Filter">The filter, for instance <c>plant/+/temperature</c> or <c>$share/group/plant/#</c>.</param>
/// <param name="Options">QoS and the 5.0 options.</param>
public sealed record Subscription(string Filter, SubscriptionOptions Options)
{
    /// <summary>A filter with a QoS alone.</summary>
    public Subscription(string filter, QoS maximumQoS = QoS.AtMostOnce)
        : this(filter, new SubscriptionOptions(maximumQoS))
    {
    }
}
