using EdgeBroker.Bridge.Credentials;
using EdgeBroker.Bridge.Planning;
using EdgeBroker.Bridge.Tests.Clouds;
using EdgeBroker.Client;
using EdgeBroker.Testing;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Bridge.Tests;

/// <summary>AWS IoT Core over WebSocket, by an access key.</summary>
public sealed class SignatureTests
{
    private const string Region = "eu-west-1";

    // "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)", the example of AWS's documentation.
    private const string Published = "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        + "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        + "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        + "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";

    private const string PublishedHost = "examplebucket.s3.amazonaws.com";
    private const string PublishedId = "AKIAIOSFODNN7EXAMPLE";
    private const string PublishedSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    private static readonly DateTimeOffset PublishedTime = new(2013, 5, 24, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void The_example_of_AWS_is_signed_as_AWS_signs_it()
    {
        string query = PresignedQuery.Create(
            new AwsKey(PublishedId, PublishedSecret, null), PublishedHost, "/test.txt", "us-east-1", "s3", PublishedTime, TimeSpan.FromDays(1),
            "UNSIGNED-PAYLOAD");
        Assert.Equal(Published, "/test.txt?" + query);
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("id", "another credential")]
    [InlineData("secret", "another signature")]
    [InlineData("host", "another signature")]
    [InlineData("target", "another signature")]
    [InlineData("early", "from the future")]
    [InlineData("late", "expired")]
    public void The_double_judges_the_example_of_AWS_as_AWS_does(string change, string? fault)
    {
        DateTimeOffset now = PublishedTime + (change == "early" ? TimeSpan.FromMinutes(-6) : change == "late" ? TimeSpan.FromHours(25) : TimeSpan.Zero);
        Assert.Equal(fault, SignedRequest.FindFault(
            change == "target" ? Published.Replace("/test", "/tes_", StringComparison.Ordinal) : Published, PublishedHost + (change == "host" ? "." : ""),
            (PublishedId + (change == "id" ? "x" : ""), PublishedSecret + (change == "secret" ? "x" : ""), null), "us-east-1", "s3", now, "UNSIGNED-PAYLOAD"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("a/token+of=AWS")]
    public async Task Each_connection_is_signed_anew_by_the_key_that_is_there_then(string? token)
    {
        (string Id, string Secret, string? Token) key = ("AKIDEXAMPLE", "first", token);
        var faults = new List<string?>();
        var targets = new List<string>();
        CloudRules rules = Rules((target, host) =>
        {
            lock (targets)
            {
                faults.Add(SignedRequest.FindFault(target, host, key, Region, "iotdevicegateway", TimeProvider.System.GetUtcNow()));
                targets.Add(target);
                return faults[^1] is null;
            }
        });
        using var rig = new CloudRig(rules, port: 443);
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        BridgeSettings settings = Sign(rig.Settings(new RouteSettings { Local = "plant/#" })) with
        {
            AwsSecretKey = () => CloudRig.Utf8(key.Secret),
            AwsSessionToken = token is null ? null : () => CloudRig.Utf8(token),
        };
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", CloudRig.Plan(settings, clock));
        await using TestClient near = await local.Test.ConnectAsync("near");
        await near.PublishAsync("plant/a", "1", 1);
        await rig.Cloud.UntilTakenAsync(1);
        lock (targets) key.Secret = "second";
        clock.Advance(TimeSpan.FromMinutes(1));
        rig.Cloud.Current!.Cut();
        await near.PublishAsync("plant/a", "2", 1);
        await rig.Cloud.UntilTakenAsync(2);
        Assert.Equal(["1", "2"], rig.Cloud.Taken.Select(one => one.Payload).Distinct());
        lock (targets)
        {
            Assert.All(faults, Assert.Null);
            Assert.True(targets.Distinct().Count() > 1, "the signature is the former one");
        }

        // The connection's name is shown and logged.
        Assert.DoesNotContain("X-Amz", local["up"].Server ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_is_refused_is_said_to_be()
    {
        using var rig = new CloudRig(Rules((_, _) => false), port: 443);
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", CloudRig.Plan(Sign(rig.Settings(new RouteSettings { Local = "plant/#" }))));
        await local.UntilAsync("up", status => status.LastFault is { Layer: FailureLayer.Authentication });
        string fault = local["up"].LastFault!.Text;
        Assert.Contains("it answers 403 Forbidden; check the access key, what it may do, and this machine's clock", fault, StringComparison.Ordinal);
        Assert.DoesNotContain("X-Amz", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("wss://xxxx-ats.iot.eu-west-1.amazonaws.com", null, "eu-west-1")]
    [InlineData("wss://xxxx.ats.iot.cn-north-1.amazonaws.com.cn:443", null, "cn-north-1")]
    [InlineData("wss://iot.plant.example", "eu-north-1", "eu-north-1")]
    [InlineData("wss://iot.plant.example", null, null)]
    public void The_region_is_that_of_the_address_unless_another_is_given(string address, string? given, string? region) => Assert.Equal(
        region, BridgeCredentials.RegionOf(new BridgeSettings { AwsRegion = given }, BridgeAddress.Read(address, isSecure: true)!));

    [Theory]
    [InlineData("aws-iot-core", "wss://xxxx-ats.iot.eu-west-1.amazonaws.com", true, "")]
    [InlineData("aws-iot-core", "xxxx-ats.iot.eu-west-1.amazonaws.com:443", true, "addresses")]
    [InlineData("aws-iot-core", "wss://iot.plant.example", true, "aws_region")]
    [InlineData("aws-iot-core", "wss://xxxx-ats.iot.eu-west-1.amazonaws.com", false, "aws_secret_key")]
    [InlineData("azure-event-grid", "wss://grid.example", true, "aws_secret_key")]
    public void What_cannot_be_signed_is_found_when_the_configuration_is_read(string preset, string address, bool hasSecret, string key)
    {
        var problems = new BridgeProblems();
        var settings = new BridgeSettings
        {
            Name = "cloud",
            Preset = preset,
            Addresses = [address],
            AwsKeyId = () => "AKIDEXAMPLE"u8.ToArray(),
            AwsSecretKey = hasSecret ? () => "secret"u8.ToArray() : null,
            Routes = [new RouteSettings { Local = "plant/#" }],
        };
        new BridgePlanner("node", TimeProvider.System).Plan(settings, "x", problems);
        Assert.Equal(key, string.Join(' ', problems.All.Select(problem => problem.Key)));
    }

    // The region does not show in the name of the double.
    private static BridgeSettings Sign(BridgeSettings settings) => settings with
    {
        Addresses = [$"wss://{CloudRig.Host}"],
        AwsKeyId = () => "AKIDEXAMPLE"u8.ToArray(),
        AwsSecretKey = () => "first"u8.ToArray(),
        AwsRegion = Region,
    };

    private static CloudRules Rules(Func<string, string, bool> mayUpgrade) =>
        CloudRules.Aws with { WantsCertificate = false, MayUpgrade = mayUpgrade };
}
