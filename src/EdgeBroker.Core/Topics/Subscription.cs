using EdgeBroker.Core.Receivers;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Topics;

/// <summary>
/// One receiver's interest in one filter; immutable, replaced as a whole. Where several filters of a receiver match a topic, the match merges them into one
/// of these, so that the receiver gets one copy.
/// </summary>
public class Subscription
{
    public Subscription(Receiver receiver, byte[] filter, SubscriptionOptions options, uint identifier)
        : this(receiver, filter, options, identifier == 0 ? null : [identifier])
    {
    }

    private Subscription(Receiver receiver, byte[] filter, SubscriptionOptions options, uint[]? identifiers)
    {
        Receiver = receiver;
        IsShared = TopicFilter.TrySplitShared(filter, out _, out _);
        Filter = filter;
        Options = options;
        Identifiers = identifiers;
    }

    /// <summary>Whose it is.</summary>
    public Receiver Receiver { get; }

    /// <summary>The filter as the client wrote it, <c>$share/group/</c> included.</summary>
    public byte[] Filter { get; }

    /// <summary>Whether the filter is one of a shared group.</summary>
    public bool IsShared { get; }

    /// <summary>The granted options.</summary>
    public SubscriptionOptions Options { get; }

    /// <summary>Subscription identifiers that go with its messages; null: none.</summary>
    public uint[]? Identifiers { get; }

    /// <summary>One subscription with the effect of several of the same receiver.</summary>
    internal static Subscription Merge(IReadOnlyCollection<Subscription> several)
    {
        var qos = QoS.AtMostOnce;
        bool retainAsPublished = false;
        var identifiers = new List<uint>();
        foreach (Subscription one in several)
        {
            if (one.Options.MaximumQoS > qos) qos = one.Options.MaximumQoS;
            retainAsPublished |= one.Options.RetainAsPublished;
            if (one.Identifiers is not null) identifiers.AddRange(one.Identifiers);
        }

        // The highest QoS granted and every identifier [MQTT-3.3.4-2], [MQTT-3.3.4-4].
        return new Merged([.. several], new SubscriptionOptions(qos, retainAsPublished: retainAsPublished), identifiers.Count == 0 ? null : [.. identifiers]);
    }

    /// <summary>What holds for a message of <paramref name="publisher"/>: itself, less what No Local takes away; null when nothing is left.</summary>
    internal Subscription? For(Receiver? publisher) => ReferenceEquals(publisher, Receiver) ? ForItself() : this;

    private protected virtual Subscription? ForItself() => Options.NoLocal ? null : this;

    /// <summary>Several in one: what holds depends on who publishes.</summary>
    private sealed class Merged(Subscription[] several, SubscriptionOptions options, uint[]? identifiers)
        : Subscription(several[0].Receiver, several[0].Filter, options, identifiers)
    {
        private protected override Subscription? ForItself()
        {
            Subscription[] rest = Array.FindAll(several, one => !one.Options.NoLocal);
            if (rest.Length == several.Length) return this;
            return rest.Length switch { 0 => null, 1 => rest[0], _ => Merge(rest) };
        }
    }
}
