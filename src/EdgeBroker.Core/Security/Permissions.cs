using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Security;

/// <summary>What one client may do. Made when it connects; every check is local, synchronous and free of allocation.</summary>
public abstract class Permissions
{
    /// <summary>Everything.</summary>
    public static readonly Permissions All = new Fixed(true, "no [[acl]] rule restricts it");

    /// <summary>Nothing.</summary>
    public static readonly Permissions None = new Fixed(false, "the client was not let in");

    /// <summary>Whether the client may publish this.</summary>
    public abstract bool MayPublish(ReadOnlySpan<byte> topic, QoS qos, bool retain);

    /// <summary>
    /// Whether the client may subscribe to this filter, given without <c>$share/group/</c>: true only where it may receive every topic the filter matches, so
    /// that deliveries need no check of their own.
    /// </summary>
    public abstract bool MaySubscribe(ReadOnlySpan<byte> filter);

    /// <summary>Whether the client may receive some of the topics that this filter matches, given as for <see cref="MaySubscribe"/>.</summary>
    /// <param name="filter">The filter.</param>
    /// <param name="maximumQoS">The lowest QoS that any of them is limited to.</param>
    public virtual bool MayReceiveSome(ReadOnlySpan<byte> filter, out QoS maximumQoS)
    {
        maximumQoS = MaximumQoS(filter);
        return MaySubscribe(filter);
    }

    /// <summary>The highest QoS a subscription to a permitted filter is granted.</summary>
    public virtual QoS MaximumQoS(ReadOnlySpan<byte> filter) => QoS.ExactlyOnce;

    /// <summary><see cref="MayPublish"/> with its reason; may allocate.</summary>
    public virtual AccessVerdict JudgePublish(ReadOnlySpan<byte> topic, QoS qos, bool retain) => Unexplained(MayPublish(topic, qos, retain));

    /// <summary><see cref="MaySubscribe"/> with its reason; may allocate.</summary>
    public virtual AccessVerdict JudgeSubscribe(ReadOnlySpan<byte> filter) => Unexplained(MaySubscribe(filter));

    private static AccessVerdict Unexplained(bool allowed) => new(allowed, allowed ? "permitted" : "not permitted");

    private sealed class Fixed(bool answer, string cause) : Permissions
    {
        public override bool MayPublish(ReadOnlySpan<byte> topic, QoS qos, bool retain) => answer;

        public override bool MaySubscribe(ReadOnlySpan<byte> filter) => answer;

        public override AccessVerdict JudgePublish(ReadOnlySpan<byte> topic, QoS qos, bool retain) => new(answer, cause);

        public override AccessVerdict JudgeSubscribe(ReadOnlySpan<byte> filter) => new(answer, cause);
    }
}
