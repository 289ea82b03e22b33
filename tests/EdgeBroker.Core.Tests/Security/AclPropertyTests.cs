using System.Text;
using System.Text.RegularExpressions;
using CsCheck;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Security;

/// <summary>
/// Random rules for random clients: what is made out at CONNECT against asking the rules themselves, one by one and slowly, for every topic there is.
/// </summary>
public sealed partial class AclPropertyTests
{
    private static readonly string[] Names = ["", "a", "b", "a/b", "+", "$S"];

    private static readonly string[] Topics = [.. FilterRelationTests.AllTopics(3).Select(Encoding.UTF8.GetString)];

    private static readonly Gen<string> Pattern = Gen.OneOf(FilterRelationTests.Filter, Rules.OneOf("%u", "%c/#", "a/%u", "%c/%u", "+/%c", "a%c/#", "%u/+"));

    private static readonly Gen<AclRule> Rule = Gen.Select(
        Gen.Bool, Gen.Int[1, 7], Pattern.Array[1, 3], Rules.OneOf("*", "*", "a", "", "?*", "b*"), Rules.OneOf("*", "*", "a*", "$*"), Gen.Int[0, 2],
        (allows, actions, topics, user, client, qos) =>
            Rules.Rule(allows, (AccessActions)actions, topics, user, client, max: allows ? (QoS)qos : QoS.ExactlyOnce));

    [Fact]
    public void A_publish_is_decided_as_the_rules_say() => Gen.Select(Rule.Array[0, 6], Rules.OneOf(Names), Rules.OneOf(Names)).Sample((rules, user, client) =>
    {
        if (rules.Length == 0) return;
        Permissions permissions = Rules.For(user.Length == 0 ? null : user, client, rules);
        foreach (string topic in Topics)
        {
            AclRule? publish = Decider(rules, AccessActions.Publish, user, client, topic);
            AclRule? retain = Decider(rules, AccessActions.Retain, user, client, topic);
            byte[] bytes = Encoding.UTF8.GetBytes(topic);
            for (int qos = 0; qos <= 2; qos++)
            {
                bool expected = publish is { Allows: true } && qos <= (int)publish.MaximumQoS;
                Assert.True(expected == permissions.MayPublish(bytes, (QoS)qos, false), topic);
                Assert.True((expected && retain is { Allows: true }) == permissions.MayPublish(bytes, (QoS)qos, true), topic);
                Assert.Equal(expected, permissions.JudgePublish(bytes, (QoS)qos, false).IsAllowed);
            }
        }
    }, iter: 300);

    [Fact]
    public void No_subscription_brings_what_is_denied_and_single_topics_are_decided_exactly() => Gen.Select(
        Rule.Array[1, 6], Rules.OneOf(Names), Rules.OneOf(Names), FilterRelationTests.Filter.Array[20]).Sample((rules, user, client, filters) =>
    {
        Permissions permissions = Rules.For(user.Length == 0 ? null : user, client, rules);
        AclRule?[] deciders = [.. Topics.Select(topic => Decider(rules, AccessActions.Subscribe, user, client, topic))];
        foreach (string filter in filters)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(filter);
            bool permitted = permissions.MaySubscribe(bytes);
            Assert.Equal(permitted, permissions.JudgeSubscribe(bytes).IsAllowed);
            if (!permitted) continue;
            int most = (int)permissions.MaximumQoS(bytes);
            for (int i = 0; i < Topics.Length; i++)
            {
                if (TopicFilter.Matches(bytes, Encoding.UTF8.GetBytes(Topics[i])))
                {
                    Assert.True(deciders[i] is { Allows: true } rule && most <= (int)rule.MaximumQoS, $"{filter} brings {Topics[i]}");
                }
            }
        }

        for (int i = 0; i < Topics.Length; i++)
        {
            Assert.True(deciders[i] is { Allows: true } == permissions.MaySubscribe(Encoding.UTF8.GetBytes(Topics[i])), Topics[i]);
        }
    }, iter: 300);

    /// <summary>The first rule about this client, action and topic, by regular expressions and lists of levels: nothing of what is tested.</summary>
    private static AclRule? Decider(AclRule[] rules, AccessActions action, string user, string client, string topic) => rules.FirstOrDefault(rule =>
        rule.Actions.HasFlag(action) && IsGlobOf(rule.User, user) && IsGlobOf(rule.Client, client)
        && rule.Topics.Any(pattern => MatchesNaively(pattern.ToString(), user, client, topic, rule.Allows)));

    private static bool IsGlobOf(string glob, string name) =>
        Regex.IsMatch(name, "^" + Regex.Escape(glob).Replace("\\*", ".*", StringComparison.Ordinal).Replace("\\?", ".", StringComparison.Ordinal) + "\\z");

    private static bool MatchesNaively(string pattern, string user, string client, string topic, bool allows)
    {
        // Names are kept apart from what the rule's author wrote: a wildcard in a name is no wildcard.
        bool apt = true;
        string[] wanted = pattern.Split('/');
        var levels = new List<(string Text, bool IsWritten)>();
        foreach (string level in wanted)
        {
            string text = Placeholder().Replace(level, match =>
            {
                string name = match.Value == "%u" ? user : client;
                apt &= name.IndexOfAny(['+', '#']) < 0
                    && (!allows
                        || (name.Length > 0 && !name.Contains('/', StringComparison.Ordinal) && !(name[0] == '$' && match.Index == 0 && levels.Count == 0)));
                return name;
            });
            bool isWritten = text == level;
            foreach (string part in text.Split('/')) levels.Add((part, isWritten));
        }

        string[] actual = topic.Split('/');
        if (!apt || (topic[0] == '$' && levels[0] is ("+" or "#", true))) return false;
        for (int i = 0; i < levels.Count; i++)
        {
            if (levels[i] is ("#", true)) return actual.Length >= i;
            if (i >= actual.Length || (levels[i] is not ("+", true) && levels[i].Text != actual[i])) return false;
        }

        return actual.Length == levels.Count;
    }

    [GeneratedRegex("%[uc]")]
    private static partial Regex Placeholder();
}
