using System.Collections.Concurrent;

namespace EdgeBroker.Core.Security;

/// <summary>All rules, in order; immutable. Makes each client's <see cref="Permissions"/> of them when it connects.</summary>
public sealed class AclRuleSet
{
    // Clients differ mostly in name, not in rights; those whose rules name nobody share one object. Bounded, since globs can part clients in many ways.
    private const int SharedAtMost = 256;

    private readonly AclRule[] _rules;
    private readonly AclGroup[] _groups;
    private readonly ConcurrentDictionary<string, Permissions> _shared = new(StringComparer.Ordinal);

    /// <param name="rules">In the order in which they are asked.</param>
    /// <param name="groups">Users by group.</param>
    public AclRuleSet(IEnumerable<AclRule> rules, IEnumerable<AclGroup> groups)
    {
        _rules = [.. rules];
        _groups = [.. groups];
    }

    /// <summary>No rules: who is let in may do everything.</summary>
    public static AclRuleSet Unrestricted { get; } = new([], []);

    /// <summary>The rules.</summary>
    public IReadOnlyList<AclRule> Rules => _rules;

    /// <summary>Users by group.</summary>
    public IReadOnlyList<AclGroup> Groups => _groups;

    /// <summary>What a client may do.</summary>
    /// <param name="subject">The client.</param>
    /// <param name="additional">Rules of its own, asked after all others; null: none. Where there are any, a client is restricted also when the set has no
    /// rules.</param>
    public Permissions PermissionsFor(AclSubject subject, IReadOnlyList<AclRule>? additional = null)
    {
        if (_rules.Length == 0 && additional is null) return Permissions.All;
        var applying = new List<AclRule>();
        var profile = new char[_rules.Length];
        bool isShared = additional is null;
        for (int i = 0; i < _rules.Length; i++)
        {
            bool applies = _rules[i].IsAbout(subject, _groups);
            profile[i] = applies ? '1' : '0';
            if (!applies) continue;
            applying.Add(_rules[i]);
            isShared &= !UsesName(_rules[i]);
        }

        if (isShared) return Share(new string(profile), subject, applying);
        if (additional is not null) applying.AddRange(additional.Where(rule => rule.IsAbout(subject, _groups)));
        return Make(subject, applying);
    }

    private Permissions Share(string profile, AclSubject subject, List<AclRule> applying)
    {
        if (_shared.TryGetValue(profile, out Permissions? shared)) return shared;
        Permissions made = Make(subject, applying);
        return _shared.Count < SharedAtMost ? _shared.GetOrAdd(profile, made) : made;
    }

    private static AclPermissions Make(AclSubject subject, List<AclRule> rules) => new(
        Clauses(subject, rules, AccessActions.Publish), Clauses(subject, rules, AccessActions.Retain), Clauses(subject, rules, AccessActions.Subscribe));

    private static AclClause[] Clauses(AclSubject subject, List<AclRule> rules, AccessActions action)
    {
        var clauses = new List<AclClause>();
        foreach (AclRule rule in rules)
        {
            if ((rule.Actions & action) == 0) continue;
            foreach (AclPattern topic in rule.Topics)
            {
                if (topic.FilterFor(subject, rule.Allows) is { } filter) clauses.Add(new AclClause(filter, rule));
            }
        }

        return [.. clauses];
    }

    private static bool UsesName(AclRule rule)
    {
        foreach (AclPattern topic in rule.Topics)
        {
            if (topic.UsesName) return true;
        }

        return false;
    }
}
