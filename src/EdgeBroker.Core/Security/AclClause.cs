namespace EdgeBroker.Core.Security;

/// <summary>One filter of a rule, made out for one client.</summary>
/// <param name="Filter">The filter, UTF-8.</param>
/// <param name="Rule">The rule it comes from.</param>
internal readonly record struct AclClause(byte[] Filter, AclRule Rule);
