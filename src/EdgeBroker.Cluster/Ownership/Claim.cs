using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Ports;

namespace EdgeBroker.Cluster.Ownership;

/// <summary>A client that wants its session, and waits for the answer. Only on the thread that serves the cluster, but for its making.</summary>
/// <param name="request">What it brings.</param>
/// <param name="cancel">Whether the answer still matters.</param>
internal sealed class Claim(SessionRequest request, CancellationToken cancel)
{
    private readonly TaskCompletionSource<SessionClaim> _answer = new();

    public SessionRequest Request => request;

    public string ClientId => request.ClientId;

    public UInt128 User { get; } = SessionEntry.MarkOf(request.UserName);

    /// <summary>Whether its client has gone.</summary>
    public bool IsAbandoned => cancel.IsCancellationRequested;

    /// <summary>Since when it waits for other nodes to see it.</summary>
    public long SinceMs { get; set; }

    /// <summary>Since when it waits for a node that is away; -1: it does not.</summary>
    public long AwayMs { get; set; } = -1;

    public Stamp Stamp { get; set; }

    /// <summary>By what the voters have granted it; 0: they were not asked.</summary>
    public long Grant { get; set; }

    /// <summary>The nodes whose session of the client does not count any more, since they are dead: bit 0 is node 1.</summary>
    public byte PassedOver { get; set; }

    /// <summary>Whether the voters have given the session to another node.</summary>
    public bool IsOutrun { get; set; }

    /// <summary>The version of what this node tells that every linked node has to have seen.</summary>
    public long Version { get; set; }

    /// <summary>Whether the others have been told of it.</summary>
    public bool IsTold { get; set; }

    /// <summary>What is to be on disk here first; null: nothing.</summary>
    public Completion? OnDisk { get; set; }

    /// <summary>Whether its end wakes who waits for it.</summary>
    public bool IsAwaited { get; set; }

    public Task<SessionClaim> Task => _answer.Task;

    public SessionEntry Entry => new(request.ClientId, SessionKind.Claimed, Stamp, User);

    /// <summary>Answers; who waits goes on upon this thread.</summary>
    public void Answer(SessionClaim answer) => _answer.SetResult(answer);
}
