using EdgeBroker.Bridge.Planning;
using EdgeBroker.Bridge.Probing;
using EdgeBroker.Bridge.Routes;
using EdgeBroker.Bridge.Tests.Clouds;
using EdgeBroker.Testing;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Bridge.Tests;

/// <summary>A trial names the layer that fails, and the cure; and ways through proxies.</summary>
public sealed class ProbeTests
{
    private static readonly RouteSettings Out = new() { Local = "plant/#" };

    [Theory]
    [InlineData("http")]
    [InlineData("socks5")]
    public async Task All_is_well_by_a_proxy_that_asks_for_a_user(string protocol)
    {
        using var rig = new CloudRig(CloudRules.Aws);
        BridgeSettings settings = rig.Settings(Out) with { Proxy = $"{protocol}://127.0.0.1:{rig.Proxy.Port}" };
        IReadOnlyList<ProbeStep> steps = await RunAsync(CloudRig.Plan(settings));
        Assert.Equal(["name", "network", "tls", "login", "subscribe", "message"], steps.Select(step => step.Step));
        Assert.All(steps, step => Assert.True(step.IsGood, step.Text));
        // The session is the bridge's own there: the trial leaves no subscription in it.
        Assert.Empty(rig.Cloud.Subscriptions["gw"]);
        Assert.Empty(rig.Cloud.Violations);
    }

    [Theory]
    [InlineData("http", "407")]
    [InlineData("socks5", "")]
    public async Task A_proxy_that_refuses_the_user_is_named(string protocol, string text)
    {
        using var rig = new CloudRig(CloudRules.Aws);
        BridgeSettings settings = rig.Settings(Out) with { Proxy = $"{protocol}://127.0.0.1:{rig.Proxy.Port}", ProxyPassword = () => "wrong"u8.ToArray() };
        ProbeStep failed = await FailAsync(CloudRig.Plan(settings), "proxy");
        Assert.Contains(text, failed.Text, StringComparison.Ordinal);
        Assert.Contains("user", failed.Text, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("http")]
    [InlineData("socks5")]
    public async Task A_proxy_that_does_not_know_the_server_or_is_not_there_is_named(string protocol)
    {
        using var rig = new CloudRig(CloudRules.Aws);
        BridgeSettings settings = rig.Settings(Out) with { Proxy = $"{protocol}://127.0.0.1:{rig.Proxy.Port}" };
        await FailAsync(CloudRig.Plan(settings with { Addresses = ["other.example"] }), "proxy");
        rig.Proxy.Dispose();
        Assert.Contains("cannot be reached", (await FailAsync(CloudRig.Plan(settings), "proxy")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_a_port_and_a_certificate_that_are_wrong_are_told_apart()
    {
        using var rig = new CloudRig(CloudRules.Aws);
        BridgeSettings direct = rig.Settings(Out) with { Proxy = null };
        Assert.Contains("no-such-host.invalid", (await FailAsync(CloudRig.Plan(direct with { Addresses = ["no-such-host.invalid"] }), "name")).Text,
            StringComparison.Ordinal);
        using var closed = new FaultyProxy();
        int port = closed.Port;
        closed.Dispose();
        await FailAsync(CloudRig.Plan(direct with { Addresses = [$"127.0.0.1:{port}"] }), "network");
        BridgeSettings strange = rig.Settings(Out);
        ProbeStep unknown = await FailAsync(CloudRig.Plan(strange with { Tls = strange.Tls! with { AuthorityFile = null } }), "tls");
        Assert.Contains("CA", unknown.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_out_of_date_points_at_the_clock()
    {
        var certificates = new TestCertificates();
        using var rig = new CloudRig(CloudRules.HiveMq, certificate: certificates.Issue(CloudRig.Host, fromDays: -5, toDays: -1));
        string directory = Path.GetTempPath() + Guid.NewGuid();
        Directory.CreateDirectory(directory);
        try
        {
            BridgeSettings settings = rig.Settings(Out) with { Tls = new BridgeTls(AuthorityFile: certificates.WriteAuthority(directory)) };
            Assert.Contains("clock", (await FailAsync(CloudRig.Plan(settings), "tls")).Text, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task A_clock_that_was_never_set_is_said_first()
    {
        using var rig = new CloudRig(CloudRules.HiveMq);
        var clock = new FakeTimeProvider(new DateTimeOffset(1970, 1, 1, 0, 5, 0, TimeSpan.Zero));
        BridgeOptions options = CloudRig.Plan(rig.Settings(Out));
        IReadOnlyList<ProbeStep> steps = await RunAsync(options with { Connection = options.Connection with { TimeProvider = clock } });
        Assert.Equal(("clock", false), (steps[0].Step, steps[0].IsGood));
        Assert.Contains("1970-01-01", steps[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_password_that_is_wrong_is_named()
    {
        using var rig = new CloudRig(CloudRules.HiveMq);
        await FailAsync(CloudRig.Plan(rig.Settings(Out) with { Password = () => "wrong"u8.ToArray() }), "login");
    }

    [Fact]
    public async Task A_topic_that_may_not_be_published_to_is_named()
    {
        CloudRules rules = CloudRules.HiveMq with { Outward = ["plant/"] };
        using var rig = new CloudRig(rules);
        await FailAsync(CloudRig.Plan(rig.Settings(Out)), "message");
    }

    [Fact]
    public async Task What_waits_in_the_bridges_session_is_not_taken_by_a_trial()
    {
        using var rig = new CloudRig(CloudRules.Aws);
        BridgeOptions options = CloudRig.Plan(rig.Settings(new RouteSettings { Direction = RouteDirection.In, Local = "cmd/#" }));
        rig.Cloud.Subscriptions["gw"] = new() { ["cmd/#"] = 1 };
        Task<IReadOnlyList<ProbeStep>> running = RunAsync(options);
        await rig.Cloud.UntilAsync(() => rig.Cloud.Current is not null, "the trial to connect");
        await rig.Cloud.SendAsync("cmd/a", "for the bridge", 1);
        Assert.All(await running, step => Assert.True(step.IsGood, step.Text));
        Assert.DoesNotContain("for the bridge", rig.Cloud.Acknowledged);
    }

    private static Task<IReadOnlyList<ProbeStep>> RunAsync(BridgeOptions options) => Deadline.Within(new BridgeProbe(options).RunAsync(), "the trial");

    private static async Task<ProbeStep> FailAsync(BridgeOptions options, string step)
    {
        IReadOnlyList<ProbeStep> steps = await RunAsync(options);
        Assert.All(steps.SkipLast(1), one => Assert.True(one.IsGood, one.Text));
        Assert.Equal((step, false), (steps[^1].Step, steps[^1].IsGood));
        return steps[^1];
    }
}
