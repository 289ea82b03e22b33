namespace EdgeBroker.Core.Security;

/// <summary>
/// The rules in force: one reference, replaced as a whole while clients connect. A client keeps what was made out for it until it is reviewed.
/// </summary>
/// <param name="rules">Those to begin with.</param>
public sealed class AccessRules(AclRuleSet rules)
{
    private volatile AclRuleSet _current = rules;

    /// <summary>The rules that the next client is judged by.</summary>
    public AclRuleSet Current
    {
        get => _current;
        set => _current = value;
    }
}
