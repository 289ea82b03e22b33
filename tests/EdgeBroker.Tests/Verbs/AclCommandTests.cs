using EdgeBroker.Cli.Options;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using EdgeBroker.Tests.Configuration;
using EdgeBroker.Verbs;

namespace EdgeBroker.Tests.Verbs;

/// <summary><c>acl</c>, with the rules of configurations.</summary>
public sealed class AclCommandTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly StringWriter _out = new();
    private readonly StringWriter _error = new();

    public void Dispose()
    {
        _directory.Dispose();
        _out.Dispose();
        _error.Dispose();
    }

    [Theory]
    [InlineData("acl: a command is missing: test, import", "acl")]
    [InlineData("acl test: TOPIC is missing", "acl", "test", "publish")]
    [InlineData("acl test: unexpected \"read\"; give publish or subscribe, and a topic", "acl", "test", "read", "a")]
    [InlineData("acl test: \"a/#\" is not a topic name", "acl", "test", "publish", "a/#")]
    [InlineData("acl test: \"a/#/b\" is not a topic filter", "acl", "test", "subscribe", "a/#/b")]
    [InlineData("acl test: --qos 3: give a whole number from 0 to 2", "acl", "test", "--qos", "3", "publish", "a")]
    [InlineData("acl test: --user needs a value: USER", "acl", "test", "--user")]
    [InlineData("acl test: --user is given twice", "acl", "test", "--user", "a", "--user=b", "publish", "a")]
    [InlineData("acl import: FILE is missing", "acl", "import")]
    public void Wrong_usage(string expected, params string[] arguments)
    {
        Assert.Equal(64, Run(arguments));
        Assert.StartsWith($"edgebroker {expected}\nusage: edgebroker {arguments[0]} ", _error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "allowed: allowed by the rule at b.toml:6, at most at QoS 1", "publish", "plant/a")]
    [InlineData(1, "denied: above max_qos of the rule at b.toml:6", "--qos", "2", "publish", "plant/a")]
    [InlineData(1, "denied: no [[acl]] rule allows to retain there", "--retain", "publish", "plant/a")]
    [InlineData(1, "denied: denied by the rule at b.toml:1", "publish", "plant/lock")]
    [InlineData(1, "denied: denied by the rule at b.toml:1", "subscribe", "#")]
    [InlineData(0, "allowed: allowed by the rule at b.toml:6, at most at QoS 1", "subscribe", "$share/g/plant/open/#")]
    [InlineData(0, "allowed: allowed by the rule at b.toml:11", "--client", "c7", "--qos=2", "publish", "dev/c7")]
    [InlineData(1, "denied: no [[acl]] rule allows to publish there", "--client", "c8", "publish", "dev/c7")]
    [InlineData(1, "denied: only the broker publishes under $SYS", "publish", "$SYS/x")]
    public void The_rules_are_tried(int exit, string expected, params string[] arguments)
    {
        _directory.Write("b.toml", """
            [[acl]]
            user = "anna"
            deny = ["publish", "subscribe"]
            topics = ["plant/lock"]

            [[acl]]
            allow = ["publish", "subscribe"]
            topics = ["plant/#"]
            max_qos = 1

            [[acl]]
            allow = ["publish"]
            topics = ["dev/%c"]
            """);
        Assert.Equal(exit, Run(["acl", "test", "-c", "b.toml", "--user", "anna", .. arguments]));
        Assert.Equal(expected + "\n", _out.ToString());
        Assert.Equal("note: anna is not in the password file: it cannot log in with a password\n", _error.ToString());
        Assert.Equal(exit, Run(["acl", "test", "--json", "-cb.toml", "--user=anna", .. arguments]));
        Assert.StartsWith($$"""{"allowed":{{(exit == 0 ? "true" : "false")}},"cause":""", _out.ToString(), StringComparison.Ordinal);
        Assert.Contains("\"user_known\":false", _out.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "--user", "anna", "--via", "certificate")]
    [InlineData(1, "--user", "anna")]
    [InlineData(1, "--user", "anna", "--via", "token")]
    [InlineData(1)]
    public void What_proves_the_name_counts_where_a_rule_says_so(int exit, params string[] who)
    {
        _directory.Write("b.toml", """
            [[acl]]
            user = "*"
            via = "certificate"
            allow = ["publish"]
            topics = ["plant/#"]
            """);
        Assert.Equal(exit, Run(["acl", "test", "-c", "b.toml", .. who, "publish", "plant/a"]));
        Assert.Equal(who is ["--user", "anna"], _error.ToString().Contains("is not in the password file", StringComparison.Ordinal));
    }

    [Fact]
    public void Mosquitto_s_rules_are_taken_over()
    {
        _directory.Write("acl", """
            # for all without a name
            topic read public/#
            topic $SYS/broker/uptime
            user anna
            topic readwrite plant/#
            topic deny plant/lock
            topic write a topic "with" \spaces 100%
            pattern write dev/%c/up
            pattern read dev/%c/down/${x}
            """);
        Assert.Equal(0, Run("acl", "import", "acl"));
        using var given = new Given(_out.ToString());
        AclRuleSet rules = given.Valid().Auth.Rules;
        Permissions nobody = rules.PermissionsFor(new AclSubject(null, "c", ""));
        Permissions anna = rules.PermissionsFor(new AclSubject("anna", "c", ""));
        Assert.True(nobody.MaySubscribe("public/#"u8));
        Assert.False(nobody.MayPublish("public/x"u8, QoS.AtMostOnce, false));
        Assert.True(nobody.MaySubscribe("$SYS/broker/uptime"u8));
        Assert.False(nobody.MaySubscribe("plant/x"u8));
        Assert.True(anna.MayPublish("plant/x"u8, QoS.ExactlyOnce, true));
        Assert.False(anna.MayPublish("plant/lock"u8, QoS.AtMostOnce, false));
        Assert.False(anna.MaySubscribe("public/#"u8));
        Assert.True(anna.MayPublish("a topic \"with\" \\spaces 100%"u8, QoS.AtMostOnce, false));
        Assert.All([anna, nobody], one => Assert.True(one.MayPublish("dev/c/up"u8, QoS.AtMostOnce, false)));
        Assert.All([anna, nobody], one => Assert.True(one.MaySubscribe("dev/c/down/${x}"u8)));
        Assert.All([anna, nobody], one => Assert.False(one.MayPublish("dev/d/up"u8, QoS.AtMostOnce, false)));
    }

    [Fact]
    public void What_cannot_be_taken_over_is_named()
    {
        _directory.Write("acl", "topic\nuser\nuser a*\ntopic read a/#/b\npattern read %x\nallow all\n");
        Assert.Equal(1, Run("acl", "import", "acl"));
        Assert.Equal(["1", "2", "3", "4", "5", "6"], _error.ToString().TrimEnd().Split('\n').Select(line => line.Split(':')[1]));
        Assert.Empty(_out.ToString());
    }

    [Fact]
    public void A_slip_in_the_access_is_no_right_and_a_pattern_for_everybody_is_warned_about()
    {
        _directory.Write("acl", "user anna\ntopic readd plant/#\n");
        Assert.Equal(1, Run("acl", "import", "acl"));
        Assert.StartsWith("acl:2: unknown access \"readd\"", _error.ToString(), StringComparison.Ordinal);
        Assert.Empty(_out.ToString());
        _directory.Write("acl", "pattern read plant/#\npattern read dev/%c/#\n");
        Assert.Equal(0, Run("acl", "import", "acl"));
        Assert.Equal("warning: acl:1: this pattern has neither %u nor %c, so it holds for every client alike", _error.ToString().Trim());
    }

    [Fact]
    public void A_file_without_rules_denies_everything_as_with_mosquitto()
    {
        _directory.Write("acl", "# nothing\n");
        Assert.Equal(0, Run("acl", "import", "acl"));
        using var given = new Given(_out.ToString());
        Permissions anna = given.Valid().Auth.Rules.PermissionsFor(new AclSubject("anna", "c", ""));
        Assert.False(anna.MayPublish("a"u8, QoS.AtMostOnce, false));
        Assert.False(anna.MaySubscribe("#"u8));
    }

    private int Run(params string[] arguments)
    {
        _out.GetStringBuilder().Clear();
        _error.GetStringBuilder().Clear();
        return VerbTable.All.Run(arguments, new CommandContext
        {
            Out = _out,
            Error = _error,
            WorkingDirectory = _directory.Path,
            Time = TimeProvider.System,
            ReadSettings = ConfigurationFile.ReadSettings,
        });
    }
}
