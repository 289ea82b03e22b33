using System.Text;
using EdgeBroker.Bridge.Credentials;
using EdgeBroker.Bridge.Planning;
using EdgeBroker.Bridge.Routes;
using EdgeBroker.Client;
using EdgeBroker.Protocol;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Bridge.Tests;

/// <summary>What the settings of a bridge become, and what is wrong with them.</summary>
public sealed class PlannerTests
{
    private static readonly RouteSettings Out = new() { Local = "plant/#", Remote = "dt/gw/plant/#" };
    private static readonly BridgeTls Certificate = new(CertificateFile: "gw.crt", KeyFile: "gw.key");

    private readonly FakeTimeProvider _time = new(DateTimeOffset.FromUnixTimeSeconds(1_795_940_625));

    private static BridgeSettings Settings(string? preset, params RouteSettings[] routes) => new()
    {
        Name = "cloud",
        Preset = preset,
        Addresses = ["broker.example"],
        ClientId = "gw-017",
        UserName = preset is "hivemq-cloud" or "cumulocity" or "thingsboard" ? "user" : null,
        Tls = preset == "aws-iot-core" ? Certificate : null,
        DeviceKey = preset == "azure-iot-hub" ? () => "c2VjcmV0"u8.ToArray() : null,
        Routes = routes,
    };

    [Theory]
    [InlineData(null, "tcp://broker.example:1883", ProtocolVersion.V5)]
    [InlineData("mosquitto", "tcp://broker.example:1883", ProtocolVersion.V5)]
    [InlineData("aws-iot-core", "tls://broker.example:8883", ProtocolVersion.V5)]
    [InlineData("azure-event-grid", "tls://broker.example:8883", ProtocolVersion.V5)]
    [InlineData("hivemq-cloud", "tls://broker.example:8883", ProtocolVersion.V5)]
    public void A_preset_knows_how_to_connect(string? preset, string expected, ProtocolVersion version)
    {
        BridgeOptions options = Plan(Settings(preset, Out));
        Assert.Equal((expected, version), (options.Connection.Transport.Description, options.Connection.Version));
        Assert.Equal("gw-017", options.Connection.ClientId);
    }

    [Fact]
    public void Limits_of_the_other_side_are_kept()
    {
        BridgeOptions aws = Plan(Settings("aws-iot-core", Out));
        Assert.Equal((QoS.AtLeastOnce, 8, (ushort)100), (aws.MaximumQoS, aws.FiltersPerSubscribe, aws.MaximumInflight));
        Assert.Equal(128 * 1024, aws.Routes[0].MaximumPayloadBytes);
        Assert.Equal((90, 10), (aws.PublishRate!.Amount, aws.PublishRate.Burst));
        BridgeOptions grid = Plan(Settings("azure-event-grid", Out) with { SessionExpiry = TimeSpan.FromDays(7) });
        Assert.Equal(8 * 3600u, grid.Connection.SessionExpirySeconds);
    }

    [Theory]
    [InlineData("aws-iot-core", "a/b/c/d/e/f/g/h/i", 1, "8 levels at most", "remote")]
    [InlineData("aws-iot-core", "x/#", 2, "QoS 1 at most", "qos")]
    [InlineData("azure-iot-hub", "my/topic", 1, "devices/{client}/messages/events/", "remote")]
    [InlineData("cumulocity", "my/topic", 1, "no such topic", "remote")]
    [InlineData("thingsboard", "my/topic", 1, "below v1/", "remote")]
    [InlineData(null, "x/+", 1, "same order", "remote")]
    public void What_the_other_side_would_refuse_is_found_when_the_configuration_is_read(string? preset, string remote, int qos, string text, string key)
    {
        var route = new RouteSettings { Local = "plant/#", Remote = remote, MaximumQoS = (QoS)qos };
        BridgeProblem problem = Assert.Single(Problems(Settings(preset, route)));
        Assert.Contains(text, problem.Text, StringComparison.Ordinal);
        Assert.Equal((key, route), (problem.Key, problem.Route));
    }

    [Fact]
    public void What_is_missing_is_said_with_its_key()
    {
        Assert.Equal(["tls"], Keys(Settings("aws-iot-core", Out) with { Tls = null }));
        Assert.Equal(["device_key"], Keys(Settings("azure-iot-hub", Out with { Remote = null }) with { DeviceKey = null }));
        Assert.Equal(["user"], Keys(Settings("hivemq-cloud", Out) with { UserName = null }));
        Assert.Equal(["keep_alive"], Keys(Settings("aws-iot-core", Out) with { KeepAlive = TimeSpan.FromSeconds(1201) }));
        Assert.Equal(["addresses"], Keys(Settings(null, Out) with { Addresses = ["http://x"] }));
        Assert.Equal(["addresses"], Keys(Settings(null, Out) with { Addresses = ["a:b:c"] }));
        Assert.Equal(["proxy"], Keys(Settings(null, Out) with { Proxy = "ftp://x" }));
        Assert.Equal(["bind_address"], Keys(Settings(null, Out) with { BindAddress = "eth0" }));
        Assert.Equal(["version"], Keys(Settings("azure-iot-hub", Out with { Remote = null }) with { Version = ProtocolVersion.V5 }));
        Assert.Equal(["route"], Keys(Settings(null)));
    }

    [Fact]
    public void Too_many_subscriptions_are_found()
    {
        RouteSettings[] inward = [.. Enumerable.Range(0, 51).Select(i => new RouteSettings { Direction = RouteDirection.In, Local = $"a/{i}" })];
        Assert.Contains("50 subscriptions", Assert.Single(Problems(Settings("aws-iot-core", inward))).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Azure_gets_its_user_name_its_topic_and_a_token_that_is_good_for_an_hour()
    {
        BridgeOptions options = Plan(Settings("azure-iot-hub", new RouteSettings { Local = "plant/#" }) with { Addresses = ["hub.azure-devices.net"] });
        ClientCredentials credentials = await options.Connection.Credentials!(CancellationToken.None);
        Assert.Equal("hub.azure-devices.net/gw-017/?api-version=2021-04-12", credentials.UserName);
        string token = Encoding.ASCII.GetString(credentials.Password!);
        Assert.StartsWith("SharedAccessSignature sr=hub.azure-devices.net%2Fdevices%2Fgw-017&sig=", token, StringComparison.Ordinal);
        Assert.EndsWith("&se=1795944225", token, StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromMinutes(48), options.RenewAfter);
        RoutedTopic routed = new RouteTable(options.Routes, "gw-017").FindOut("plant/press7/temp"u8, 1)!;
        Assert.Equal("devices/gw-017/messages/events/topic=plant%2Fpress7%2Ftemp", Encoding.UTF8.GetString(routed.Topic));
    }

    [Fact]
    public void A_token_is_the_signature_of_resource_and_time()
    {
        string token = SharedAccessSignature.Create("localhost/devices/gw-017", "secret"u8.ToArray(), DateTimeOffset.FromUnixTimeSeconds(1_795_944_225));
        byte[] expected = System.Security.Cryptography.HMACSHA256.HashData("secret"u8, "localhost%2Fdevices%2Fgw-017\n1795944225"u8);
        Assert.Equal(
            $"SharedAccessSignature sr=localhost%2Fdevices%2Fgw-017&sig={Uri.EscapeDataString(Convert.ToBase64String(expected))}&se=1795944225", token);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_web_token_is_signed_by_the_key(bool isCurve)
    {
        using var curve = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        using var rsa = System.Security.Cryptography.RSA.Create(2048);
        string pem = isCurve ? curve.ExportECPrivateKeyPem() : rsa.ExportPkcs8PrivateKeyPem();
        string[] parts = SignedToken.Create(pem, "plant", "gw", _time.GetUtcNow(), TimeSpan.FromHours(1)).Split('.');
        Assert.Equal($"{{\"alg\":\"{(isCurve ? "ES256" : "RS256")}\",\"typ\":\"JWT\"}}", Decode(parts[0]));
        Assert.Equal("{\"iat\":1795940625,\"exp\":1795944225,\"aud\":\"plant\",\"sub\":\"gw\"}", Decode(parts[1]));
        byte[] signed = Encoding.ASCII.GetBytes(parts[0] + "." + parts[1]);
        byte[] signature = System.Buffers.Text.Base64Url.DecodeFromChars(parts[2]);
        System.Security.Cryptography.HashAlgorithmName sha = System.Security.Cryptography.HashAlgorithmName.SHA256;
        Assert.True(isCurve ? curve.VerifyData(signed, signature, sha)
            : rsa.VerifyData(signed, signature, sha, System.Security.Cryptography.RSASignaturePadding.Pkcs1));
    }

    [Theory]
    [InlineData("host", "mqtt", "host", 1883)]
    [InlineData("host:1", "mqtt", "host", 1)]
    [InlineData("mqtts://host", "mqtts", "host", 8883)]
    [InlineData("[::1]:1885", "mqtt", "::1", 1885)]
    [InlineData("wss://host/path", "wss", "host", 443)]
    [InlineData("unix:/run/x.sock", "unix", "/run/x.sock", 0)]
    public void An_address_says(string text, string scheme, string host, int port)
    {
        BridgeAddress address = BridgeAddress.Read(text, isSecure: false)!;
        Assert.Equal((scheme, host, port), (address.Scheme, address.Host, address.Port));
    }

    private static string Decode(string part) => Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(part));

    private BridgeOptions Plan(BridgeSettings settings)
    {
        var problems = new BridgeProblems();
        BridgeOptions? options = new BridgePlanner("node", _time).Plan(settings, "x", problems);
        Assert.Empty(problems.All);
        return options!;
    }

    private IReadOnlyList<BridgeProblem> Problems(BridgeSettings settings)
    {
        var problems = new BridgeProblems();
        Assert.Null(new BridgePlanner("node", _time).Plan(settings, "x", problems));
        return problems.All;
    }

    private string[] Keys(BridgeSettings settings) => [.. Problems(settings).Select(problem => problem.Key)];
}
