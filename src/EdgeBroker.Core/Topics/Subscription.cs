using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Topics;

/// <summary>
/// One session's interest in one filter; immutable, replaced as a whole. Where several filters of a session match a topic, the match merges them into one
/// of these, so that the session gets one copy.
/// </summary>
public sealed class Subscription
{
    private readonly Subscription[]? _merged;

    public Subscription(Session session, byte[] filter, SubscriptionOptions options, uint identifier)
    {
        Session = session;
        Filter = filter;
        Options = options;
        Identifiers = identifier == 0 ? null : [identifier];
    }

    private Subscription(Subscription[] merged)
    {
        _merged = merged;
        Session = merged[0].Session;
        Filter = merged[0].Filter;
        var qos = QoS.AtMostOnce;
        bool retainAsPublished = false;
        var identifiers = new List<uint>();
        foreach (Subscription one in merged)
        {
            if (one.Options.MaximumQoS > qos) qos = one.Options.MaximumQoS;
            retainAsPublished |= one.Options.RetainAsPublished;
            NoLocalConcerns |= one.Options.NoLocal;
            if (one.Identifiers is not null) identifiers.AddRange(one.Identifiers);
        }

        // The highest QoS granted and every identifier [MQTT-3.3.4-2], [MQTT-3.3.4-4].
        Options = new SubscriptionOptions(qos, retainAsPublished: retainAsPublished);
        Identifiers = identifiers.Count == 0 ? null : [.. identifiers];
    }

    /// <summary>Whose it is.</summary>
    public Session Session { get; }

    /// <summary>The filter as the client wrote it, <c>$share/group/</c> included.</summary>
    public byte[] Filter { get; }

    /// <summary>The granted options.</summary>
    public SubscriptionOptions Options { get; }

    /// <summary>Subscription identifiers that go with its messages; null: none.</summary>
    public uint[]? Identifiers { get; }

    // Set on merged ones only: the outcome depends on who publishes.
    private bool NoLocalConcerns { get; }

    /// <summary>One subscription with the effect of several of the same session.</summary>
    internal static Subscription Merge(IReadOnlyCollection<Subscription> several) => new([.. several]);

    /// <summary>What holds for a message of <paramref name="publisher"/>: itself, less what No Local takes away; null when nothing is left.</summary>
    internal Subscription? For(Session? publisher)
    {
        if (!ReferenceEquals(publisher, Session)) return this;
        if (_merged is null) return Options.NoLocal ? null : this;
        if (!NoLocalConcerns) return this;
        Subscription[] rest = Array.FindAll(_merged, one => !one.Options.NoLocal);
        return rest.Length switch { 0 => null, 1 => rest[0], _ => Merge(rest) };
    }
}
