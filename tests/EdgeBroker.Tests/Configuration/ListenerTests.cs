using EdgeBroker.Configuration;

namespace EdgeBroker.Tests.Configuration;

/// <summary>Listeners: addresses, anonymity, and one against another.</summary>
public sealed class ListenerTests
{
    [Theory]
    [InlineData("127.0.0.1:1883", true)]
    [InlineData("127.9.9.9:0", true)]
    [InlineData("localhost:1883", true)]
    [InlineData("[::1]:1883", true)]
    [InlineData("unix:/run/edgebroker/mqtt.sock", true)]
    [InlineData("0.0.0.0:1883", false)]
    [InlineData("[::]:65535", false)]
    [InlineData("192.168.1.10:1883", false)]
    [InlineData("gw-017.plant.example:1883", false)]
    public void Addresses_and_who_may_come_by_default(string address, bool anonymous)
    {
        using var given = new Given($"[[listener]]\nprotocol = \"mqtt\"\naddress = \"{address}\"\n");
        BrokerConfiguration configuration = given.Valid();
        EdgeBroker.Mqtt.ListenerOptions listener = Assert.Single(configuration.Listeners);
        Assert.Equal(address, listener.Address);
        Assert.Equal(anonymous, listener.AllowAnonymous);
        Assert.Equal(10_000, listener.MaxConnections);
        Assert.Equal(anonymous ? 0 : 1, configuration.Warnings.Count);
    }

    [Theory]
    [InlineData("1883", "; did you mean \"127.0.0.1:1883\"?")]
    [InlineData(":1883", "; did you mean \"127.0.0.1:1883\"?")]
    [InlineData("*:1883", "; did you mean \"127.0.0.1:1883\"?")]
    [InlineData("/run/mqtt.sock", "; did you mean \"unix:/run/mqtt.sock\"?")]
    [InlineData("127.0.0.1", "")]
    [InlineData("127.0.0.1:65536", "")]
    [InlineData("127.0.0.1:-1", "")]
    [InlineData("127.0.0.1:+1", "")]
    [InlineData("127.0.0.256:1883", "")]
    [InlineData("127.1:1883", "")]
    [InlineData("::1:1883", "")]
    [InlineData("[::1]", "")]
    [InlineData("[127.0.0.1]:1883", "")]
    [InlineData("[fe80::1%eth0]:1883", "")]
    [InlineData("a b:1883", "")]
    [InlineData("unix:mqtt.sock", "")]
    [InlineData("mqtt://127.0.0.1:1883", "")]
    [InlineData("", "")]
    public void What_is_no_address(string address, string hint)
    {
        using var given = new Given($"[[listener]]\nprotocol = \"mqtt\"\naddress = \"{address}\"\n");
        Assert.Equal([$"broker.toml:3:11: \"address\" expects an address: \"host:port\", \"[v6]:port\" or \"unix:/path\"; found \"{address}\"{hint}"], given.Errors());
    }

    [Theory]
    [InlineData("127.0.0.1:1883", "127.0.0.1:1883")]
    [InlineData("127.0.0.1:1883", "localhost:1883")]
    [InlineData("0.0.0.0:1883", "127.0.0.1:1883")]
    [InlineData("[::1]:1883", "[0:0:0:0:0:0:0:1]:1883")]
    [InlineData("gateway:1883", "GATEWAY:1883")]
    [InlineData("unix:/run/a.sock", "unix:/run/a.sock")]
    public void An_address_bound_twice(string first, string second)
    {
        using var given = new Given(Two(first, second));
        Assert.Equal([$"broker.toml:6:11: address \"{second}\" is taken already by the listener at broker.toml:3:11 (\"{first}\")"], given.Errors());
    }

    [Theory]
    [InlineData("127.0.0.1:1883", "127.0.0.1:1884")]
    [InlineData("127.0.0.1:1883", "127.0.0.2:1883")]
    [InlineData("127.0.0.1:0", "127.0.0.1:0")]
    [InlineData("127.0.0.1:1883", "[::1]:1883")]
    [InlineData("unix:/run/a.sock", "unix:/run/b.sock")]
    public void Addresses_that_go_together(string first, string second)
    {
        using var given = new Given(Two(first, second));
        Assert.Equal(2, given.Valid().Listeners.Count);
    }

    [Theory]
    [InlineData("coap", "protocol \"coap\" is not supported by this version; expected \"mqtt\", \"mqtts\", \"ws\" or \"wss\"")]
    [InlineData("amqp", "unknown protocol \"amqp\"; expected \"mqtt\", \"mqtts\", \"ws\" or \"wss\"")]
    public void Other_protocols(string protocol, string expected)
    {
        using var given = new Given($"[[listener]]\nprotocol = \"{protocol}\"\naddress = \"127.0.0.1:1883\"\n");
        Assert.Equal([$"broker.toml:2:12: {expected}"], given.Errors());
    }

    [Fact]
    public void Both_required_keys_are_asked_for()
    {
        using var given = new Given("\n  [[listener]]\n");
        Assert.Equal(
        [
            "broker.toml:2:3: [[listener]] needs the key \"protocol\": \"mqtt\", \"mqtts\", \"ws\" or \"wss\"",
            "broker.toml:2:3: [[listener]] needs the key \"address\": an address: \"host:port\", \"[v6]:port\" or \"unix:/path\"",
        ], given.Errors());
    }

    [Fact]
    public void An_open_door_is_warned_about()
    {
        using var given = new Given("[[listener]]\nprotocol = \"mqtt\"\naddress = \"0.0.0.0:1883\"\nallow_anonymous = true\n");
        BrokerConfiguration configuration = given.Valid();
        Assert.True(Assert.Single(configuration.Listeners).AllowAnonymous);
        Assert.StartsWith("broker.toml:4:19: anyone who reaches 0.0.0.0:1883 may connect", Assert.Single(configuration.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void A_door_nobody_can_open_is_warned_about()
    {
        using var given = new Given("[[listener]]\nprotocol = \"mqtt\"\naddress = \"0.0.0.0:1883\"\n");
        Assert.StartsWith("broker.toml:1:1: nobody can connect to 0.0.0.0:1883", Assert.Single(given.Valid().Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Inline_tables_are_listeners_too()
    {
        using var given = new Given("listener = [{ protocol = \"mqtt\", address = \"[::1]:1\" }, { protocol = \"mqtt\", address = \"[::1]:2\", max_connections = 5 }]");
        Assert.Equal([10_000, 5], given.Valid().Listeners.Select(l => l.MaxConnections));
    }

    private static string Two(string first, string second) =>
        $"[[listener]]\nprotocol = \"mqtt\"\naddress = \"{first}\"\n[[listener]]\nprotocol = \"mqtt\"\naddress = \"{second}\"\n";
}
