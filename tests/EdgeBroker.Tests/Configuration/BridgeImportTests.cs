using EdgeBroker.Bridge;
using EdgeBroker.Bridge.Routes;
using EdgeBroker.Cli.Bridges;
using EdgeBroker.Client;
using EdgeBroker.Configuration;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Tests.Configuration;

/// <summary>What <c>edgebroker bridge import</c> prints is a configuration, and means what mosquitto.conf meant.</summary>
public sealed class BridgeImportTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    [Fact]
    public async Task Every_option_of_a_bridge_is_taken_over_or_named()
    {
        foreach (string file in (string[])["ca.crt", "gw.crt", "gw.key"]) File.WriteAllText(Path.Combine(_directory.Path, file), "");
        File.WriteAllText(Path.Combine(_directory.Path, "to-cloud.password"), "secret");
        (BridgeOptions bridge, List<string> notes) = Import(
            """
            listener 1883
            # a bridge
            connection to/cloud
            addresses cloud.example other.example:8884
            round_robin true
            start_type lazy
            threshold 10
            idle_timeout 45
            keepalive_interval 90
            cleansession true
            local_cleansession false
            local_clientid local
            local_username lu
            local_password lp
            remote_clientid gw
            remote_username ru
            remote_password rp
            restart_timeout 3 40
            try_private false
            notifications true
            notifications_local_only true
            notification_topic bridges/gw
            bridge_protocol_version mqttv50
            bridge_session_expiry_interval 4294967295
            bridge_max_packet_size 100000
            bridge_max_topic_alias 5
            bridge_receive_maximum 7
            bridge_attempt_unsubscribe true
            bridge_reload_type lazy
            bridge_bind_address 127.0.0.1
            bridge_tcp_keepalive 10 5 3
            bridge_tcp_user_timeout 1000
            bridge_outgoing_retain false
            bridge_cafile ca.crt
            bridge_capath certs
            bridge_certfile gw.crt
            bridge_keyfile gw.key
            bridge_alpn mqtt
            bridge_insecure true
            bridge_require_ocsp true
            bridge_tls_version tlsv1.3
            bridge_identity me
            bridge_psk 1234
            bridge_unheard_of 1
            topic plant/# out 1 "" up/
            topic cmd/# in 2 local/ remote/
            topic both/# both 0
            topic "" in 0 a b
            topic "" sideways
            """);
        MqttClientOptions connection = bridge.Connection;
        Assert.Equal(("to-cloud", "gw", ProtocolVersion.V5, true), (bridge.Name, connection.ClientId, connection.Version, connection.CleanStart));
        Assert.Equal("tls://cloud.example:1883", connection.Transport.Description);
        Assert.Equal("tls://other.example:8884", Assert.Single(connection.OtherServers).Description);
        Assert.Equal((ServerOrder.RoundRobin, BridgeStart.Lazy), (connection.ServerOrder, bridge.Start));
        Assert.Equal((45d, 90), (bridge.IdleTimeout.TotalSeconds, connection.KeepAliveSeconds));
        Assert.Equal((3d, 40d), (bridge.Reconnect.FirstDelay.TotalSeconds, bridge.Reconnect.LongestDelay.TotalSeconds));
        Assert.Equal((BridgeNotifications.Local, "bridges/gw"), (bridge.Notifications, bridge.NotificationTopic));
        Assert.Equal(100_000, connection.MaximumPacketSizeBytes);
        ClientCredentials credentials = await connection.Credentials!(CancellationToken.None);
        Assert.Equal(("ru", "secret"), (credentials.UserName, System.Text.Encoding.UTF8.GetString(credentials.Password!)));
        Assert.Equal(
            [
                (RouteDirection.Out, "plant/#", "up/plant/#", QoS.AtLeastOnce, false),
                (RouteDirection.In, "local/cmd/#", "remote/cmd/#", QoS.ExactlyOnce, true),
                (RouteDirection.Both, "both/#", null, QoS.AtMostOnce, true), (RouteDirection.In, "a", "b", QoS.AtMostOnce, true),
            ],
            bridge.Routes.Select(route => (route.Direction, route.Local, route.Remote, route.MaximumQoS, route.KeepsRetain)));
        foreach (string named in (string[])[
            "threshold", "remote_password", "sideways", "bridge_outgoing_retain", "bridge_psk", "bridge_capath", "bridge_require_ocsp", "bridge_unheard_of",
            "local_clientid", "local_username", "local_password", "local_cleansession", "bridge_tcp_keepalive", "bridge_tcp_user_timeout",
            "bridge_max_topic_alias", "bridge_receive_maximum", "bridge_attempt_unsubscribe", "bridge_reload_type"])
        {
            Assert.Contains(notes, note => note.Contains(named, StringComparison.Ordinal));
        }

        Assert.Equal(18, notes.Count);
    }

    [Fact]
    public void What_is_not_said_is_what_mosquitto_takes_it_for()
    {
        (BridgeOptions bridge, List<string> notes) = Import("connection c\naddress a.example:1884\ntopic x/# both 2");
        Assert.Equal((ProtocolVersion.V311, true, false), (bridge.Connection.Version, bridge.Connection.IsBridge, bridge.Connection.CleanStart));
        Assert.Equal(("tcp://a.example:1884", BridgeNotifications.Both), (bridge.Connection.Transport.Description, bridge.Notifications));
        Assert.Empty(notes);
    }

    [Fact]
    public void TLS_with_the_systems_authorities_stays_TLS()
    {
        (BridgeOptions bridge, _) = Import("connection c\naddress a.example:8883\nbridge_tls_use_os_certs true\nbridge_max_packet_size 0\ntopic x/# out");
        Assert.Equal("tls://a.example:8883", bridge.Connection.Transport.Description);
    }

    public void Dispose() => _directory.Dispose();

    private (BridgeOptions Bridge, List<string> Notes) Import(string conf)
    {
        var notes = new List<string>();
        File.WriteAllText(Path.Combine(_directory.Path, "broker.toml"), MosquittoBridges.Convert(conf.Split('\n'), notes));
        BrokerConfiguration? configuration = new ConfigurationLoader(_ => null, _directory.Path).Load("broker.toml", out string[] errors);
        Assert.Empty(errors);
        return (Assert.Single(configuration!.Bridges), notes);
    }
}
