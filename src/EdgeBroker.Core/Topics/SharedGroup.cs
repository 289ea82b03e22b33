using EdgeBroker.Core.Receivers;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Topics;

/// <summary>The members of one <c>$share/group/filter</c>: each message goes to one of them in turn (4.8.2).</summary>
public sealed class SharedGroup
{
    private int _turn;

    internal SharedGroup(byte[] name) => Name = name;

    /// <summary>The share name.</summary>
    internal byte[] Name { get; }

    /// <summary>The members; replaced, never changed in place.</summary>
    internal Subscription[] Members { get; set; } = [];

    /// <summary>
    /// The member whose turn it is: a connected one with room to take the message at once, else any connected one, else, for QoS 1 and 2,
    /// one that is away and kept. Null when there is nobody. A member that <paramref name="except"/> names is passed over.
    /// </summary>
    internal Subscription? Next(QoS qos, Receiver? except = null)
    {
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
                case ReceiverReadiness.Ready: return member;
                case ReceiverReadiness.Busy: connected ??= member; break;
                case ReceiverReadiness.Offline when qos != QoS.AtMostOnce && member.Options.MaximumQoS != QoS.AtMostOnce: kept ??= member; break;
            }
        }

        return connected ?? kept;
    }
}
