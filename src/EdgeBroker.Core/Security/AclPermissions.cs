using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Security;

/// <summary>
/// The rules as they concern one client, made out once. The first clause that matches a topic decides it. A filter is decided by going down the clauses: one
/// that allows and covers the whole filter allows it; one that denies any topic of it refuses it. What lies above the deciding one thus allows, so nothing is
/// ever delivered that the client could not have subscribed to by itself.
/// </summary>
internal sealed class AclPermissions(AclClause[] publish, AclClause[] retain, AclClause[] subscribe) : Permissions
{
    private const string NoPublishRule = "no [[acl]] rule allows to publish there";
    private const string NoRetainRule = "no [[acl]] rule allows to retain there";
    private const string NoSubscribeRule = "no [[acl]] rule allows to subscribe to all of it";

    public override bool MayPublish(ReadOnlySpan<byte> topic, QoS qos, bool retained)
    {
        AclRule? rule = FirstMatch(publish, topic);
        if (rule is null || !rule.Allows || qos > rule.MaximumQoS) return false;
        return !retained || FirstMatch(retain, topic) is { Allows: true };
    }

    public override bool MaySubscribe(ReadOnlySpan<byte> filter) => Decide(filter, out _) is { Allows: true };

    public override bool MayReceiveSome(ReadOnlySpan<byte> filter, out QoS maximumQoS)
    {
        maximumQoS = QoS.ExactlyOnce;
        bool some = false;
        foreach (AclClause clause in subscribe)
        {
            if (!FilterRelation.Overlaps(clause.Filter, filter)) continue;
            some |= clause.Rule.Allows;
            if (clause.Rule.Allows && clause.Rule.MaximumQoS < maximumQoS) maximumQoS = clause.Rule.MaximumQoS;
            // Those below it decide no topic of the filter.
            if (FilterRelation.Covers(clause.Filter, filter)) break;
        }

        return some;
    }

    public override QoS MaximumQoS(ReadOnlySpan<byte> filter)
    {
        Decide(filter, out QoS maximumQoS);
        return maximumQoS;
    }

    public override AccessVerdict JudgePublish(ReadOnlySpan<byte> topic, QoS qos, bool retained)
    {
        AclRule? rule = FirstMatch(publish, topic);
        if (rule is null) return new AccessVerdict(false, NoPublishRule);
        if (!rule.Allows) return new AccessVerdict(false, rule.DeniesCause);
        if (qos > rule.MaximumQoS) return new AccessVerdict(false, rule.LimitsCause);
        if (!retained) return new AccessVerdict(true, rule.AllowsCause, rule.MaximumQoS);
        AclRule? retaining = FirstMatch(retain, topic);
        if (retaining is null) return new AccessVerdict(false, NoRetainRule);
        return retaining.Allows ? new AccessVerdict(true, retaining.AllowsCause, rule.MaximumQoS) : new AccessVerdict(false, retaining.DeniesCause);
    }

    public override AccessVerdict JudgeSubscribe(ReadOnlySpan<byte> filter)
    {
        AclRule? rule = Decide(filter, out QoS maximumQoS);
        if (rule is null) return new AccessVerdict(false, NoSubscribeRule);
        return rule.Allows ? new AccessVerdict(true, rule.AllowsCause, maximumQoS) : new AccessVerdict(false, rule.DeniesCause);
    }

    private static AclRule? FirstMatch(AclClause[] clauses, ReadOnlySpan<byte> topic)
    {
        foreach (AclClause clause in clauses)
        {
            if (TopicFilter.Matches(clause.Filter, topic)) return clause.Rule;
        }

        return null;
    }

    /// <summary>The rule that decides a filter, null when none does.</summary>
    /// <param name="filter">The filter.</param>
    /// <param name="maximumQoS">The lowest of all limits that concern a topic of it.</param>
    private AclRule? Decide(ReadOnlySpan<byte> filter, out QoS maximumQoS)
    {
        maximumQoS = QoS.ExactlyOnce;
        foreach (AclClause clause in subscribe)
        {
            if (!FilterRelation.Overlaps(clause.Filter, filter)) continue;
            if (!clause.Rule.Allows) return clause.Rule;
            if (clause.Rule.MaximumQoS < maximumQoS) maximumQoS = clause.Rule.MaximumQoS;
            if (FilterRelation.Covers(clause.Filter, filter)) return clause.Rule;
        }

        return null;
    }
}
