using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using EdgeBroker.Bridge.Planning;
using EdgeBroker.Bridge.Routes;
using EdgeBroker.Bridge.Tests.Clouds;
using EdgeBroker.Client;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Bridge.Tests;

/// <summary>Each preset against a double that cuts off whoever breaks its cloud's rules.</summary>
public sealed class CloudTests
{
    private static readonly byte[] DeviceKey = "a device's key"u8.ToArray();

    [Theory]
    [InlineData(ProtocolVersion.V5)]
    [InlineData(ProtocolVersion.V311)]
    public async Task Aws_gets_no_more_than_it_allows(ProtocolVersion version)
    {
        using var rig = new CloudRig(CloudRules.Aws);
        RouteSettings[] inward = [.. Enumerable.Range(0, 20).Select(i => new RouteSettings { Direction = RouteDirection.In, Local = $"cmd/{i}/#" })];
        BridgeSettings settings = rig.Settings([new RouteSettings { Local = "plant/#", Remote = "dt/gw/plant/#" }, .. inward]) with { Version = version };
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", CloudRig.Plan(settings));
        await using TestClient near = await local.Test.ConnectAsync("near");
        await near.SubscribeAsync("cmd/#", 1);
        await local.UntilConnectedAsync("up");
        // QoS 2 here goes with QoS 1 there; what is too deep or too long for there does not go, and what is behind it does.
        await near.PublishAsync("plant/a", "two", 2);
        await near.PublishAsync("plant/b/c/d/e/f/g", "deep", 1);
        await near.PublishAsync("plant/" + new string('x', 256), "long", 1);
        await near.PublishAsync("plant/a", new string('x', (128 * 1024) + 1), 1);
        await near.PublishAsync("plant/a", "kept", 1, retain: true);
        await rig.Cloud.UntilTakenAsync(2);
        Assert.Equal([("dt/gw/plant/a", "two"), ("dt/gw/plant/a", "kept")], rig.Cloud.Taken);
        await local.UntilAsync("up", status => status is { BacklogMessages: 0, Refused: 3, Connections: 1 });
        Assert.Contains("was not carried", local["up"].LastFault!.Text, StringComparison.Ordinal);
        Assert.Equal(20, rig.Cloud.Subscriptions["gw"].Count);
        await rig.Cloud.SendAsync("cmd/19/start", "go", 1);
        await near.AcknowledgeAsync(await near.ExpectPublishAsync("cmd/19/start", "go", 1));
        await rig.Cloud.UntilAsync(() => rig.Cloud.Acknowledged.Contains("go"), "the acknowledgement");
        Assert.Equal(["CN=gw-1"], rig.Cloud.Shown);
    }

    [Fact]
    public async Task Aws_has_a_hundred_unacknowledged_and_no_more_than_a_hundred_a_second()
    {
        using var rig = new CloudRig(CloudRules.Aws);
        rig.Cloud.HoldsAcks = true;
        BridgeOptions options = CloudRig.Plan(rig.Settings(new RouteSettings { Local = "plant/#" })) with { Start = BridgeStart.OnCommand };
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", options);
        await using TestClient near = await local.Test.ConnectAsync("near");
        for (int i = 0; i < 250; i++) await near.PublishAsync("plant/a", $"{i}", 1);
        long began = Environment.TickCount64;
        await local.Part.OrderAsync("up", Hosting.BridgeOrder.Start);
        await rig.Cloud.UntilAsync(() => rig.Cloud.Current?.Held == 100, "a hundred to be unacknowledged");
        // The 101st would be a violation; it comes when there is room.
        rig.Cloud.ReleaseAcks();
        await rig.Cloud.UntilTakenAsync(250);
        Assert.True(Environment.TickCount64 - began >= 1500, "250 messages went faster than 100 in each second");
        Assert.Equal(Enumerable.Range(0, 250).Select(i => $"{i}"), rig.Cloud.Taken.Select(one => one.Payload));
        await local.UntilAsync("up", status => status is { BacklogMessages: 0, Connections: 1 });
    }

    [Theory]
    [InlineData(true, "x-amzn-mqtt-ca")]
    [InlineData(false, "mqtt")]
    public async Task Aws_on_the_port_of_HTTPS_is_told_which_protocol_comes(bool hasCertificate, string protocol)
    {
        CloudRules rules = CloudRules.Aws with { ApplicationProtocol = protocol, WantsCertificate = hasCertificate };
        using var rig = new CloudRig(rules, port: 443);
        BridgeSettings settings = rig.Settings(new RouteSettings { Local = "plant/#" });
        if (!hasCertificate) settings = settings with { UserName = "gw?x-amz-customauthorizer-name=plant", Password = () => "secret"u8.ToArray() };
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", CloudRig.Plan(settings));
        await using TestClient near = await local.Test.ConnectAsync("near");
        await near.PublishAsync("plant/a", "x", 1);
        await rig.Cloud.UntilTakenAsync(1);
        Assert.Equal("cloud.example:443", rig.Proxy.Asked.First());
    }

    [Fact]
    public async Task A_certificate_that_is_renewed_is_shown_by_the_next_connection()
    {
        using var rig = new CloudRig(CloudRules.Aws);
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", CloudRig.Plan(rig.Settings(new RouteSettings { Local = "plant/#" })));
        await local.UntilConnectedAsync("up");
        rig.WriteClient("gw-2");
        rig.Cloud.Current!.Cut();
        await rig.Cloud.UntilAsync(() => rig.Cloud.Shown.Count == 2, "a second connection");
        Assert.Equal(["CN=gw-1", "CN=gw-2"], rig.Cloud.Shown);
        await local.UntilAsync("up", status => status is { Phase: BridgePhase.Connected, Connections: 2 });
    }

    [Fact]
    public async Task A_proxys_password_that_is_changed_is_shown_by_the_next_attempt()
    {
        using var rig = new CloudRig(CloudRules.HiveMq);
        byte[] password = "old"u8.ToArray();
        BridgeSettings settings = rig.Settings(new RouteSettings { Local = "plant/#" }) with { ProxyPassword = () => Volatile.Read(ref password) };
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", CloudRig.Plan(settings));
        await local.UntilAsync("up", status => status.LastFault is { Layer: FailureLayer.Proxy });
        Volatile.Write(ref password, "proxy"u8.ToArray());
        await local.UntilConnectedAsync("up");
    }

    [Fact]
    public async Task Iot_Hub_gets_its_topics_and_tokens_that_are_renewed()
    {
        CloudRules rules = CloudRules.IotHub(CloudRig.Host, "gw", DeviceKey, TimeProvider.System);
        using var rig = new CloudRig(rules);
        var down = new RouteSettings { Direction = RouteDirection.In, Local = "c2d/#", Remote = "devices/gw/messages/devicebound/#" };
        BridgeSettings settings = rig.Settings(new RouteSettings { Local = "plant/#" }, down) with
        {
            DeviceKey = () => CloudRig.Utf8(Convert.ToBase64String(DeviceKey)),
            TokenLifetime = TimeSpan.FromMinutes(1),
        };
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", CloudRig.Plan(settings) with { RenewAfter = TimeSpan.FromSeconds(1) });
        await using TestClient near = await local.Test.ConnectAsync("near");
        await near.SubscribeAsync("c2d/#", 1);
        await local.UntilConnectedAsync("up");
        await rig.Cloud.SendAsync("devices/gw/messages/devicebound/x", "down", 1);
        await near.AcknowledgeAsync(await near.ExpectPublishAsync("c2d/x", "down", 1));
        // In between the token is renewed, which takes a connection.
        for (int i = 0; !rig.Cloud.Passwords.Skip(2).Any(); i++)
        {
            await near.PublishAsync("plant/press 7/temp", $"{i}", 2, retain: true);
            await rig.Cloud.UntilAsync(() => rig.Cloud.Taken.Any(one => one.Payload == $"{i}"), "the message");
            Assert.True(i < 100_000, "the token is not renewed");
        }

        Assert.All(rig.Cloud.Taken, one => Assert.Equal("devices/gw/messages/events/topic=plant%2Fpress%207%2Ftemp", one.Topic));
        // A new token each: it says until when it is good.
        Assert.Equal(rig.Cloud.Passwords.Count, rig.Cloud.Passwords.Distinct().Count());
    }

    [Fact]
    public async Task A_JSON_Web_Token_is_renewed_before_it_expires()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var rig = new CloudRig(CloudRules.HiveMq with { MayLogIn = (_, _, password) => IsGoodToken(password ?? "", key) });
        BridgeSettings settings = rig.Settings(new RouteSettings { Local = "plant/#" }) with
        {
            Password = null,
            TokenKey = () => CloudRig.Utf8(key.ExportECPrivateKeyPem()),
            TokenAudience = "plant",
            TokenLifetime = TimeSpan.FromMinutes(1),
        };
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", CloudRig.Plan(settings) with { RenewAfter = TimeSpan.FromSeconds(1) });
        await using TestClient near = await local.Test.ConnectAsync("near");
        await near.PublishAsync("plant/a", "before", 1);
        await rig.Cloud.UntilTakenAsync(1);
        await rig.Cloud.UntilAsync(() => rig.Cloud.Passwords.Count > 2, "two renewals");
        await near.PublishAsync("plant/a", "after", 1);
        await rig.Cloud.UntilTakenAsync(2);
        Assert.Equal(rig.Cloud.Passwords.Count, rig.Cloud.Passwords.Distinct().Count());
        Assert.Empty(rig.Cloud.Violations);
    }

    [Fact]
    public async Task When_the_clock_jumps_to_the_right_time_a_token_that_was_refused_is_made_anew()
    {
        CloudRules rules = CloudRules.IotHub(CloudRig.Host, "gw", DeviceKey, TimeProvider.System);
        using var rig = new CloudRig(rules);
        // Without a battery a gateway's clock begins where it was left.
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddDays(-100));
        BridgeSettings settings = rig.Settings(new RouteSettings { Local = "plant/#" }) with
        {
            DeviceKey = () => CloudRig.Utf8(Convert.ToBase64String(DeviceKey)),
        };
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", CloudRig.Plan(settings, clock));
        await using TestClient near = await local.Test.ConnectAsync("near");
        await near.PublishAsync("plant/a", "waits", 1);
        await local.UntilAsync("up", status => status.LastFault is { Layer: FailureLayer.Authentication });
        clock.SetUtcNow(TimeProvider.System.GetUtcNow());
        await rig.Cloud.UntilTakenAsync(1);
        await local.UntilAsync("up", status => status is { Phase: BridgePhase.Connected, BacklogMessages: 0 });
    }

    public static TheoryData<string, string, string, string, string> Others => new()
    {
        { "azure-event-grid", "plant/#", "plant/a", "plant/a", "cmd/a" },
        { "hivemq-cloud", "plant/#", "plant/a", "plant/a", "cmd/a" },
        { "cumulocity", "c8y/up", "s/us", "c8y/up", "s/ds" },
        { "thingsboard", "tb/up", "v1/devices/me/telemetry", "tb/up", "v1/devices/me/rpc/request/1" },
    };

    [Theory]
    [MemberData(nameof(Others))]
    public async Task The_others_take_and_send_as_well(string preset, string filter, string remote, string topic, string command)
    {
        CloudRules rules = preset switch
        {
            "azure-event-grid" => CloudRules.EventGrid,
            "hivemq-cloud" => CloudRules.HiveMq,
            "cumulocity" => CloudRules.Cumulocity,
            _ => CloudRules.ThingsBoard,
        };
        using var rig = new CloudRig(rules);
        rig.Cloud.HoldsAcks = preset == "hivemq-cloud";
        var outward = new RouteSettings { Local = filter, Remote = filter.EndsWith('#') ? null : remote };
        var inward = new RouteSettings { Direction = RouteDirection.In, Local = command, Remote = command };
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", CloudRig.Plan(rig.Settings(outward, inward)));
        await using TestClient near = await local.Test.ConnectAsync("near");
        await near.SubscribeAsync(command, 1);
        for (int i = 0; i < 30; i++) await near.PublishAsync(topic, $"{i}", 1, retain: i == 29 && !rules.TakesRetain);
        if (rig.Cloud.HoldsAcks)
        {
            // A bridge was cut off for ignoring Receive Maximum.
            await rig.Cloud.UntilAsync(() => rig.Cloud.Current?.Held == 10, "ten to be unacknowledged");
            rig.Cloud.ReleaseAcks();
        }

        await rig.Cloud.UntilTakenAsync(30);
        Assert.Equal(Enumerable.Range(0, 30).Select(i => (remote, $"{i}")), rig.Cloud.Taken);
        await rig.Cloud.SendAsync(command, "go", 1);
        await near.AcknowledgeAsync(await near.ExpectPublishAsync(command, "go", 1));
        await rig.Cloud.UntilAsync(() => rig.Cloud.Acknowledged.Contains("go"), "the acknowledgement");
        await local.UntilAsync("up", status => status is { BacklogMessages: 0, Connections: 1 });
    }

    /// <summary>Whether a token is signed by the key, for the right audience, and good for the minute that it was asked for.</summary>
    private static bool IsGoodToken(string token, ECDsa key)
    {
        if (token.Split('.') is not [var head, var body, var signature]) return false;
        if (!key.VerifyData(Encoding.ASCII.GetBytes(head + "." + body), Base64Url.DecodeFromChars(signature), HashAlgorithmName.SHA256)) return false;
        using JsonDocument claims = JsonDocument.Parse(Base64Url.DecodeFromChars(body));
        long left = claims.RootElement.GetProperty("exp").GetInt64() - TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        return claims.RootElement.GetProperty("aud").GetString() == "plant" && left is > 0 and <= 60;
    }
}
