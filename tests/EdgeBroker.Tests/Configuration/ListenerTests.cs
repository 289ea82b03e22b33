using EdgeBroker.Configuration;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Proxies;
using EdgeBroker.Transport.UnixSockets;

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
        ListenerSettings listener = Assert.Single(configuration.Listeners);
        Assert.Equal(address, listener.Address);
        Assert.Equal(anonymous, listener.AllowAnonymous);
        Assert.Equal(10_000, listener.MaxConnections);
        Assert.Equal(anonymous ? 0 : 1, configuration.Warnings.Count);
    }

    [Theory]
    [InlineData("0.0.0.0:1883", "mqtt", true)]
    [InlineData("127.0.0.1:1883", "ws", true)]
    [InlineData("0.0.0.0:1884", "mqtt", false)]
    [InlineData("0.0.0.0:1883", "coap", false)]
    public void A_listener_of_all_IPv6_addresses_leaves_IPv4_to_another_at_its_port(string other, string protocol, bool leaves)
    {
        string two = $"[[listener]]\nprotocol = \"mqtt\"\naddress = \"[::]:1883\"\n[[listener]]\nprotocol = \"{protocol}\"\naddress = \"{other}\"\n";
        using var given = new Given(two);
        Assert.Equal([leaves, false], given.Valid().Listeners.Select(listener => listener.IsIPv6Only));
    }

    [Fact]
    public void Health_is_for_everybody_who_reaches_it()
    {
        using var given = new Given("[[listener]]\nprotocol = \"http\"\naddress = \"0.0.0.0:8080\"\nserve = [\"health\"]\n");
        BrokerConfiguration configuration = given.Valid();
        Assert.Empty(configuration.Warnings);
        Assert.Equal(
            (ListenerProtocol.Http, null, HttpSurfaces.Health),
            (Assert.Single(configuration.Listeners).Protocol, configuration.Listeners[0].Tls, configuration.Listeners[0].Serve));
    }

    [Theory]
    [InlineData("0.0.0.0:8080", "\"metrics\"", true)]
    [InlineData("0.0.0.0:8080", "\"health\", \"metrics\"", true)]
    [InlineData("127.0.0.1:8080", "\"metrics\"", false)]
    [InlineData("0.0.0.0:8080", "\"health\"", false)]
    [InlineData("0.0.0.0:8080", "\"api\", \"metrics\"", false)]
    public void Numbers_that_anybody_can_read_are_warned_about(string address, string serve, bool warns)
    {
        using var given = new Given($"[[listener]]\nprotocol = \"http\"\naddress = \"{address}\"\nserve = [{serve}]\n");
        IEnumerable<string> told = given.Valid().Warnings.Where(one => one.Contains("/metrics", StringComparison.Ordinal));
        string[] expected = [$"broker.toml:4:9: anyone who reaches {address} may read /metrics: the listener serves neither api nor console"];
        Assert.Equal(warns ? expected : [], told);
    }

    [Fact]
    public void Passwords_that_anybody_on_the_way_can_read_are_warned_about()
    {
        using var given = new Given("[[listener]]\nprotocol = \"http\"\naddress = \"0.0.0.0:8080\"\n");
        BrokerConfiguration configuration = given.Valid();
        Assert.Equal(HttpSurfaces.All, Assert.Single(configuration.Listeners).Serve);
        Assert.Contains("passwords and tokens that are sent to 0.0.0.0:8080 can be read on the way", Assert.Single(configuration.Warnings),
            StringComparison.Ordinal);

        using var wrong = new Given("[[listener]]\nprotocol = \"http\"\naddress = \"127.0.0.1:8080\"\nserve = [\"helth\"]\n");
        Assert.Contains("did you mean \"health\"?", Assert.Single(wrong.Errors()), StringComparison.Ordinal);
        using var mqtt = new Given("[[listener]]\nprotocol = \"mqtt\"\naddress = \"127.0.0.1:1883\"\nserve = [\"health\"]\n");
        Assert.Contains("\"serve\" belongs to \"http\" and \"https\"", Assert.Single(mqtt.Errors()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1883", "; did you mean \"127.0.0.1:1883\"?")]
    [InlineData(":1883", "; did you mean \"127.0.0.1:1883\"?")]
    [InlineData("*:1883", "; did you mean \"0.0.0.0:1883\"?")]
    [InlineData("/run/mqtt.sock", "; did you mean \"unix:/run/mqtt.sock\"?")]
    [InlineData("127.0.0.1", "; did you mean \"127.0.0.1:1883\"?")]
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
        Assert.Equal(
            [$"broker.toml:3:11: \"address\" expects an address: \"host:port\", \"[v6]:port\" or \"unix:/path\"; found \"{address}\"{hint}"], given.Errors());
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
    [InlineData("coaps", "protocol \"coaps\" needs a table [listener.psk] with file (\"edgebroker psk add\" makes one), or [listener.tls] with cert and key")]
    [InlineData("amqp", "unknown protocol \"amqp\"; expected \"mqtt\", \"mqtts\", \"ws\", \"wss\", \"http\", \"https\", \"coap\" or \"coaps\"")]
    public void Other_protocols(string protocol, string expected)
    {
        using var given = new Given($"[[listener]]\nprotocol = \"{protocol}\"\naddress = \"127.0.0.1:1883\"\n");
        Assert.Equal([$"broker.toml:2:12: {expected}"], given.Errors());
    }

    [Fact]
    public void A_listener_of_DTLS_names_a_file_of_keys_whose_mistakes_are_shown_by_line()
    {
        using var given = new Given("[[listener]]\nprotocol = \"coaps\"\naddress = \"0.0.0.0:5684\"\n[listener.psk]\nfile = \"sensors.psk\"\n");
        Assert.Equal(["broker.toml:5:8: \"file\": no such file: sensors.psk; make it with `edgebroker psk add sensors.psk NAME`"], given.Errors());
        given.With("sensors.psk", "# ours\nsensor:000102030405060708090a0b0c0d0e0f:anna\nother:0001\nsensor:000102030405060708090a0b0c0d0e0f\n");
        Assert.Equal(
            [
                "sensors.psk:3:1: identity \"other\": the key has 2 bytes and can be guessed; 16 (32 digits) at least",
                "sensors.psk:4:1: identity \"sensor\" stands in line 2 already; remove one of the two",
            ],
            given.Errors());
        given.With("sensors.psk", "sensor:000102030405060708090a0b0c0d0e0f:anna:press7\n");
        ListenerSettings coaps = given.Valid().Listeners[0];
        Assert.Equal((ListenerProtocol.Coaps, false), (coaps.Protocol, coaps.AllowAnonymous));
        Assert.EndsWith("/sensors.psk", coaps.PskFile, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_of_keys_belongs_to_coaps()
    {
        using var given = new Given("[[listener]]\nprotocol = \"coap\"\naddress = \"127.0.0.1:5684\"\n[listener.psk]\nfile = \"sensors.psk\"\n");
        Assert.Contains("\"coaps\"", Assert.Single(given.Errors()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_listener_of_datagrams_has_its_own_ports_keys_and_limits()
    {
        using var given = new Given("""
            [[listener]]
            protocol = "mqtt"
            address = "127.0.0.1:5683"
            [[listener]]
            protocol = "coap"
            address = "127.0.0.1:5683"
            allow_query_credentials = true
            [listener.coap]
            block_size = "64B"
            max_peers = 7
            max_peers_per_ip = 3
            observer_check = "10m"
            """);
        ListenerSettings coap = given.Valid().Listeners[1];
        Assert.Equal((ListenerProtocol.Coap, true, true), (coap.Protocol, coap.AllowAnonymous, coap.AllowQueryCredentials));
        Assert.Equal(new CoapLimits { BlockSize = 64, MaxPeers = 7, MaxPeersPerNetwork = 3, ObserverCheck = TimeSpan.FromMinutes(10) }, coap.Coap);
    }

    [Theory]
    [InlineData("coap", "unix:/run/a.sock", "", "broker.toml:3:11: coap is carried by UDP; expected \"host:port\" or \"[v6]:port\"")]
    [InlineData(
        "coap", "127.0.0.1:5683", "max_connections = 5",
        "broker.toml:4:1: \"max_connections\" belongs to listeners of connections; \"coap\" and \"coaps\" have none; this listener's protocol is \"coap\"")]
    [InlineData(
        "mqtt", "127.0.0.1:5683", "coap = { max_peers = 5 }",
        "broker.toml:4:8: [listener.coap] belongs to \"coap\" and \"coaps\"; this listener's protocol is \"mqtt\"")]
    public void What_datagrams_do_not_have(string protocol, string address, string more, string error)
    {
        using var given = new Given($"[[listener]]\nprotocol = \"{protocol}\"\naddress = \"{address}\"\n{more}\n");
        Assert.Equal([error], given.Errors());
    }

    [Fact]
    public void A_datagram_address_bound_twice()
    {
        using var given = new Given(Two("127.0.0.1:5683", "127.0.0.1:5683").Replace("\"mqtt\"", "\"coap\"", StringComparison.Ordinal));
        Assert.Contains("is taken already", Assert.Single(given.Errors()), StringComparison.Ordinal);
    }

    [Fact]
    public void Both_required_keys_are_asked_for()
    {
        using var given = new Given("\n  [[listener]]\n");
        Assert.Equal(
        [
            "broker.toml:2:3: [[listener]] needs the key \"protocol\": \"mqtt\", \"mqtts\", \"ws\", \"wss\", \"http\", \"https\", \"coap\" or \"coaps\"",
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
        using var given =
            new Given("listener = [{ protocol = \"mqtt\", address = \"[::1]:1\" }, { protocol = \"mqtt\", address = \"[::1]:2\", max_connections = 5 }]");
        Assert.Equal([10_000, 5], given.Valid().Listeners.Select(l => l.MaxConnections));
    }

    [Fact]
    public void Behind_a_proxy_nobody_is_anonymous_unless_asked()
    {
        using var given = new Given(Proxied("127.0.0.1:1883", ""));
        ListenerSettings listener = Assert.Single(given.Valid().Listeners);
        Assert.Equal((false, TrustedProxies.Loopback), (listener.AllowAnonymous, listener.Proxies));
        Assert.Contains(
            given.Valid().Warnings,
            w => w.Contains("every program on this machine may connect to 127.0.0.1:1883 and claim any client address", StringComparison.Ordinal));
        using var open = new Given(Proxied("127.0.0.1:1883", "allow_anonymous = true\n"));
        Assert.Contains(
            open.Valid().Warnings, w => w.EndsWith("allow_anonymous is set, and its clients are wherever the proxy's are", StringComparison.Ordinal));
    }

    [Fact]
    public void Proxies_are_named_by_address_or_network()
    {
        using var given = new Given(Proxied("0.0.0.0:1883", "proxy_from = [\"10.0.0.0/8\", \"192.168.1.5\", \"fd00::/8\", \"fe80::1\"]\n"));
        BrokerConfiguration configuration = given.Valid();
        Assert.Equal(
            ["10.0.0.0/8", "192.168.1.5/32", "fd00::/8", "fe80::1/128"],
            Assert.Single(configuration.Listeners).Proxies!.Networks.Select(network => network.ToString()));
        Assert.Contains(
            "broker.toml:5:14: whoever connects to 0.0.0.0:1883 from 10.0.0.0/8, 192.168.1.5, fd00::/8, fe80::1 is believed to be a proxy and may claim any "
            + "client address", configuration.Warnings);
        using var unnamed = new Given(Proxied("0.0.0.0:1883", ""));
        Assert.Contains("broker.toml:4:18: only proxies on this machine can connect to 0.0.0.0:1883; name others in proxy_from", unnamed.Valid().Warnings);
        using var none = new Given(Proxied("0.0.0.0:1883", "").Replace("proxy_protocol = true", "proxy_protocol = false", StringComparison.Ordinal));
        Assert.Null(Assert.Single(none.Valid().Listeners).Proxies);
    }

    [Theory]
    [InlineData("10.0.0.1/8")]
    [InlineData("10/8")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/")]
    [InlineData("::ffff:10.0.0.0/104")]
    [InlineData("fe80::1%eth0")]
    [InlineData("[::1]")]
    [InlineData("proxy.example")]
    [InlineData("")]
    public void What_is_no_network(string network)
    {
        using var given = new Given(Proxied("127.0.0.1:1883", $"proxy_from = [\"{network}\"]\n"));
        Assert.Equal(
            [$"broker.toml:5:15: \"proxy_from\" expects a list of addresses or networks, as in [\"10.0.0.0/8\"]; found \"{network}\""], given.Errors());
    }

    [Theory]
    [InlineData("127.0.0.1:1883", "proxy_from = [\"10.0.0.0/8\"]", "4:1: \"proxy_from\" needs proxy_protocol = true")]
    [InlineData(
        "unix:/run/a.sock", "proxy_protocol = true\nproxy_from = [\"10.0.0.0/8\"]",
        "5:1: \"proxy_from\" belongs to \"host:port\" addresses; which proxies may connect to a Unix socket is said by \"mode\" and \"owner\"")]
    [InlineData(
        "unix:/run/a.sock", "proxy_protocol = true\nidentity = \"peer\"",
        "5:12: identity = \"peer\" would make every client the user that runs the proxy; leave out one of identity and proxy_protocol")]
    [InlineData(
        "127.0.0.1:1883", "identity = \"peer\"",
        "4:1: \"identity\" belongs to Unix sockets (address = \"unix:/path\"); this listener's address is \"127.0.0.1:1883\"")]
    [InlineData(
        "127.0.0.1:1883", "mode = \"0600\"", "4:1: \"mode\" belongs to Unix sockets (address = \"unix:/path\"); this listener's address is \"127.0.0.1:1883\"")]
    [InlineData(
        "127.0.0.1:1883", "owner = \"a\"", "4:1: \"owner\" belongs to Unix sockets (address = \"unix:/path\"); this listener's address is \"127.0.0.1:1883\"")]
    [InlineData("unix:/run/a.sock", "mode = \"rw\"", "4:8: \"mode\" expects the permissions of a file, as in \"0660\"; found \"rw\"")]
    [InlineData("unix:/run/a.sock", "mode = \"0680\"", "4:8: \"mode\" expects the permissions of a file, as in \"0660\"; found \"0680\"")]
    [InlineData("unix:/run/a.sock", "mode = \"04660\"", "4:8: \"mode\" expects the permissions of a file, as in \"0660\"; found \"04660\"")]
    [InlineData("unix:/run/a.sock", "owner = \"a:b:c\"", "4:9: \"owner\" expects \"user\", \"user:group\" or \":group\"; found \"a:b:c\"")]
    public void What_does_not_go_together(string address, string keys, string error)
    {
        using var given = new Given($"[[listener]]\nprotocol = \"mqtt\"\naddress = \"{address}\"\n{keys}\n");
        Assert.Equal(["broker.toml:" + error], given.Errors());
    }

    [Theory]
    [InlineData("mqtt")]
    [InlineData("ws")]
    public void A_Unix_socket_says_who_may_connect_and_who_they_are(string protocol)
    {
        using var given = new Given(
            $"[[listener]]\nprotocol = \"{protocol}\"\naddress = \"unix:/run/a.sock\"\nmode = \"0600\"\nowner = \"anna:plant\"\nidentity = \"peer\"\n");
        BrokerConfiguration configuration = given.Valid();
        ListenerSettings listener = configuration.Listeners.Single();
        Assert.Equal(
            (new SocketFileAccess(UnixFileMode.UserRead | UnixFileMode.UserWrite, "anna", "plant"), true), (listener.SocketFile, listener.IdentifiesPeers));
        Assert.Empty(configuration.Warnings);
    }

    [Theory]
    [InlineData("anna", "anna", null)]
    [InlineData(":plant", null, "plant")]
    public void An_owner_may_be_one_of_both(string owner, string? user, string? group)
    {
        using var given = new Given($"[[listener]]\nprotocol = \"mqtt\"\naddress = \"unix:/run/a.sock\"\nowner = \"{owner}\"\n");
        Assert.Equal(SocketFileAccess.Default with { User = user, Group = group }, Assert.Single(given.Valid().Listeners).SocketFile);
    }

    private static string Proxied(string address, string more) => $"[[listener]]\nprotocol = \"mqtt\"\naddress = \"{address}\"\nproxy_protocol = true\n{more}";

    private static string Two(string first, string second) =>
        $"[[listener]]\nprotocol = \"mqtt\"\naddress = \"{first}\"\n[[listener]]\nprotocol = \"mqtt\"\naddress = \"{second}\"\n";
}
