using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Topics;

/// <summary>Matches topics against the tree. Holds the scratch lists of a match, so one thread at a time uses one.</summary>
internal sealed class SubscriptionMatcher
{
    private readonly List<NodeSubscriptions> _found = [];
    private readonly Dictionary<Session, List<Subscription>> _bySession = [];

    /// <summary>Finds who gets messages of <paramref name="topic"/>.</summary>
    public MatchResult Match(SubscriptionNode root, ReadOnlySpan<byte> topic)
    {
        _found.Clear();
        Collect(root, topic, isEnd: false, wildcards: !TopicName.IsReserved(topic));
        return _found.Count switch
        {
            0 => MatchResult.Nobody,
            1 => new MatchResult(_found[0].Plain, _found[0].Groups),
            _ => Merge(),
        };
    }

    // wildcards: false only at the root, for topics that begin with $ [MQTT-4.7.2-1]. Depth is bounded by the tree's, which max_topic_levels bounds.
    private void Collect(SubscriptionNode node, ReadOnlySpan<byte> topic, bool isEnd, bool wildcards)
    {
        if (wildcards && Volatile.Read(ref node.Multi) is { } multi) _found.Add(multi);
        if (isEnd)
        {
            if (Volatile.Read(ref node.Own) is { } own) _found.Add(own);
            return;
        }

        ReadOnlySpan<byte> level = TopicLevels.Cut(topic, out ReadOnlySpan<byte> rest, out bool isLast);
        if (node.Children.Find(level, LevelHash.Of(level)) is { } child) Collect(child, rest, isLast, wildcards: true);
        if (wildcards && Volatile.Read(ref node.Single) is { } single) Collect(single, rest, isLast, wildcards: true);
    }

    private MatchResult Merge()
    {
        var groups = new List<SharedGroup>();
        foreach (NodeSubscriptions found in _found)
        {
            groups.AddRange(found.Groups);
            foreach (Subscription one in found.Plain)
            {
                if (!_bySession.TryGetValue(one.Session, out List<Subscription>? several)) _bySession.Add(one.Session, several = []);
                several.Add(one);
            }
        }

        var plain = new Subscription[_bySession.Count];
        int i = 0;
        foreach (List<Subscription> several in _bySession.Values) plain[i++] = several.Count == 1 ? several[0] : Subscription.Merge(several);
        _bySession.Clear();
        return new MatchResult(plain, [.. groups]);
    }
}
