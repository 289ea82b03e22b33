using System.Text.Json;
using EdgeBroker.Bridge.Hosting;
using EdgeBroker.Cli.Options;
using EdgeBroker.Configuration;
using EdgeBroker.Control;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Core.Management;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Http.Health;
using EdgeBroker.Testing;
using EdgeBroker.Verbs;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeBroker.Tests.Control;

/// <summary>The verbs beside 100,000 sessions, over the socket.</summary>
public sealed class ManySessionsTests : IDisposable
{
    private const int Sessions = 100_000;
    private readonly TemporaryDirectory _directory = new();
    private readonly Broker _broker;
    private readonly ControlSocket _control;

    public ManySessionsTests()
    {
        var refusals = new RecentRefusals(TimeProvider.System);
        var clock = new BrokerClock(TimeProvider.System);
        _broker = new Broker(new MqttOptions { SysInterval = TimeSpan.Zero }, clock, VolatileJournal.Instance, new BrokerEvents(refusals), "test");
        RoutingContext context = _broker.CreateContext();
        for (int i = 0; i < Sessions; i++)
        {
            _broker.Connect($"client-{i:d6}", cleanStart: false, new SessionGrant(3600, 10, null) { UserName = $"user-{i % 100}" }, context, new QuietLink());
        }

        BrokerConfiguration configuration = new ConfigurationLoader(_ => null, _directory.Path).Load(null, out _)!;
        var source = new ConfigurationSource(configuration, _ => null, _directory.Path, TimeProvider.System);
        var bridges = new BridgeControl(new BridgePart([], _broker, "node", TimeProvider.System, NullLoggerFactory.Instance));
        var service = new ControlService(
            _broker, new BrokerView(_broker, refusals), new Healthy(), source, () => [], () => throw new NotSupportedException(),
            new EdgeBroker.Logging.LogAreas(TimeProvider.System), () => null, bridges, new ClusterControl(null), NullLogger.Instance);
        _control = ControlSocket.Open(_directory.Path, service.Answer, TimeProvider.System, NullLogger.Instance)!;
    }

    public void Dispose()
    {
        _control.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void Lists_are_paged_filtered_and_complete()
    {
        var seen = new List<string>();
        string? after = null;
        do
        {
            string[] behind = after is null ? [] : ["--after", after];
            JsonElement page = Json(["clients", "--limit", "10000", .. behind]);
            Assert.Equal(Sessions, page.GetProperty("total").GetInt32());
            seen.AddRange(page.GetProperty("items").EnumerateArray().Select(row => row.GetProperty("client_id").GetString()!));
            after = page.TryGetProperty("next", out JsonElement next) ? next.GetString() : null;
        }
        while (after is not null);
        Assert.Equal(Enumerable.Range(0, Sessions).Select(i => $"client-{i:d6}"), seen);

        Assert.EndsWith("\n100 of 100000 sessions; the next: --after client-000099\n", Said("clients"), StringComparison.Ordinal);
        Assert.EndsWith("\n2 of 1000 sessions; the next: --after client-000142\n", Said("clients", "--user", "user-42", "-n2"), StringComparison.Ordinal);
        Assert.EndsWith("\n1 sessions\n", Said("clients", "client-09999?", "--user", "user-97"), StringComparison.Ordinal);
        Assert.Equal("client-077777 is forgotten\n", Said("kick", "client-077777", "--forget"));
        Assert.Equal(Sessions - 1, Json("clients", "-n1").GetProperty("total").GetInt32());
        Assert.Contains("99999 sessions", Said("status"), StringComparison.Ordinal);
    }

    private JsonElement Json(params string[] arguments) => JsonDocument.Parse(Said([.. arguments, "--json"])).RootElement;

    private string Said(params string[] arguments)
    {
        using var said = new StringWriter();
        int exit = VerbTable.All.Run([.. arguments, "--data-dir", "."], new CommandContext
        {
            Out = said,
            Error = said,
            WorkingDirectory = _directory.Path,
            Time = TimeProvider.System,
        });
        Assert.True(exit == 0, said.ToString());
        return said.ToString();
    }

    private sealed class Healthy : IHealth
    {
        public IReadOnlyList<HealthFinding> Check() => [];
    }
}
