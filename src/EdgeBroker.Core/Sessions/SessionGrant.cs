using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Security;

namespace EdgeBroker.Core.Sessions;

/// <summary>What a connection brings to its session.</summary>
/// <param name="ExpirySeconds">How long the session outlives the connection; 0: not at all; 0xFFFFFFFF does not occur, the broker's limit is finite.</param>
/// <param name="ReceiveMaximum">Unacknowledged QoS 1 and 2 messages the client takes at once.</param>
/// <param name="Will">The will, or null.</param>
public sealed record SessionGrant(uint ExpirySeconds, int ReceiveMaximum, Will? Will)
{
    /// <summary>The name the client acts under; null: anonymous. A session belongs to whoever began it.</summary>
    public string? UserName { get; init; }

    /// <summary>Where the client is, for limits of what anonymous ones leave; none: at no address.</summary>
    public ClientNetwork Network { get; init; }

    /// <summary>How its queue behaves; null: as the options of all say.</summary>
    public QueuePolicy? QueuePolicy { get; init; }

    /// <summary>The broker to which its messages go on, or rather who brings them there; null: to none.</summary>
    public string? Way { get; init; }

    /// <summary>What the client may do; a session that holds more is not resumed.</summary>
    public Permissions Permissions { get; init; } = Permissions.All;

    /// <summary>
    /// Under what the cluster has granted the session to this node; none: the broker stands alone. It is on disk with the session, never after it: a session
    /// whose epoch is lost would be older than what it has replaced.
    /// </summary>
    public Epoch Epoch { get; init; }
}
