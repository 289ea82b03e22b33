using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Sessions;

namespace EdgeBroker.Core.Ports;

/// <summary>What a cluster says to a node that wants to serve a client.</summary>
public enum ClaimOutcome : byte
{
    /// <summary>Nobody can say at present whose the session is.</summary>
    Unavailable,

    /// <summary>It is this node's.</summary>
    Granted,

    /// <summary>It cannot be had now: the client is to try again.</summary>
    Busy,

    /// <summary>It is another node's, and the client is to go there this time.</summary>
    Elsewhere,

    /// <summary>It is another node's, and the client is to go there from now on.</summary>
    Moved,

    /// <summary>The client id is another user's, whose session is connected or kept on another node.</summary>
    Foreign,
}

/// <summary>What a client that wants its session brings.</summary>
/// <param name="ClientId">The client id.</param>
/// <param name="CleanStart">Whether an existing session is of no interest to the client.</param>
/// <param name="IsKept">Whether the session is to outlive its connection.</param>
/// <param name="UserName">Who the client is; null: anonymous.</param>
public readonly record struct SessionRequest(string ClientId, bool CleanStart, bool IsKept, string? UserName);

/// <summary>The answer to a claim. The default: nobody can say at present.</summary>
/// <param name="Outcome">The answer.</param>
/// <param name="Epoch">Of a grant: its epoch, above that of every earlier grant of this session.</param>
/// <param name="Server">Of a session that is elsewhere: the Server Reference for the client (5.0, 4.11), as <c>host:port</c>; null: none is known.</param>
public readonly record struct SessionClaim(ClaimOutcome Outcome, Epoch Epoch, string? Server)
{
    /// <summary>Why nobody can say, or whose it is, for the log; null: nothing more is known.</summary>
    public string? Cause { get; init; }

    /// <summary>The session is this node's.</summary>
    public static SessionClaim Granted(Epoch epoch) => new(ClaimOutcome.Granted, epoch, null);

    /// <summary>It cannot be had now.</summary>
    public static SessionClaim Busy() => new(ClaimOutcome.Busy, Epoch.None, null);

    /// <summary>Nobody can say at present whose it is.</summary>
    /// <param name="cause">Why, for the log.</param>
    public static SessionClaim Unavailable(string cause) => default(SessionClaim) with { Cause = cause };

    /// <summary>The client id is another user's.</summary>
    /// <param name="cause">On which node, for the log.</param>
    public static SessionClaim Foreign(string cause) => new(ClaimOutcome.Foreign, Epoch.None, null) { Cause = cause };

    /// <summary>It is another node's.</summary>
    /// <param name="server">The Server Reference for the client; null: none is known.</param>
    /// <param name="isPermanent">Whether the client is to go there from now on.</param>
    public static SessionClaim Elsewhere(string? server, bool isPermanent = false) =>
        new(isPermanent ? ClaimOutcome.Moved : ClaimOutcome.Elsewhere, Epoch.None, server);
}

/// <summary>The other nodes, as far as a client has to do with them: which node has its session, and when all know of its subscriptions.</summary>
public interface ICluster
{
    /// <summary>
    /// Claims the session of a client for this node, between authentication and CONNACK. Answers at once where it can; the caller may be a reactor, which must
    /// not wait. When it throws, that is a bug, and the client is refused.
    /// </summary>
    /// <param name="request">What the client brings.</param>
    /// <param name="cancel">The client has gone, or has waited for too long: the answer does not matter any more.</param>
    ValueTask<SessionClaim> ClaimAsync(in SessionRequest request, CancellationToken cancel);

    /// <summary>A granted claim has come to something: the connection has the session. Any thread.</summary>
    /// <param name="clientId">The client id.</param>
    /// <param name="epoch">The grant's.</param>
    /// <param name="lease">The connection's right.</param>
    void Connected(string clientId, Epoch epoch, ConnectionLease lease);

    /// <summary>A session has ended for good, and its client may have another by now. Any thread.</summary>
    /// <param name="clientId">The client id.</param>
    void Ended(string clientId);

    /// <summary>Gives a granted claim back that came to nothing: its client went, or was refused, before CONNACK. Any thread.</summary>
    /// <param name="clientId">The client id.</param>
    /// <param name="epoch">The grant's.</param>
    void Release(string clientId, Epoch epoch);

    /// <summary>
    /// A filter has been subscribed here. What is returned is done when every node knows of it: SUBACK waits for that. Null: nothing to wait for.
    /// </summary>
    Completion? Subscribed(ReadOnlySpan<byte> filter);
}

/// <summary>The cluster of a broker that stands alone: every session is its own.</summary>
public sealed class StandaloneCluster : ICluster
{
    /// <summary>The one there is.</summary>
    public static readonly StandaloneCluster Instance = new();

    private StandaloneCluster()
    {
    }

    /// <inheritdoc/>
    public ValueTask<SessionClaim> ClaimAsync(in SessionRequest request, CancellationToken cancel) => new(SessionClaim.Granted(Epoch.None));

    /// <inheritdoc/>
    public void Connected(string clientId, Epoch epoch, ConnectionLease lease)
    {
        // Nobody else asks for it.
    }

    /// <inheritdoc/>
    public void Ended(string clientId)
    {
        // Nobody else knows of it.
    }

    /// <inheritdoc/>
    public void Release(string clientId, Epoch epoch)
    {
        // Nobody else could have it.
    }

    /// <inheritdoc/>
    public Completion? Subscribed(ReadOnlySpan<byte> filter) => null;
}
