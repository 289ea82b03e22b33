using CsCheck;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Security;

/// <summary>Rules in a test's words.</summary>
internal static class Rules
{
    public const AccessActions Everything = AccessActions.Publish | AccessActions.Subscribe | AccessActions.Retain;

    public static AclRule Allow(AccessActions actions, params string[] topics) => Make("allow", true, actions, topics);

    public static AclRule Deny(AccessActions actions, params string[] topics) => Make("deny", false, actions, topics);

    public static AclRule Rule(
        bool allows, AccessActions actions, string[] topics, string user = "*", string client = "*", string group = "*", string listener = "*",
        QoS max = QoS.ExactlyOnce) =>
        new()
        {
            Source = "test:1",
            Allows = allows,
            Actions = actions,
            Topics = [.. topics.Select(topic => new AclPattern(topic))],
            User = user,
            Client = client,
            Group = group,
            Listener = listener,
            MaximumQoS = max,
        };

    public static Permissions For(string? user, string client, params AclRule[] rules) =>
        new AclRuleSet(rules, []).PermissionsFor(new AclSubject(user, client, "127.0.0.1:1883"));

    /// <summary>One of a few.</summary>
    public static Gen<string> OneOf(params string[] choices) => Gen.Int[0, choices.Length - 1].Select(i => choices[i]);

    private static AclRule Make(string source, bool allows, AccessActions actions, string[] topics) =>
        new() { Source = source, Allows = allows, Actions = actions, Topics = [.. topics.Select(topic => new AclPattern(topic))] };
}
