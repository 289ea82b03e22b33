using EdgeBroker.Core.Limits;

namespace EdgeBroker.Coap.Messages;

/// <summary>An endpoint that sends requests, and what is remembered of it.</summary>
public sealed class Peer
{
    internal Peer(PeerEndPoint endPoint, ushort firstMessageId, PeersOfNetwork network)
    {
        EndPoint = At = endPoint;
        NextMessageId = firstMessageId;
        Network = network;
        Place = new LinkedListNode<Peer>(this);
        PlaceInNetwork = new LinkedListNode<Peer>(this);
        // A DTLS handshake begins with a cookie, which is such a proof.
        IsVerified = endPoint.IsLoopback || endPoint.Association != 0;
    }

    /// <summary>What it is known by.</summary>
    public PeerEndPoint EndPoint { get; }

    /// <summary>Where it is: of a DTLS association where it was last heard of.</summary>
    public PeerEndPoint At { get; private set; }

    /// <summary>Whether it is remembered no more: nothing is kept for it or sent to it.</summary>
    public bool IsForgotten { get; internal set; }

    /// <summary>Whether it has shown that it gets what is sent there: by Echo (RFC 9175), or because nobody can pretend to be there.</summary>
    public bool IsVerified { get; internal set; }

    /// <summary>
    /// Whether it has answered a message of ours, or is verified. Who has not may be somebody whose address another one has given: it is told little.
    /// </summary>
    public bool IsReached => IsVerified || HasAnswered;

    internal bool HasAnswered { get; set; }

    /// <summary>What the handler keeps of it.</summary>
    public object? State { get; set; }

    /// <summary>Whether somebody is there: by an answer, or by a handshake. Who has not shown so gives way to others, whatever it has open.</summary>
    public bool IsReal => IsReached || EndPoint.Association != 0;

    /// <summary>Reasons to remember it although nothing is heard of it: observations.</summary>
    public int Pins { get; internal set; }

    /// <summary>Bytes of its datagrams.</summary>
    public long BytesReceived { get; internal set; }

    /// <summary>Bytes of datagrams to it.</summary>
    public long BytesSent { get; internal set; }

    /// <summary>Notifications it was sent, not counting those sent again.</summary>
    public long Notifications { get; internal set; }

    /// <summary>Whether a CON may go: nothing waits for its acknowledgement (NSTART is 1; RFC 7252, 4.7).</summary>
    public bool IsFree => Current is null && Waiting.Count == 0;

    internal long LastHeardMs { get; set; }

    internal TokenBucket Bucket;

    internal Dictionary<ushort, Exchange> Exchanges { get; } = [];

    /// <summary>Its association was heard of from elsewhere: that it gets what is sent there is to be shown again.</summary>
    internal void MoveTo(in PeerEndPoint at)
    {
        At = at;
        HasAnswered = false;
        IsVerified = at.IsLoopback;
    }

    /// <summary>The exchanges in the order in which they came.</summary>
    internal Queue<Exchange> Order { get; } = new();

    /// <summary>The CON in flight.</summary>
    internal Transmission? Current { get; set; }

    /// <summary>When it is looked at whether that has timed out.</summary>
    internal long WatchedMs { get; set; } = long.MaxValue;

    /// <summary>Responses that wait until it is acknowledged.</summary>
    internal Queue<Transmission> Waiting { get; } = new();

    /// <summary>All of the network it was first heard of from.</summary>
    internal PeersOfNetwork Network { get; }

    /// <summary>Its place among the peers that may have to go.</summary>
    internal LinkedListNode<Peer> Place { get; }

    /// <summary>The same among those of its network.</summary>
    internal LinkedListNode<Peer> PlaceInNetwork { get; }

    internal ushort NextMessageId { get; set; }
}

/// <summary>The peers of one network.</summary>
internal sealed class PeersOfNetwork
{
    /// <summary>How many are remembered.</summary>
    public int Count { get; set; }

    /// <summary>Those of them that may have to go, in the order in which they were heard of.</summary>
    public LinkedList<Peer> ByLastHeard { get; } = new();
}

/// <summary>What became of a CON of ours.</summary>
public enum TransmissionOutcome
{
    /// <summary>The peer has it.</summary>
    Acknowledged,

    /// <summary>The peer can do nothing with it.</summary>
    Reset,

    /// <summary>The peer did not answer in time.</summary>
    TimedOut,
}

/// <summary>A CON of ours until it is acknowledged.</summary>
internal sealed class Transmission(byte[] datagram, ushort messageId, Action<TransmissionOutcome>? told)
{
    public byte[] Datagram { get; } = datagram;

    public ushort MessageId { get; } = messageId;

    /// <summary>Who wants to know what becomes of it; null: nobody.</summary>
    public Action<TransmissionOutcome>? Told { get; } = told;

    public int Retransmissions { get; set; }

    public double TimeoutMs { get; set; }

    /// <summary>When it has timed out.</summary>
    public long DueMs { get; set; }
}
