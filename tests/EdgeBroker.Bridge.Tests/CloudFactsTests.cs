using System.Net;
using System.Net.Sockets;
using System.Text;
using EdgeBroker.Bridge.Planning;
using EdgeBroker.Bridge.Routes;
using EdgeBroker.Bridge.Tests.Clouds;
using EdgeBroker.Client;
using EdgeBroker.Testing;

namespace EdgeBroker.Bridge.Tests;

/// <summary>What clouds ask for and allow, one by one, where a double does not meet it by the way.</summary>
public sealed class CloudFactsTests
{
    private static readonly RouteSettings Out = new() { Local = "plant/#" };
    private static readonly BridgeTls Certificate = new(CertificateFile: "gw.crt", KeyFile: "gw.key");

    [Theory]
    [InlineData("aws-iot-core", 1200)]
    [InlineData("azure-iot-hub", 1177)]
    [InlineData("azure-event-grid", 1160)]
    public void A_keep_alive_may_be_so_long_and_no_longer(string preset, int seconds)
    {
        Assert.Empty(Problems(Settings(preset, Out) with { KeepAlive = TimeSpan.FromSeconds(seconds) }));
        Assert.Equal(["keep_alive"], Problems(Settings(preset, Out) with { KeepAlive = TimeSpan.FromSeconds(seconds + 1) }));
    }

    [Fact]
    public void Aws_takes_client_ids_of_128_bytes()
    {
        Assert.Empty(Problems(Settings("aws-iot-core", Out) with { ClientId = new string('x', 128) }));
        Assert.Equal(["client_id"], Problems(Settings("aws-iot-core", Out) with { ClientId = new string('x', 127) + "é" }));
    }

    [Theory]
    [InlineData("azure-iot-hub", "devices/{client}/messages/devicebound/#", true)]
    [InlineData("azure-iot-hub", "$iothub/twin/res/#", true)]
    [InlineData("azure-iot-hub", "$iothub/twin/PATCH/properties/desired/#", true)]
    [InlineData("azure-iot-hub", "$iothub/methods/POST/#", true)]
    [InlineData("azure-iot-hub", "cmd/#", false)]
    [InlineData("cumulocity", "s/ds", true)]
    [InlineData("cumulocity", "s/dt", true)]
    [InlineData("cumulocity", "s/e", true)]
    [InlineData("cumulocity", "s/dc/#", true)]
    [InlineData("cumulocity", "devicecontrol/notifications", true)]
    [InlineData("cumulocity", "error", true)]
    [InlineData("cumulocity", "cmd/#", false)]
    [InlineData("thingsboard", "v1/gateway/rpc", true)]
    [InlineData("thingsboard", "cmd/#", false)]
    public void Only_what_a_cloud_sends_can_be_subscribed_to(string preset, string remote, bool isGood)
    {
        string local = remote.EndsWith('#') ? "cmd/#" : "cmd";
        var route = new RouteSettings { Direction = RouteDirection.In, Local = local, Remote = remote };
        Assert.Equal(isGood ? [] : ["remote"], Problems(Settings(preset, route)));
    }

    [Theory]
    [InlineData("cumulocity", "s/us", true)]
    [InlineData("cumulocity", "s/ut/x", true)]
    [InlineData("cumulocity", "s/uc/x", true)]
    [InlineData("cumulocity", "measurement/measurements/create", true)]
    [InlineData("cumulocity", "event/events/create", true)]
    [InlineData("cumulocity", "alarm/alarms/create", true)]
    [InlineData("cumulocity", "s/ds", false)]
    [InlineData("thingsboard", "v1/devices/me/telemetry", true)]
    [InlineData("thingsboard", "v1/gateway/connect", true)]
    [InlineData("thingsboard", "v1/gateway/telemetry", true)]
    [InlineData("thingsboard", "v1/gateway/attributes", true)]
    [InlineData("thingsboard", "telemetry", false)]
    public void Only_what_a_cloud_takes_can_be_published_to(string preset, string remote, bool isGood) =>
        Assert.Equal(isGood ? [] : ["remote"], Problems(Settings(preset, new RouteSettings { Local = "up", Remote = remote })));

    [Fact]
    public void Iot_Hub_takes_five_subscriptions()
    {
        RouteSettings[] inward =
            [.. Enumerable.Range(0, 6).Select(i => new RouteSettings { Direction = RouteDirection.In, Local = $"t/{i}", Remote = $"$iothub/twin/res/{i}" })];
        Assert.Empty(Problems(Settings("azure-iot-hub", inward[1..])));
        Assert.Equal(["route"], Problems(Settings("azure-iot-hub", inward)));
    }

    [Fact]
    public void The_property_bag_of_Iot_Hub_may_hold_system_properties()
    {
        const string Bag = "%24.ct=application%2Fjson&%24.ce=utf-8";
        BridgeOptions options = CloudRig.Plan(Settings("azure-iot-hub", Out with { Remote = $"devices/{{client}}/messages/events/{Bag}&topic={{topic:url}}" }));
        Assert.Equal(
            $"devices/gw/messages/events/{Bag}&topic=plant%2Fa", Encoding.UTF8.GetString(new RouteTable(options.Routes, "gw").FindOut("plant/a"u8, 1)!.Topic));
    }

    [Fact]
    public async Task Iot_Hub_by_certificate_wants_a_user_name_and_no_password()
    {
        BridgeSettings settings = Settings("azure-iot-hub", Out) with { DeviceKey = null, Tls = Certificate, Addresses = ["hub.azure-devices.net"] };
        ClientCredentials credentials = await CloudRig.Plan(settings).Connection.Credentials!(CancellationToken.None);
        Assert.Equal(("hub.azure-devices.net/gw/?api-version=2021-04-12", null), (credentials.UserName, credentials.Password));
    }

    [Theory]
    [InlineData("azure-iot-hub", "wss://broker.example:443/$iothub/websocket")]
    [InlineData("azure-event-grid", "wss://broker.example:443/mqtt")]
    public void A_cloud_is_reached_over_WebSocket(string preset, string expected) => Assert.Equal(
        expected, CloudRig.Plan(Settings(preset, Out) with { Addresses = ["wss://broker.example"] }).Connection.Transport.Description);

    [Fact]
    public async Task Event_Grid_gets_no_packet_that_is_longer_than_it_takes()
    {
        using var rig = new CloudRig(CloudRules.EventGrid);
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", CloudRig.Plan(rig.Settings(Out)));
        await using TestClient near = await local.Test.ConnectAsync("near");
        await near.PublishAsync("plant/a", new string('x', 512 * 1024), 1);
        await near.PublishAsync("plant/a", "short", 1);
        await rig.Cloud.UntilTakenAsync(1);
        await local.UntilAsync("up", status => status is { BacklogMessages: 0, Dropped: 1, Connections: 1 });
        Assert.Equal([("plant/a", "short")], rig.Cloud.Taken);
    }

    [Fact]
    public async Task A_device_that_the_cloud_has_yet_to_register_tries_until_it_is_in()
    {
        int attempts = 0;
        using var rig = new CloudRig(CloudRules.Aws with { MayLogIn = (_, _, _) => Interlocked.Increment(ref attempts) > 3 });
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", CloudRig.Plan(rig.Settings(Out)));
        await using TestClient near = await local.Test.ConnectAsync("near");
        await near.PublishAsync("plant/a", "kept", 1);
        await rig.Cloud.UntilTakenAsync(1);
        Assert.Equal(4, Volatile.Read(ref attempts));
    }

    [Fact]
    public async Task A_connection_comes_from_the_address_it_is_bound_to()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        BridgeOptions options = CloudRig.Plan(Settings(null, Out) with { Addresses = [$"127.0.0.1:{port}"], BindAddress = "127.0.0.9" });
        await using Stream stream = await options.Connection.Transport.OpenAsync(CancellationToken.None);
        using Socket accepted = await Deadline.Within(listener.AcceptSocketAsync(), "the connection");
        Assert.Equal(IPAddress.Parse("127.0.0.9"), ((IPEndPoint)accepted.RemoteEndPoint!).Address);
    }

    private static IEnumerable<string> Problems(BridgeSettings settings)
    {
        var problems = new BridgeProblems();
        new BridgePlanner("node", TimeProvider.System).Plan(settings, "x", problems);
        return problems.All.Select(problem => problem.Key);
    }

    private static BridgeSettings Settings(string? preset, params RouteSettings[] routes) => new()
    {
        Name = "cloud",
        Preset = preset,
        Addresses = ["broker.example"],
        ClientId = "gw",
        UserName = preset is "cumulocity" or "thingsboard" ? "user" : null,
        Tls = preset == "aws-iot-core" ? Certificate : null,
        DeviceKey = preset == "azure-iot-hub" ? () => "c2VjcmV0"u8.ToArray() : null,
        Routes = routes,
    };
}
