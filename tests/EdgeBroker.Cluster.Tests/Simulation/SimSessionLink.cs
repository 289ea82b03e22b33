using System.Diagnostics.CodeAnalysis;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Cluster.Tests.Simulation;

/// <summary>A client's CONNECT, between its coming and its answer.</summary>
internal sealed class SimClaim
{
    private readonly Action _cancel;
    private readonly string _id;
    private readonly int _start;
    private readonly Task<SessionClaim> _answer;

    public SimClaim(string id, SimNode node, bool isClean, bool isKept, bool sawHome, bool sawStarts)
    {
        (_id, Node, IsClean, IsKept, SawHome, SawStarts, _start) = (id, node, isClean, isKept, sawHome, sawStarts, node.Starts);
        var cancel = new CancellationTokenSource();
        _cancel = cancel.Cancel;
        _answer = node.Broker.Cluster.ClaimAsync(new SessionRequest(id, isClean, isKept, null), cancel.Token).AsTask();
    }

    public SimNode Node { get; }

    public bool IsClean { get; }

    public bool IsKept { get; }

    /// <summary>Whether the node was linked with the one the client had its session on last.</summary>
    public bool SawHome { get; }

    /// <summary>The incarnation of the node the client had its session on last, as known here when it came; null: not known.</summary>
    public long? HomeIncarnation { get; init; }

    /// <summary>By what the voters have granted the session; 0: they were not asked.</summary>
    public long Grant => _answer.Result.Epoch.Grant;

    /// <summary>Whether it was linked with all where the client had wanted to begin anew and was not answered.</summary>
    public bool SawStarts { get; }

    /// <summary>The will it brings; null: none.</summary>
    public Will? Will { get; init; }

    public bool IsThere => Node.IsUp && Node.Starts == _start;

    public bool IsAnswered => _answer.IsCompleted;

    /// <summary>The client does not wait any more.</summary>
    public void Abandon()
    {
        _cancel();
        _answer.ContinueWith(
            answer =>
            {
                if (IsThere && answer.Result.Outcome == ClaimOutcome.Granted) Node.Broker.Cluster.Release(_id, answer.Result.Epoch);
            },
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Takes the session, if it was granted.</summary>
    public bool TryEnter([NotNullWhen(true)] out SimSessionLink? connection)
    {
        connection = null;
        SessionClaim answer = _answer.Result;
        if (answer.Outcome != ClaimOutcome.Granted) return false;
        connection = new SimSessionLink(Node);
        var grant = new SessionGrant(IsKept ? 1_000_000u : 0, 20, Will) { Epoch = answer.Epoch };
        connection.Lease = Node.Broker.Connect(_id, IsClean, grant, Node.Context, connection)!.Value;
        Node.Broker.Cluster.Connected(_id, answer.Epoch, connection.Lease);
        return true;
    }
}

/// <summary>A client's connection with a life of a node.</summary>
internal sealed class SimSessionLink(SimNode node) : ISessionLink
{
    public int Start { get; } = node.Starts;

    public ConnectionLease Lease { get; set; }

    public bool SessionPresent { get; private set; }

    public bool PumpRequested { get; set; }

    /// <summary>Whether the broker has closed it.</summary>
    public bool IsClosed { get; private set; }

    public bool IsThere => node.IsUp && node.Starts == Start;

    public Queue<(bool IsRelease, ushort Id, QoS QoS, string Payload)> Unread { get; } = new();

    public bool HasRoom => true;

    public void Disconnect()
    {
        if (IsThere) node.Broker.Disconnect(Lease, discardWill: true, newExpirySeconds: null, node.Context);
    }

    /// <summary>Its connection breaks.</summary>
    public void Break()
    {
        if (IsThere) node.Broker.Disconnect(Lease, discardWill: false, newExpirySeconds: null, node.Context);
    }

    public void RequestPumpWhenDrained() => PumpRequested = true;

    public void Prepare(Session session)
    {
    }

    public void SendConnack(bool sessionPresent) => SessionPresent = sessionPresent;

    public SendOutcome Send(in Delivery delivery, in Publication message, RoutingContext context)
    {
        Unread.Enqueue((false, delivery.PacketId, delivery.QoS, World.Text(message.Payload)));
        return SendOutcome.Sent;
    }

    public void SendPubrel(ushort packetId) => Unread.Enqueue((true, packetId, QoS.ExactlyOnce, ""));

    public void RequestPump() => PumpRequested = true;

    public void Close(ReasonCode reason) => IsClosed = true;
}
