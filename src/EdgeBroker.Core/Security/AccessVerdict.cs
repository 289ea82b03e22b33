using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Security;

/// <summary>An answer with its reason, for people: logs and <c>edgebroker acl test</c>.</summary>
/// <param name="IsAllowed">The answer.</param>
/// <param name="Cause">What decided: the rule with its place, or that there is none.</param>
/// <param name="MaximumQoS">The highest QoS the deciding rules leave; of a subscription, what is granted at most.</param>
public readonly record struct AccessVerdict(bool IsAllowed, string Cause, QoS MaximumQoS = QoS.ExactlyOnce);
