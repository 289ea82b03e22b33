using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Security;

/// <summary>What one client may do. Made when it connects; every check is local, synchronous and free of allocation.</summary>
public abstract class Permissions
{
    /// <summary>Everything.</summary>
    public static readonly Permissions All = new Unrestricted();

    /// <summary>Whether the client may publish this.</summary>
    public abstract bool MayPublish(ReadOnlySpan<byte> topic, QoS qos, bool retain);

    /// <summary>Whether the client may subscribe to this filter, given without <c>$share/group/</c>.</summary>
    public abstract bool MaySubscribe(ReadOnlySpan<byte> filter);

    private sealed class Unrestricted : Permissions
    {
        public override bool MayPublish(ReadOnlySpan<byte> topic, QoS qos, bool retain) => true;

        public override bool MaySubscribe(ReadOnlySpan<byte> filter) => true;
    }
}
