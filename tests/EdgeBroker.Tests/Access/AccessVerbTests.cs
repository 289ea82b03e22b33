using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Security.Passwords;
using EdgeBroker.Tests.Configuration;
using EdgeBroker.Options;
using EdgeBroker.Verbs;

namespace EdgeBroker.Tests.Access;

/// <summary><c>passwd</c> and <c>acl</c>, from words to files, output and exit code.</summary>
public sealed class AccessVerbTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly StringWriter _out = new();
    private readonly StringWriter _error = new();
    private readonly Queue<string> _typed = new();

    public void Dispose()
    {
        _directory.Dispose();
        _out.Dispose();
        _error.Dispose();
    }

    [Theory]
    [InlineData("--cost", "4")]
    [InlineData("--argon2")]
    [InlineData("--scram", "--iterations", "4096")]
    public void A_user_is_added_changed_verified_listed_and_removed(params string[] kind)
    {
        Assert.Equal(0, RunWith("geheim", ["passwd", "add", "--stdin", .. kind, "users", "anna"]));
        Assert.Equal("anna added\n", _out.ToString());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(PathOf("users")));
        Assert.Equal(0, RunWith("geheim", "passwd", "verify", "--stdin", "users", "anna"));
        Assert.Equal(1, RunWith("falsch", "passwd", "verify", "--stdin", "users", "anna"));
        Assert.Equal(1, RunWith("geheim", "passwd", "verify", "--stdin", "users", "zoe"));
        File.SetUnixFileMode(PathOf("users"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Assert.Equal(0, RunWith("neu", ["passwd", "add", "--stdin", .. kind, "users", "anna"]));
        Assert.Equal("anna has a new password\n", _out.ToString());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(PathOf("users")));
        Assert.Equal(0, RunWith("neu", "passwd", "verify", "--stdin", "users", "anna"));
        Assert.Equal(0, RunWith("b", ["passwd", "add", "--stdin", .. kind, "users", "bert"]));
        Assert.Equal(0, RunWith("", "passwd", "list", "users"));
        Assert.Equal("anna\nbert\n", _out.ToString());
        Assert.Equal(0, RunWith("", "passwd", "list", "users", "--json"));
        Assert.Equal("{\"users\":[\"anna\",\"bert\"]}\n", _out.ToString());
        Assert.Equal(0, RunWith("", "passwd", "remove", "users", "anna"));
        Assert.Equal(1, RunWith("", "passwd", "remove", "users", "anna"));
        Assert.Equal("edgebroker passwd remove: there is no user \"anna\" in users\n", _error.ToString());
        Assert.Equal(["users"], Directory.GetFileSystemEntries(_directory.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void At_a_terminal_a_password_is_asked_for_twice()
    {
        _typed.Enqueue("geheim");
        _typed.Enqueue("geheim");
        Assert.Equal(0, Run("passwd", "add", "--cost", "4", "users", "anna"));
        _typed.Enqueue("geheim");
        _typed.Enqueue("gehiem");
        Assert.Equal(1, Run("passwd", "add", "--cost", "4", "users", "anna"));
        Assert.Equal("edgebroker passwd add: the two are not the same\n", _error.ToString());
        Assert.Equal(64, Run("passwd", "add", "users", "anna"));
        Assert.StartsWith("edgebroker passwd add: there is no terminal to ask for the password at; give it on stdin with --stdin", _error.ToString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_hash_is_printed_for_a_file_kept_elsewhere()
    {
        Assert.Equal(0, RunWith("geheim", "passwd", "hash", "--stdin", "--cost", "4"));
        Assert.True(PasswordHash.TryParse(_out.ToString().TrimEnd(), out PasswordHash hash, out _));
        Assert.True(hash.Verify("geheim"u8));
    }

    [Fact]
    public void A_line_that_is_no_hash_is_mended_and_others_like_it_are_named()
    {
        _directory.Write("users", "# ours\nanna:klartext\nbert:klartext\n");
        Assert.Equal(0, RunWith("geheim", "passwd", "add", "--stdin", "--cost", "4", "users", "anna"));
        Assert.StartsWith("users:3: user \"bert\": not a password hash", _error.ToString(), StringComparison.Ordinal);
        Assert.StartsWith("# ours\nanna:$2", File.ReadAllText(PathOf("users")), StringComparison.Ordinal);
        Assert.Equal(1, RunWith("", "passwd", "list", "users"));
    }

    [Fact]
    public void A_link_stays_one_and_two_changes_at_once_are_not_made()
    {
        _directory.Write("real", "");
        File.CreateSymbolicLink(PathOf("users"), "real");
        Assert.Equal(0, RunWith("geheim", "passwd", "add", "--stdin", "--cost", "4", "users", "anna"));
        Assert.NotNull(new FileInfo(PathOf("users")).LinkTarget);
        Assert.StartsWith("anna:", File.ReadAllText(PathOf("real")), StringComparison.Ordinal);
        _directory.Write("real.new", "");
        Assert.Equal(1, RunWith("geheim", "passwd", "add", "--stdin", "--cost", "4", "users", "bert"));
        Assert.Contains("real.new is there: another change is going on", _error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("passwd: a command is missing: add, remove, list, verify, hash", "passwd")]
    [InlineData("passwd: there is no command \"ad\"; did you mean \"add\"?; there are add, remove, list, verify, hash", "passwd", "ad")]
    [InlineData("passwd add: unexpected \"geheim\"; taken are FILE USER", "passwd", "add", "users", "anna", "geheim")]
    [InlineData("passwd add: USER is missing", "passwd", "add", "users")]
    [InlineData("passwd add: there is no option -b", "passwd", "add", "-b", "users", "anna")]
    [InlineData("passwd hash: --cost 3: give a whole number from 4 to 15", "passwd", "hash", "--stdin", "--cost", "3")]
    [InlineData("passwd hash: --cost is bcrypt's; leave out one of the two", "passwd", "hash", "--stdin", "--cost", "10", "--argon2")]
    [InlineData("passwd hash: --argon2 and --scram are two kinds; leave out one of the two", "passwd", "hash", "--stdin", "--scram", "--argon2")]
    [InlineData("passwd hash: --cost is bcrypt's; leave out one of the two", "passwd", "hash", "--stdin", "--scram", "--cost", "10")]
    [InlineData("passwd hash: --iterations goes with --scram", "passwd", "hash", "--stdin", "--iterations", "5000")]
    [InlineData("passwd hash: --iterations 4095: give a whole number from 4096 to 5000000", "passwd", "hash", "--stdin", "--scram", "--iterations", "4095")]
    [InlineData("passwd hash: --iterations many: give a whole number from 4096 to 5000000", "passwd", "hash", "--stdin", "--scram", "--iterations=many")]
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
    [InlineData("anna", "a\tb", "SCRAM does not take this password: it holds control or other prohibited characters")]
    [InlineData("anna", "u\u0308", "SCRAM does not take this password")]
    [InlineData("\uFB01x", "geheim", "SCRAM does not take the user name")]
    [InlineData("a\u00A0b", "geheim", "SCRAM does not take the user name")]
    public void What_SCRAM_cannot_prepare_is_not_stored(string user, string password, string expected)
    {
        Assert.Equal(1, RunWith(password, "passwd", "add", "--stdin", "--scram", "users", user));
        Assert.Contains(expected, _error.ToString(), StringComparison.Ordinal);
        Assert.False(File.Exists(PathOf("users")));
    }

    [Fact]
    public void SCRAM_lines_are_those_of_PostgreSQL()
    {
        Assert.Equal(0, RunWith("geheim", "passwd", "hash", "--stdin", "--scram"));
        Assert.Matches(@"^SCRAM-SHA-256\$60000:[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=\n\z", _out.ToString());
    }

    [Theory]
    [InlineData("the password is empty", "")]
    [InlineData("bcrypt looks at 72 bytes", "0123456789012345678901234567890123456789012345678901234567890123456789012")]
    public void Passwords_that_are_none(string expected, string password)
    {
        Assert.Equal(1, RunWith(password, "passwd", "hash", "--stdin"));
        Assert.Contains(expected, _error.ToString(), StringComparison.Ordinal);
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
        Assert.Equal("note: anna is not in the password file, and so cannot log in\n", _error.ToString());
        Assert.Equal(exit, Run(["acl", "test", "--json", "-cb.toml", "--user=anna", .. arguments]));
        Assert.StartsWith($$"""{"allowed":{{(exit == 0 ? "true" : "false")}},"cause":""", _out.ToString(), StringComparison.Ordinal);
        Assert.Contains("\"user_known\":false", _out.ToString(), StringComparison.Ordinal);
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

    private string PathOf(string file) => Path.Combine(_directory.Path, file);

    private int RunWith(string line, params string[] arguments)
    {
        _typed.Clear();
        _typed.Enqueue(line);
        return Run(arguments);
    }

    private int Run(params string[] arguments)
    {
        _out.GetStringBuilder().Clear();
        _error.GetStringBuilder().Clear();
        string? Next() => _typed.TryDequeue(out string? line) ? line : null;
        return VerbTable.All.Run(arguments, new CommandContext
        {
            Out = _out,
            Error = _error,
            WorkingDirectory = _directory.Path,
            Time = TimeProvider.System,
            ReadSettings = ConfigurationFile.ReadSettings,
            ReadLine = Next,
            AskHidden = _ => Next(),
        });
    }
}
