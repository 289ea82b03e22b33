using System.Text.Json;
using System.Text.RegularExpressions;
using EdgeBroker.Core.Metrics;
using EdgeBroker.Hosting;
using EdgeBroker.Mqtt.Tls;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Tls;
using EdgeBroker.Webhooks;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeBroker.Tests.Hosting;

/// <summary>The dashboard and the alerts ask for numbers that there are.</summary>
public sealed partial class DashboardTests
{
    [Theory]
    [InlineData("prometheus", "edgebroker.rules.yml", 14)]
    [InlineData("grafana", "edgebroker.json", 25)]
    public async Task Every_number_they_ask_for_is_registered(string folder, string file, int atLeast)
    {
        HashSet<string> known = await KnownAsync();
        string text = File.ReadAllText(Path.Combine(Repository.Root, "configs", folder, file));
        string[] asked = [.. Number().Matches(text).Select(match => match.Value).Distinct()];
        Assert.True(asked.Length >= atLeast, $"{asked.Length} numbers");
        Assert.Empty(asked.Except(known));
    }

    [Fact]
    public void The_dashboard_is_JSON_whose_panels_do_not_overlap()
    {
        using JsonDocument dashboard = JsonDocument.Parse(File.ReadAllText(Path.Combine(Repository.Root, "configs", "grafana", "edgebroker.json")));
        JsonElement[] panels = [.. dashboard.RootElement.GetProperty("panels").EnumerateArray()];
        Assert.Equal(panels.Length, panels.Select(panel => panel.GetProperty("id").GetInt32()).Distinct().Count());
        Assert.Equal(panels.Length, panels.Select(panel => panel.GetProperty("gridPos").GetRawText()).Distinct().Count());
        Assert.All(panels, panel => Assert.True(panel.GetProperty("targets").GetArrayLength() > 0));
    }

    /// <summary>The names of a broker that has everything.</summary>
    private static async Task<HashSet<string>> KnownAsync()
    {
        await using var broker = new TestBroker(new TestBrokerOptions { Journal = new TestJournal() });
        MeterRegistry meters = broker.Broker.Meters;
        new EventCounters().RegisterMeters(meters);
        ProcessMeters.Register(meters, Path.GetTempPath());
        var certificate = new CertificateValidity("mqtts on a", "server.crt", "gw", DateTimeOffset.UnixEpoch);
        new CertificateExpiry(() => [certificate], TimeProvider.System).RegisterFiles(meters);
        await using var clock = new ClockWatch(meters, (_, _) => { }, TimeProvider.System, NullLogger.Instance);
        new TlsCounters().RegisterMeters(meters);
        await using var probe = new DeliveryProbe(broker.Broker, (_, _) => { }, new ServiceStatus(null), () => "", TimeProvider.System);
        var webhook = new WebhookOptions { Name = "w", Url = new Uri("http://127.0.0.1:9/"), Events = [WebhookEventType.ClientConnected] };
        await using var webhooks = new WebhookPart([webhook], broker.Broker, "n", "1", NullLogger.Instance, TimeProvider.System);
        await webhooks.StartAsync(CancellationToken.None);
        return [
            .. meters.Entries.Select(PrometheusText.NameOf),
            // Registered with a bridge; MetricNamesTests has one.
            "edgebroker_bridge_connected", "edgebroker_bridge_backlog_age_seconds",
            .. meters.Histograms.SelectMany(one => new[] { "_bucket", "_sum", "_count" }.Select(end => PrometheusText.NameOf(one) + end)),
        ];
    }

    [GeneratedRegex(@"\b(?:mqtt|edgebroker|process)_[a-z_]+\b")]
    private static partial Regex Number();
}
