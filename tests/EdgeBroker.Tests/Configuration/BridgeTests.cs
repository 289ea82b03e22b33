using EdgeBroker.Bridge;
using EdgeBroker.Bridge.Routes;
using EdgeBroker.Client;
using EdgeBroker.Configuration;
using EdgeBroker.Core;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Tests.Configuration;

/// <summary>The tables <c>[[bridge]]</c>.</summary>
public sealed class BridgeTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    [Fact]
    public async Task Every_key_arrives_where_it_belongs()
    {
        File.WriteAllText(Path.Combine(_directory.Path, "pw"), "secret\n");
        BridgeOptions bridge = Assert.Single(Load(
            """
            [[bridge]]
            name = "cloud"
            addresses = ["a:1", "b"]
            order = "round-robin"
            client_id = "gw"
            user = "u"
            password = { file = "pw" }
            version = "3.1.1"
            try_private = true
            start = "lazy"
            keep_alive = "30s"
            stall_timeout = "10s"
            notifications = "both"
            publish_rate = { rate = "10/s" }
              [[bridge.route]]
              local = "plant/#"
              remote = "up/#"
              qos = 2
              retain = false
              exclude = ["plant/x"]
              max_payload = "1KB"
              [[bridge.route]]
              direction = "in"
              local = "cmd/#"
              [bridge.queue]
              max_messages = 7
              max_bytes = "1MB"
              max_age = "1h"
              on_full = "keep-latest"
              qos0 = true
              drain_rate = { rate = "5/s", burst = 2 }
            """).Bridges);
        Assert.Equal(("cloud", BridgeStart.Lazy, BridgeNotifications.Both), (bridge.Name, bridge.Start, bridge.Notifications));
        MqttClientOptions connection = bridge.Connection;
        Assert.Equal(("tcp://a:1", "tcp://b:1883"), (connection.Transport.Description, connection.OtherServers.Single().Description));
        Assert.Equal((ServerOrder.RoundRobin, "gw"), (connection.ServerOrder, connection.ClientId));
        Assert.Equal((ProtocolVersion.V311, true), (connection.Version, connection.IsBridge));
        ClientCredentials credentials = await connection.Credentials!(CancellationToken.None);
        Assert.Equal(("u", "secret"), (credentials.UserName, System.Text.Encoding.UTF8.GetString(credentials.Password!)));
        RouteOptions route = bridge.Routes[0];
        Assert.Equal(("plant/#", "up/#", QoS.ExactlyOnce, false), (route.Local, route.Remote, route.MaximumQoS, route.KeepsRetain));
        Assert.Equal(["plant/x"], route.Exclude);
        Assert.Equal(1024, route.MaximumPayloadBytes);
        Assert.Equal(RouteDirection.In, bridge.Routes[1].Direction);
        Assert.Equal((7, 1L << 20, true), (bridge.Queue.MaxMessages, bridge.Queue.MaxBytes, bridge.Queue.KeepsQoS0));
        Assert.Equal((QueueOverflow.KeepLatestPerTopic, TimeSpan.FromHours(1)), (bridge.Queue.Overflow, bridge.Queue.MaxAge));
        Assert.Equal((5L, 2L), (bridge.DrainRate!.Amount, bridge.DrainRate.Burst));
        // A password that is changed is used by the next connection.
        File.WriteAllText(Path.Combine(_directory.Path, "pw"), "newer");
        Assert.Equal("newer", System.Text.Encoding.UTF8.GetString((await connection.Credentials(CancellationToken.None)).Password!));
    }

    [Theory]
    [InlineData("name = \"x\"\naddresses = [\"a\"]", "1:1: a bridge needs a [[bridge.route]]")]
    [InlineData("name = \"x\"\naddresses = [\"a:b:c\"]\n[[bridge.route]]\nlocal = \"a\"", "3:13: \"a:b:c\" is no address")]
    [InlineData("name = \"x\"\naddresses = [\"a\"]\n[[bridge.route]]\nlocal = \"a/#\"\nremote = \"b/+\"", "6:10: \"b/+\" does not have the wildcards")]
    [InlineData("name = \"x\"\npreset = \"aws-iot-core\"\naddresses = [\"a\"]\n[[bridge.route]]\nlocal = \"a/b/c/d/e/f/g/h/i\"", "takes topics of 8 levels")]
    [InlineData("name = \"x\"\npreset = \"azure\"\naddresses = [\"a\"]\n[[bridge.route]]\nlocal = \"a\"", "3:10: \"preset\"")]
    [InlineData("name = \"x\"\naddresses = [\"a\"]\npassword = { file = \"none\" }\nuser = \"u\"\n[[bridge.route]]\nlocal = \"a\"", "no such file")]
    public void What_is_wrong_has_its_place(string bridge, string expected)
    {
        string[] errors = Errors("[[bridge]]\n" + bridge);
        Assert.Contains(errors, error => error.Contains(expected, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("aws_secret_key = { file = \"aws.secret\" }", null)]
    [InlineData("", "aws_secret_key")]
    [InlineData("aws_secret_key = { file = \"none\" }", "no such file")]
    public void An_access_key_of_AWS_comes_from_the_environment_or_a_file(string secret, string? error)
    {
        using Given given = new Given($$"""
            [[bridge]]
            name = "cloud"
            preset = "aws-iot-core"
            addresses = ["wss://xxxx-ats.iot.eu-west-1.amazonaws.com"]
            aws_key_id = { env = "AWS_ACCESS_KEY_ID" }
            {{secret}}
              [[bridge.route]]
              local = "plant/#"
            """).With("aws.secret", "secret\n").WithEnvironment("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
        if (error is null)
        {
            Assert.Equal("wss://xxxx-ats.iot.eu-west-1.amazonaws.com:443/mqtt", Assert.Single(given.Valid().Bridges).Connection.Transport.Description);
        }
        else
        {
            Assert.Contains(given.Errors(), one => one.Contains(error, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Two_bridges_of_one_name_are_refused()
    {
        const string One = "[[bridge]]\nname = \"x\"\naddresses = [\"a\"]\n[[bridge.route]]\nlocal = \"a\"\n";
        Assert.Contains("stands further up already", Assert.Single(Errors(One + One)), StringComparison.Ordinal);
    }

    [Fact]
    public void What_has_not_changed_has_the_same_fingerprint()
    {
        const string One = "[[bridge]]\nname = \"x\"\naddresses = [\"a\"]\n[[bridge.route]]\nlocal = \"a\"\n";
        string first = Load(One).Bridges[0].Fingerprint;
        Assert.Equal(first, Load("[mqtt]\nmax_qos = 2\n" + One).Bridges[0].Fingerprint);
        Assert.NotEqual(first, Load(One + "qos = 2\n").Bridges[0].Fingerprint);
        Assert.NotEqual(first, Load(One + "[bridge.queue]\nmax_messages = 1\n").Bridges[0].Fingerprint);
    }

    public void Dispose() => _directory.Dispose();

    private BrokerConfiguration Load(string text)
    {
        Assert.Empty(Errors(text, out BrokerConfiguration? configuration));
        return configuration!;
    }

    private string[] Errors(string text) => Errors(text, out _);

    private string[] Errors(string text, out BrokerConfiguration? configuration)
    {
        File.WriteAllText(Path.Combine(_directory.Path, "broker.toml"), text);
        configuration = new ConfigurationLoader(_ => null, _directory.Path).Load("broker.toml", out string[] errors);
        return errors;
    }
}
