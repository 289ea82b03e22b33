using EdgeBroker.Configuration;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;

namespace EdgeBroker.Tests.Configuration;

/// <summary><c>[auth]</c>, <c>[[group]]</c> and <c>[[acl]]</c>, and the files they name.</summary>
public sealed class AuthTests
{
    private const string Hash = "$2b$06$abcdefghijklmnopqrstuumcEXAyzg5EVdt2Eb5dExL.arjO.Swk6";
    private const string Secret = "0123456789abcdef0123456789abcdef";

    [Fact]
    public void Users_and_rules_are_read_from_beside_the_file()
    {
        using Given given = new Given().With("etc/users.passwd", $"anna:{Hash}\n").With("etc/broker.toml", """
            [auth]
            password_file = "users.passwd"
            on_denied_publish_v311 = "disconnect"
            [[group]]
            name = "night"
            users = ["anna", "shift-*"]
            [[acl]]
            group = "night"
            allow = ["publish", "retain"]
            topics = ["plant/#", "users/%u/+"]
            max_qos = 1
            [[acl]]
            client = "guest-?"
            listener = "*:1884"
            deny = ["subscribe"]
            topics = ["plant/secret"]
            """);
        Close(given, "etc/users.passwd");
        BrokerConfiguration configuration = given.Valid("etc/broker.toml");
        Assert.Equal("anna", Assert.Single(configuration.Auth.Users!.Entries).UserName);
        Assert.True(configuration.Mqtt.DisconnectOnDeniedPublish);
        Assert.Equal(["etc/broker.toml:7", "etc/broker.toml:12"], configuration.Auth.Rules.Rules.Select(rule => rule.Source));
        AclRule rule = configuration.Auth.Rules.Rules[0];
        Assert.Equal((true, AccessActions.Publish | AccessActions.Retain, QoS.AtLeastOnce, "night"), (rule.Allows, rule.Actions, rule.MaximumQoS, rule.Group));
        Assert.True(configuration.Auth.Rules.PermissionsFor(new AclSubject("anna", "c", "l")).MayPublish("users/anna/x"u8, QoS.AtLeastOnce, true));
        // Users that are configured are meant to be asked for, on loopback as elsewhere.
        Assert.False(Assert.Single(configuration.Listeners).AllowAnonymous);
        Assert.Empty(configuration.Warnings);
    }

    [Fact]
    public void Every_mistake_is_shown_at_once_with_its_place()
    {
        using Given given = new Given("""
            [auth]
            password_file = "users.passwd"
            [auth.jwt]
            key = "geheim"
            leeway = 30
            [[acl]]
            allow = ["publish", "fly"]
            topics = "plant/#"
            [[acl]]
            allow = ["publish"]
            deny = ["subscribe"]
            topics = ["a/#/b", 7]
            [[acl]]
            group = "day"
            topics = []
            [[acl]]
            deny = ["publish"]
            max_qos = 1
            topics = ["%x"]
            """).With("users.passwd", $"anna:klartext\nbert:{Hash}\nbert:{Hash}\n");
        Close(given, "users.passwd");
        Assert.Equal(
        [
            "broker.toml:3:1: [auth.jwt] needs \"key\" or \"jwks\": what tokens are signed with",
            "broker.toml:4:7: \"key\" expects { file = \"...\" } or { env = \"NAME\" }; a secret does not stand in the configuration itself",
            "broker.toml:5:10: \"leeway\" expects a duration from \"0s\" to \"10m\" in whole seconds; found 30; did you mean \"30s\"?",
            "broker.toml:7:21: \"allow\" expects a list of \"publish\", \"subscribe\" or \"retain\"; found \"fly\"",
            "broker.toml:8:10: \"topics\" expects a list of topic filters, in which \"%u\" is the user name and \"%c\" the client id; found \"plant/#\"; "
            + "did you mean [\"plant/#\"]?",
            "broker.toml:9:1: [[acl]] has both \"allow\" and \"deny\"; write two rules",
            "broker.toml:12:11: \"topics\" expects a list of topic filters, in which \"%u\" is the user name and \"%c\" the client id; found \"a/#/b\"; "
            + "did you mean \"a/#\", as \"#\" stands at the end only?",
            "broker.toml:12:20: \"topics\" expects a list of topic filters, in which \"%u\" is the user name and \"%c\" the client id; "
            + "an item is something else",
            "broker.toml:13:1: [[acl]] needs \"allow\" or \"deny\": a list of \"publish\", \"subscribe\" and \"retain\"",
            "broker.toml:14:9: there is no [[group]] named \"day\"",
            "broker.toml:15:10: \"topics\" expects a list of topic filters, in which \"%u\" is the user name and \"%c\" the client id; found an array",
            "broker.toml:19:11: \"topics\" expects a list of topic filters, in which \"%u\" is the user name and \"%c\" the client id; found \"%x\"",
            "users.passwd:1:1: user \"anna\": not a password hash (a password in clear?); make the line with `edgebroker passwd add`",
            "users.passwd:3:1: user \"bert\" stands in line 2 already; remove one of the two",
        ], given.Errors());
    }

    [Theory]
    [InlineData("[auth]\npassword_file = \"none\"", "broker.toml:2:17: \"password_file\": no such file: none; make it with `edgebroker passwd add none NAME`")]
    [InlineData("[auth]\npassword_file = \".\"", "broker.toml:2:17: \"password_file\": . is a directory; expected a file")]
    [InlineData("[auth.jwt]\nkey = { file = \"none\" }", "broker.toml:2:16: \"key\": no such file: none")]
    [InlineData("[auth.jwt]\nkey = { env = \"NONE\" }", "broker.toml:2:15: \"key\": the environment variable \"NONE\" is not set")]
    [InlineData("[auth.jwt]\nkey = { env = \"SHORT\" }", "broker.toml:2:15: \"key\": a shared secret of 5 bytes; expected at least 32, or a public key as PEM")]
    [InlineData(
        "[auth.jwt]\njwks = \"empty.json\"",
        "broker.toml:2:8: \"jwks\": empty.json holds no key; expected {\"keys\": [...]} with at least one of kind RSA, EC or oct")]
    [InlineData(
        "[auth.jwt]\njwks = \"http://keys.example/jwks\"",
        "broker.toml:2:8: \"jwks\" expects a file or an https URL: over anything else keys could be forged on the way; found \"http://keys.example/jwks\"")]
    [InlineData("[auth.jwt]\njwks = \"empty.json\"\nkey = { env = \"SECRET\" }", "broker.toml:2:8: [auth.jwt] has both \"key\" and \"jwks\"; keep one")]
    [InlineData("[auth.jwt]", "broker.toml:1:1: [auth.jwt] needs \"key\" or \"jwks\": what tokens are signed with")]
    public void Files_and_secrets_that_are_missing_or_wrong(string toml, string expected)
    {
        using Given given = new Given(toml).WithEnvironment("SHORT", "short").WithEnvironment("SECRET", Secret).With("empty.json", "{\"keys\":[]}");
        Assert.Equal([expected], given.Errors());
    }

    [Fact]
    public void A_secret_comes_from_the_environment_or_a_file_and_is_warned_about_when_open()
    {
        using Given given = new Given(
            "[auth.jwt]\nkey = { env = \"SECRET\" }\naudience = \"edgebroker\"\n[[listener]]\nprotocol = \"mqtt\"\naddress = "
            + "\"0.0.0.0:1883\"\n").WithEnvironment("SECRET", Secret);
        Assert.Empty(given.Valid().Warnings);
        Assert.Equal("HS256", Assert.Single(given.Valid().Auth.Keys!.Keys).Algorithms);
        using Given open = new Given(
            "[auth]\npassword_file = \"users.passwd\"\n[[listener]]\nprotocol = \"mqtt\"\naddress = \"127.0.0.1:1\"\nallow_anonymous = false\n").With(
            "users.passwd", $"a:{Hash}\n");
        File.SetUnixFileMode(Path.Combine(open.Directory, "users.passwd"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        Assert.Equal(["broker.toml:2:17: everyone on this machine can read users.passwd; close it with `chmod o-rwx users.passwd`"], open.Valid().Warnings);
        File.SetUnixFileMode(Path.Combine(open.Directory, "users.passwd"), UnixFileMode.UserRead | UnixFileMode.GroupWrite);
        Assert.Equal(["broker.toml:2:17: others than its owner can change users.passwd; close it with `chmod go-w users.passwd`"], open.Valid().Warnings);
    }

    [Fact]
    public void What_rules_do_in_vain_is_warned_about()
    {
        using Given given = new Given("""
            [auth]
            password_file = "users.passwd"
            [[listener]]
            protocol = "mqtt"
            address = "127.0.0.1:1"
            allow_anonymous = false
            [[acl]]
            allow = ["publish"]
            topics = ["plant/#"]
            [[acl]]
            user = "zoe"
            deny = ["publish"]
            topics = ["plant/lock"]
            """).With("users.passwd", $"a:{Hash}\n");
        Close(given, "users.passwd");
        Assert.Equal(
        [
            "broker.toml:10: this rule never decides anything: the one at broker.toml:7 comes first and leaves it nothing",
            "broker.toml:10: this rule is about user \"zoe\", who is not in the password file",
        ], given.Valid().Warnings);
    }

    [Fact]
    public void A_listener_off_loopback_needs_users_or_leave()
    {
        using Given given = new Given("[auth]\npassword_file = \"users.passwd\"\n[[listener]]\nprotocol = \"mqtt\"\naddress = \"0.0.0.0:1883\"\n").With(
            "users.passwd", $"a:{Hash}\n");
        Close(given, "users.passwd");
        Assert.False(Assert.Single(given.Valid().Listeners).AllowAnonymous);
        Assert.Empty(given.Valid().Warnings);
    }

    private static void Close(Given given, string file) =>
        File.SetUnixFileMode(Path.Combine(given.Directory, file), UnixFileMode.UserRead | UnixFileMode.UserWrite);
}
