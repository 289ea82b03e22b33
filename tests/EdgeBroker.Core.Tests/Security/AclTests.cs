using System.Text;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Core.Tests.Security;

public sealed class AclTests
{
    [Fact]
    public void Without_rules_everything_is_permitted() =>
        Assert.Same(Permissions.All, AclRuleSet.Unrestricted.PermissionsFor(new AclSubject(null, "c", "l")));

    [Fact]
    public void What_no_rule_names_is_denied()
    {
        Permissions permissions = Rules.For("anna", "c", Rules.Allow(AccessActions.Publish, "a/#"));
        Assert.True(permissions.MayPublish("a/b"u8, QoS.ExactlyOnce, retain: false));
        Assert.False(permissions.MayPublish("b"u8, QoS.AtMostOnce, retain: false));
        Assert.False(permissions.MaySubscribe("a/#"u8));
        Assert.Equal("no [[acl]] rule allows to publish there", permissions.JudgePublish("b"u8, QoS.AtMostOnce, false).Cause);
    }

    [Fact]
    public void The_first_rule_that_matches_decides()
    {
        Permissions permissions =
            Rules.For("anna", "c", Rules.Allow(Rules.Everything, "a/open/#"), Rules.Deny(Rules.Everything, "a/#"), Rules.Allow(Rules.Everything, "#"));
        Assert.True(permissions.MayPublish("a/open/x"u8, QoS.AtMostOnce, false));
        Assert.False(permissions.MayPublish("a/closed"u8, QoS.AtMostOnce, false));
        Assert.True(permissions.MayPublish("b"u8, QoS.AtMostOnce, false));
        Assert.Equal(new AccessVerdict(false, "denied by the rule at deny"), permissions.JudgePublish("a/closed"u8, QoS.AtMostOnce, false));
    }

    [Theory]
    [InlineData("a/open/x", true)]
    [InlineData("a/open/#", true)]
    [InlineData("a/open/+/x", true)]
    [InlineData("b/#", true)]
    [InlineData("a/closed", false)]
    [InlineData("a/#", false)]
    [InlineData("#", false)]
    [InlineData("+/open/x", false)]
    [InlineData("$SYS/broker/uptime", false)]
    public void A_filter_that_reaches_what_is_denied_is_refused(string filter, bool permitted)
    {
        Permissions permissions =
            Rules.For("anna", "c", Rules.Allow(Rules.Everything, "a/open/#"), Rules.Deny(Rules.Everything, "a/#"), Rules.Allow(Rules.Everything, "#"));
        Assert.Equal(permitted, permissions.MaySubscribe(Encoding.UTF8.GetBytes(filter)));
    }

    [Fact]
    public void Retaining_is_a_right_of_its_own()
    {
        Permissions permissions = Rules.For(
            "anna", "c", Rules.Deny(AccessActions.Retain, "a/live"), Rules.Allow(AccessActions.Publish | AccessActions.Retain, "a/#"),
            Rules.Allow(AccessActions.Publish, "b"));
        Assert.True(permissions.MayPublish("a/x"u8, QoS.AtMostOnce, retain: true));
        Assert.False(permissions.MayPublish("a/live"u8, QoS.AtMostOnce, retain: true));
        Assert.True(permissions.MayPublish("a/live"u8, QoS.AtMostOnce, retain: false));
        Assert.False(permissions.MayPublish("b"u8, QoS.AtMostOnce, retain: true));
        Assert.Equal("no [[acl]] rule allows to retain there", permissions.JudgePublish("b"u8, QoS.AtMostOnce, true).Cause);
        Assert.Equal("denied by the rule at deny", permissions.JudgePublish("a/live"u8, QoS.AtMostOnce, true).Cause);
    }

    [Fact]
    public void A_rule_limits_the_QoS_of_what_it_allows()
    {
        Permissions permissions = Rules.For(
            "anna", "c", Rules.Rule(true, Rules.Everything, ["a/b/#"], max: QoS.AtMostOnce), Rules.Rule(true, Rules.Everything, ["a/#"], max: QoS.AtLeastOnce));
        Assert.True(permissions.MayPublish("a/b"u8, QoS.AtMostOnce, false));
        Assert.False(permissions.MayPublish("a/b"u8, QoS.AtLeastOnce, false));
        Assert.Equal("above max_qos of the rule at test:1", permissions.JudgePublish("a/b"u8, QoS.AtLeastOnce, false).Cause);
        Assert.True(permissions.MayPublish("a/c"u8, QoS.AtLeastOnce, false));
        Assert.Equal(QoS.AtMostOnce, permissions.MaximumQoS("a/b/c"u8));
        Assert.Equal(QoS.AtLeastOnce, permissions.MaximumQoS("a/c"u8));
        Assert.Equal(QoS.AtMostOnce, permissions.MaximumQoS("a/#"u8));
    }

    [Fact]
    public void Rules_name_users_clients_groups_and_listeners()
    {
        var rules = new AclRuleSet(
        [
            Rules.Rule(true, AccessActions.Publish, ["user"], user: "anna"),
            Rules.Rule(true, AccessActions.Publish, ["client"], client: "press-*"),
            Rules.Rule(true, AccessActions.Publish, ["group"], group: "night"),
            Rules.Rule(true, AccessActions.Publish, ["listener"], listener: "*:8883"),
            Rules.Rule(true, AccessActions.Publish, ["anonymous"], user: ""),
        ], [new AclGroup("night", ["anna", "shift-?"]), new AclGroup("day", ["bert"])]);
        Assert.Equal("user,client,group", Reach(rules, "anna", "press-7", "127.0.0.1:1883"));
        Assert.Equal("group,listener", Reach(rules, "shift-2", "c", "0.0.0.0:8883"));
        Assert.Equal("", Reach(rules, "bert", "c", "127.0.0.1:1883"));
        Assert.Equal("client,anonymous", Reach(rules, null, "press-", "127.0.0.1:1883"));
    }

    [Fact]
    public void Names_stand_in_topics()
    {
        Permissions permissions = Rules.For("anna", "press-7", Rules.Allow(AccessActions.Publish, "u/%u/x", "c/%c/#", "%u-%c", "100%%"));
        foreach (string topic in new[] { "u/anna/x", "c/press-7/a/b", "anna-press-7", "100%" }) Assert.True(MayPublish(permissions, topic), topic);
        foreach (string topic in new[] { "u/bert/x", "c/press-8", "u/%u/x", "100%%" }) Assert.False(MayPublish(permissions, topic), topic);
    }

    [Theory]
    [InlineData("+")]
    [InlineData("#")]
    [InlineData("other/secret")]
    [InlineData("a+")]
    [InlineData("")]
    public void A_name_never_widens_what_is_allowed(string client)
    {
        Permissions permissions = Rules.For("anna", client, Rules.Allow(Rules.Everything, "dev/%c/#"));
        foreach (string topic in new[] { "dev/other", "dev/other/secret/x", "dev//x", "dev/a+" }) Assert.False(MayPublish(permissions, topic), topic);
        foreach (string filter in new[] { "dev/+/#", "dev/#", "dev/other/secret/#", "dev//#" })
        {
            Assert.False(permissions.MaySubscribe(Encoding.UTF8.GetBytes(filter)), filter);
        }
    }

    [Fact]
    public void A_name_does_not_reach_the_reserved_tree()
    {
        Permissions permissions = Rules.For("anna", "$SYS", Rules.Allow(Rules.Everything, "%c/#"));
        Assert.False(permissions.MaySubscribe("$SYS/#"u8));
        Assert.True(Rules.For("anna", "x$SYS", Rules.Allow(Rules.Everything, "%c/#")).MaySubscribe("x$SYS/#"u8));
    }

    [Fact]
    public void A_denial_holds_for_names_with_levels_too()
    {
        Permissions permissions = Rules.For("anna", "hall/7", Rules.Deny(AccessActions.Publish, "dev/%c/secret"), Rules.Allow(AccessActions.Publish, "dev/#"));
        Assert.False(MayPublish(permissions, "dev/hall/7/secret"));
        Assert.True(MayPublish(permissions, "dev/hall/7/other"));
    }

    [Fact]
    public void A_name_that_looks_like_a_placeholder_is_no_placeholder()
    {
        Permissions permissions = Rules.For("%c", "victim", Rules.Allow(AccessActions.Publish, "dev/%u"));
        Assert.False(MayPublish(permissions, "dev/victim"));
        Assert.True(MayPublish(permissions, "dev/%c"));
    }

    [Theory]
    [InlineData("a/#/b", false)]
    [InlineData("a/b#", false)]
    [InlineData("", false)]
    [InlineData("%", false)]
    [InlineData("%x", false)]
    [InlineData("a/%", false)]
    [InlineData("$share/g/a", false)]
    [InlineData("a/%u/#", true)]
    [InlineData("50%%", true)]
    [InlineData("$SYS/#", true)]
    public void What_is_a_topic_of_a_rule(string text, bool valid)
    {
        Assert.Equal(valid, AclPattern.IsValid(text));
        if (!valid) Assert.Throws<FormatException>(() => new AclPattern(text));
    }

    [Fact]
    public void Own_rules_come_after_those_of_the_set_and_restrict_also_where_there_are_none()
    {
        var subject = new AclSubject("anna", "c", "l");
        AclRule[] own = [Rules.Allow(Rules.Everything, "#")];
        Permissions denied = new AclRuleSet([Rules.Deny(Rules.Everything, "closed/#")], []).PermissionsFor(subject, own);
        Assert.False(MayPublish(denied, "closed/x"));
        Assert.True(MayPublish(denied, "open"));
        Permissions narrow = AclRuleSet.Unrestricted.PermissionsFor(subject, [Rules.Allow(AccessActions.Publish, "a")]);
        Assert.True(MayPublish(narrow, "a"));
        Assert.False(MayPublish(narrow, "b"));
        Assert.False(MayPublish(AclRuleSet.Unrestricted.PermissionsFor(subject, []), "a"));
    }

    [Fact]
    public void Clients_of_the_same_rights_share_them()
    {
        var rules =
            new AclRuleSet([Rules.Rule(true, Rules.Everything, ["a/#"], client: "press-*"), Rules.Rule(true, Rules.Everything, ["b/%c"], user: "anna")], []);
        Assert.Same(rules.PermissionsFor(new AclSubject("u", "press-1", "l")), rules.PermissionsFor(new AclSubject("v", "press-2", "l")));
        Assert.NotSame(rules.PermissionsFor(new AclSubject("u", "press-1", "l")), rules.PermissionsFor(new AclSubject("u", "saw-1", "l")));
        Assert.NotSame(rules.PermissionsFor(new AclSubject("anna", "x", "l")), rules.PermissionsFor(new AclSubject("anna", "y", "l")));
    }

    [Fact]
    public void Checks_allocate_nothing()
    {
        Permissions permissions = Rules.For("anna", "press-7",
            Rules.Deny(AccessActions.Publish, "plant/+/lock"), Rules.Allow(Rules.Everything, "u/%u/#", "dev/%c/+", "plant/#"),
            Rules.Deny(Rules.Everything, "secret/#"));
        Assert.Equal(0, Allocations.Least(() =>
        {
            for (int i = 0; i < 1_000; i++) Check(permissions);
        }));
    }

    [Fact]
    public void Rules_that_decide_nothing_are_found()
    {
        AclRule first = Rules.Rule(true, Rules.Everything, ["plant/#", "x"], user: "press-*");
        AclRule hidden = Rules.Rule(false, AccessActions.Publish, ["plant/%c/lock", "x"], user: "press-7", client: "a*");
        AclRule seen = Rules.Rule(false, AccessActions.Publish, ["plant/lock", "y"], user: "press-7");
        AclRule everybody = Rules.Rule(false, AccessActions.Publish, ["x"]);
        Assert.Equal([(hidden, first)], AclReview.FindUnreachable([first, hidden, seen, everybody]));
    }

    [Fact]
    public void Accounts_of_one_name_are_told_apart_by_what_proves_the_name()
    {
        var rules = new AclRuleSet(
            [
                Of("password", AuthenticationMethod.Password), Of("token", AuthenticationMethod.Jwt), Of("certificate", AuthenticationMethod.Certificate),
                Of("peer", AuthenticationMethod.Peer), Of("psk", AuthenticationMethod.Psk), Of("any", AuthenticationMethod.Unknown),
            ],
            []);
        Assert.Equal("password,any", ReachOf(AuthenticationMethod.Password));
        Assert.Equal("password,any", ReachOf(AuthenticationMethod.Scram));
        Assert.Equal("token,any", ReachOf(AuthenticationMethod.Jwt));
        Assert.Equal("certificate,any", ReachOf(AuthenticationMethod.Certificate));
        Assert.Equal("peer,any", ReachOf(AuthenticationMethod.Peer));
        Assert.Equal("psk,any", ReachOf(AuthenticationMethod.Psk));
        Assert.Equal("any", ReachOf(AuthenticationMethod.Anonymous));
        Assert.Equal("any", ReachOf(AuthenticationMethod.Unknown));
        // One that is about certificates alone leaves the same rule for all others something to decide.
        AclRule all = Of("certificate", AuthenticationMethod.Unknown), narrow = Of("certificate", AuthenticationMethod.Certificate);
        Assert.Empty(AclReview.FindUnreachable([narrow, all]));
        Assert.Equal([(narrow, all)], AclReview.FindUnreachable([all, narrow]));

        AclRule Of(string topic, AuthenticationMethod via) => new()
        {
            Source = "test:1",
            Allows = true,
            Actions = Rules.Everything,
            User = "anna",
            Via = via,
            Topics = [new AclPattern(topic)],
        };

        string ReachOf(AuthenticationMethod via)
        {
            Permissions permissions = rules.PermissionsFor(new AclSubject("anna", "c", "l", via));
            return string.Join(',', new[] { "password", "token", "certificate", "peer", "psk", "any" }.Where(topic => MayPublish(permissions, topic)));
        }
    }

    private static void Check(Permissions permissions)
    {
        if (!permissions.MayPublish("dev/press-7/x"u8, QoS.AtLeastOnce, true) | permissions.MayPublish("plant/1/lock"u8, QoS.AtMostOnce, false)
            | !permissions.MaySubscribe("plant/+/x"u8) | permissions.MaySubscribe("#"u8) | permissions.MaximumQoS("plant/#"u8) != QoS.ExactlyOnce)
        {
            Assert.Fail("The rules say something else.");
        }
    }

    private static bool MayPublish(Permissions permissions, string topic) => permissions.MayPublish(Encoding.UTF8.GetBytes(topic), QoS.AtMostOnce, false);

    private static string Reach(AclRuleSet rules, string? user, string client, string listener)
    {
        Permissions permissions = rules.PermissionsFor(new AclSubject(user, client, listener));
        return string.Join(',', new[] { "user", "client", "group", "listener", "anonymous" }.Where(topic => MayPublish(permissions, topic)));
    }
}
