using EdgeBroker.Core.Receivers;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Topics;

/// <summary>
/// The members of one <c>$share/group/filter</c>, here and on other nodes: each message goes to one of them in turn (4.8.2), to one of this node's if any is
/// there.
/// </summary>
public sealed class SharedGroup
{
    private int _turn;
    private int _peerTurn;

    internal SharedGroup(byte[] name) => Name = name;

    /// <summary>The share name.</summary>
    internal byte[] Name { get; }

    /// <summary>The members; replaced, never changed in place.</summary>
    internal Subscription[] Members { get; set; } = [];

    /// <summary>Other nodes that have members; replaced, never changed in place.</summary>
    internal PeerInterest[] Peers { get; set; } = [];

    /// <summary>Whether nobody is in it.</summary>
    internal bool IsEmpty => Members.Length == 0 && Peers.Length == 0;

    /// <summary>What other nodes have been told that its members here want; guarded by the tree's writer lock.</summary>
    internal Interest Told { get; set; }

    /// <summary>What its members here want.</summary>
    internal Interest Interest
    {
        get
        {
            Interest interest = Interest.None;
            foreach (Subscription member in Members)
            {
                interest |= Interest.Any;
                if (member.Receiver.Readiness is ReceiverReadiness.Ready or ReceiverReadiness.Busy) interest |= Interest.Connected;
                if (member.Options.MaximumQoS == QoS.AtMostOnce) continue;
                interest |= member.Receiver.IsDurable ? Interest.Acknowledged | Interest.Kept : Interest.Acknowledged;
            }

            return interest;
        }
    }

    /// <summary>
    /// Whose turn it is: a connected member with room to take the message at once, else another node that has a connected member, else any connected member,
    /// else, for QoS 1 and 2, one that is away and kept, here or on another node. Null when there is nobody.
    /// </summary>
    /// <param name="qos">The message's.</param>
    /// <param name="except">Who is passed over; null: nobody.</param>
    /// <param name="withPeers">Whether other nodes may be asked.</param>
    internal Subscription? Next(QoS qos, Receiver? except = null, bool withPeers = true)
    {
        Subscription? own = NextHere(qos, except, out bool isReady);
        if (isReady || !withPeers || Peers.Length == 0) return own;
        PeerInterest? other = NextElsewhere(qos, except, out bool isThere);
        return isThere || own is null ? other : own;
    }

    private PeerInterest? NextElsewhere(QoS qos, Receiver? except, out bool isThere)
    {
        PeerInterest[] peers = Peers;
        uint start = (uint)Interlocked.Increment(ref _peerTurn);
        PeerInterest? kept = null;
        isThere = true;
        for (uint i = 0; i < peers.Length; i++)
        {
            PeerInterest peer = peers[(start + i) % (uint)peers.Length];
            if (ReferenceEquals(peer.Receiver, except)) continue;
            if ((peer.Interest & Interest.Connected) != 0 && peer.Receiver.Readiness == ReceiverReadiness.Ready) return peer;
            if (qos != QoS.AtMostOnce && (peer.Interest & Interest.Kept) != 0) kept ??= peer;
        }

        isThere = false;
        return kept;
    }

    private Subscription? NextHere(QoS qos, Receiver? except, out bool isReady)
    {
        isReady = false;
        Subscription[] members = Members;
        if (members.Length == 0) return null;
        uint start = (uint)Interlocked.Increment(ref _turn);
        Subscription? connected = null, kept = null;
        for (uint i = 0; i < members.Length; i++)
        {
            Subscription member = members[(start + i) % (uint)members.Length];
            if (ReferenceEquals(member.Receiver, except)) continue;
            switch (member.Receiver.Readiness)
            {
                case ReceiverReadiness.Ready:
                    isReady = true;
                    return member;
                case ReceiverReadiness.Busy: connected ??= member; break;
                case ReceiverReadiness.Offline when qos != QoS.AtMostOnce && member.Options.MaximumQoS != QoS.AtMostOnce: kept ??= member; break;
            }
        }

        return connected ?? kept;
    }
}
