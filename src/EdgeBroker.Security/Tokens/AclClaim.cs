using System.Text.Json;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;

namespace EdgeBroker.Security.Tokens;

/// <summary>
/// Access rules in a token: a list of objects with <c>allow</c> or <c>deny</c>, <c>topics</c> and <c>max_qos</c>, as an <c>[[acl]]</c> has them. They concern
/// the bearer alone, so they name nobody.
/// </summary>
internal static class AclClaim
{
    private const int MaxRules = 100;
    private const int MaxTopics = 100;

    public static bool TryRead(JsonElement claim, string name, out IReadOnlyList<AclRule>? rules, out string problem)
    {
        rules = null;
        problem = $"expected at most {MaxRules} objects";
        if (claim.ValueKind != JsonValueKind.Array || claim.GetArrayLength() > MaxRules) return false;
        var read = new List<AclRule>();
        foreach (JsonElement element in claim.EnumerateArray())
        {
            if (ReadRule(element, $"the token's claim {name}[{read.Count}]", out problem) is not { } rule) return false;
            read.Add(rule);
        }

        rules = read;
        return true;
    }

    private static AclRule? ReadRule(JsonElement element, string source, out string problem)
    {
        problem = "expected objects with \"allow\" or \"deny\", and \"topics\"";
        if (element.ValueKind != JsonValueKind.Object) return null;
        AccessActions allowed = AccessActions.None;
        AccessActions denied = AccessActions.None;
        List<AclPattern>? topics = null;
        var maximumQoS = QoS.ExactlyOnce;
        foreach (JsonProperty property in element.EnumerateObject())
        {
            bool isGood = property.Name switch
            {
                "allow" => TryReadActions(property.Value, out allowed),
                "deny" => TryReadActions(property.Value, out denied),
                "topics" => TryReadTopics(property.Value, out topics),
                "max_qos" => TryReadQoS(property.Value, out maximumQoS),
                _ => false,
            };
            if (isGood) continue;
            problem = property.Name is "allow" or "deny" or "topics" or "max_qos"
                ? $"a value of \"{property.Name}\" that makes no sense"
                : "an object with a key that rules do not have";
            return null;
        }

        if (topics is null || (allowed == AccessActions.None) == (denied == AccessActions.None)) return null;
        bool allows = allowed != AccessActions.None;
        return new AclRule { Source = source, Allows = allows, Actions = allows ? allowed : denied, Topics = topics, MaximumQoS = maximumQoS };
    }

    private static bool TryReadActions(JsonElement value, out AccessActions actions)
    {
        actions = AccessActions.None;
        if (value.ValueKind != JsonValueKind.Array) return false;
        foreach (JsonElement element in value.EnumerateArray())
        {
            AccessActions action = element.ValueKind != JsonValueKind.String ? AccessActions.None : element.GetString() switch
            {
                "publish" => AccessActions.Publish,
                "subscribe" => AccessActions.Subscribe,
                "retain" => AccessActions.Retain,
                _ => AccessActions.None,
            };
            if (action == AccessActions.None) return false;
            actions |= action;
        }

        return actions != AccessActions.None;
    }

    private static bool TryReadTopics(JsonElement value, out List<AclPattern>? topics)
    {
        topics = null;
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() is 0 or > MaxTopics) return false;
        var read = new List<AclPattern>();
        foreach (JsonElement element in value.EnumerateArray())
        {
            if (element.ValueKind != JsonValueKind.String || element.GetString() is not { } text || !AclPattern.IsValid(text)) return false;
            read.Add(new AclPattern(text));
        }

        topics = read;
        return true;
    }

    private static bool TryReadQoS(JsonElement value, out QoS qos)
    {
        qos = QoS.ExactlyOnce;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt32(out int number) || number is < 0 or > 2) return false;
        qos = (QoS)number;
        return true;
    }
}
