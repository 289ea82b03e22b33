using EdgeBroker.Bridge.Hosting;
using EdgeBroker.Cli.Control;
using EdgeBroker.Cluster.Sockets;
using EdgeBroker.Configuration;
using EdgeBroker.Control;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Core.Management;
using EdgeBroker.Core.Metrics;
using EdgeBroker.Hosting.Listeners;
using EdgeBroker.Http;
using EdgeBroker.Http.Access;
using EdgeBroker.Http.Api;
using EdgeBroker.Http.Metrics;
using EdgeBroker.Logging;
using EdgeBroker.Memory;
using EdgeBroker.Reloading;
using EdgeBroker.Storage;
using EdgeBroker.Telemetry;
using EdgeBroker.Transport.Linux;
using EdgeBroker.Verbs;
using EdgeBroker.Webhooks;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Hosting;

/// <summary>The wiring of the broker, and its life between start and the request to stop.</summary>
/// <param name="source">The configuration.</param>
/// <param name="loggers">The log.</param>
/// <param name="time">The clock.</param>
/// <param name="hangUp">Asks for reloads.</param>
/// <param name="asked">Asks for the end, as signals do.</param>
internal sealed partial class BrokerHost(
    ConfigurationSource source, LineLoggerFactory loggers, TimeProvider time, ReloadSignal hangUp, CancellationToken asked)
{
    // A service manager is assumed to wait 5 s. The clients get most of it.
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan LogFlushTimeout = TimeSpan.FromSeconds(1);

    private readonly ILogger _log = loggers.CreateLogger("EdgeBroker");
    private readonly ServiceStatus _services = new(Environment.GetEnvironmentVariable("NOTIFY_SOCKET"), Environment.GetEnvironmentVariable("WATCHDOG_USEC"));

    /// <summary>Runs until asked to stop; returns an <see cref="ExitCode"/>.</summary>
    public int Run()
    {
        OpenFileLimit.Raise(_log);
        string? damage = null;
        while (true)
        {
            BrokerEnd end = RunOnce(damage);
            if (end.Damage is null) return end.ExitCode;
            // Found when the store was read or later. Everything is made anew, on what can be rescued.
            LogRestarting(_log, end.Damage);
            damage = end.Damage;
        }
    }

    /// <summary>One run of the broker.</summary>
    /// <param name="knownDamage">What the run before has shown to be wrong with the store; null: nothing.</param>
    private BrokerEnd RunOnce(string? knownDamage)
    {
        using var stop = new StopRequest(asked);
        try
        {
            ServeAsync(stop, knownDamage).GetAwaiter().GetResult();
            return stop.End;
        }
        catch (StoreException exception)
        {
            LogNoStore(_log, exception.Message);
            return new BrokerEnd(exception.Problem is StoreProblem.Damaged or StoreProblem.Newer ? ExitCode.Configuration : ExitCode.Failed);
        }
        catch (PartException exception)
        {
            LogNotStarted(_log, exception.Message);
            return new BrokerEnd(ExitCode.Failed);
        }
    }

    // The parts in the order in which they start. They stop and end the other way round.
    private async Task ServeAsync(StopRequest stop, string? knownDamage)
    {
        BrokerConfiguration configuration = source.Current;
        var clock = new BrokerClock(time);
        await using var parts = new HostedParts();

        BrokerStore store = parts.Add(BrokerStore.Open(configuration.Node.DataDirectory, configuration.Storage, clock, time, loggers, knownDamage));
        var refusals = new RecentRefusals(time);
        var counters = new EventCounters();
        var events = new BrokerEvents(new BrokerEventLog(loggers.CreateLogger<BrokerEventLog>(), time), refusals, counters);
        var broker = new Broker(configuration.Mqtt, clock, store.Journal, events, VersionCommand.Version);
        broker.Limits.Replace(configuration.Limits);
        using MeterRegistry meters = broker.Meters;
        counters.RegisterMeters(meters);
        ProcessMeters.Register(meters, configuration.Node.DataDirectory);
        store.ServeTo(broker, _services, stop);
        parts.Add(new BrokerOptionsPart(broker), c => (c.Mqtt, c.Limits));
        // Before whatever has clients: the first publish goes to the other nodes, too.
        MeshPart? mesh = configuration.Cluster is { } cluster
            ? parts.Add(new MeshPart(broker, cluster.Mesh, cluster.EndPoints, () => store.Mesh, time, loggers.CreateLogger("EdgeBroker.Cluster")))
            : null;

        var access = new AccessControl(configuration.Auth, configuration.Node.DataDirectory, broker.Limits, loggers, time);
        access.Counters.RegisterMeters(meters);
        parts.Add(access, c => c.Auth);
        broker.JudgeRestoredWill = access.FindWillObjection;

        // Started before the listeners, so that it stops behind them: whoever is disconnected at the end is told of as well.
        var webhooks = new WebhookPart(
            configuration.Webhooks, broker, configuration.Node.Name, VersionCommand.Version, loggers.CreateLogger("EdgeBroker.Webhooks"), time);
        parts.Add(webhooks, c => c.Webhooks);
        var self = new TelemetrySource(configuration.Node.Name, VersionCommand.Version);
        var messages = new MessageMeters(meters, events);
        var telemetry = new TelemetryPart(configuration.Telemetry, meters, messages, events, self, time, loggers.CreateLogger("EdgeBroker.Telemetry"));
        parts.Add(telemetry, c => c.Telemetry);

        string nodeId = NodeIdentity.Of(configuration.Node, _log);
        var bridges = new BridgePart(configuration.Bridges, broker, nodeId, time, loggers);
        parts.Add(bridges, next => next.Bridges);

        var httpOptions = new Replaceable<HttpOptions>(configuration.Http);
        var audit = new AuditLog(loggers, time);
        var history = new HistoryRing(time);
        var site = new HttpSite(broker, access.Authenticator, health: parts, httpOptions, audit, time);
        site.Cluster = () => mesh?.Node.Status is { } status ? ClusterStatus.ToHttp(status) : null;
        var listeners = new ListenerPart(configuration.Listeners, broker, access.Authenticator, site, loggers, time, _services);
        parts.Add(new MemoryPart(broker, listeners.AddPeriodic, time));
        parts.Add(new ClockWatch(meters, listeners.AddPeriodic, time, _log));
        parts.Add(new DeliveryProbe(broker, listeners.AddPeriodic, _services, () => listeners.Summary, time));
        parts.Add(listeners, next => next.Listeners);
        var http = new HttpPart(httpOptions, site, () => listeners.Running, _log);
        parts.Add(http, c => c.Http);

        var reload = new ConfigurationReload(parts, source, listeners, _services, loggers, time);
        parts.Add(new PasswordFileWatch(configuration.Auth, reload.TakeUsers, time, _log), c => c.Auth);
        var view = new BrokerView(broker, refusals);
        site.Beginning = () =>
        {
            events.Add(history);
            loggers.Tail ??= new LogTail();
        };
        var administration = new Administration(source, listeners, reload, loggers, time);
        administration.DeleteLeftOver();
        site.Add(() => [MetricsEndpoint.Make(meters, messages)]);
        ApiEndpoints.AddTo(site, broker, view, history, parts, administration, new Neighbours(bridges, webhooks, source, time), time);
        var control = new ControlService(
            broker, view, parts, source, () => listeners.EndPoints, () => reload.Run("the verb reload"), loggers.Levels, http.NewLink,
            new BridgeControl(bridges), new ClusterControl(mesh), _log);
        parts.Add(new ControlPart(configuration.Node.DataDirectory, request => Answer(request, control), time, _log));

        using var stopSignals = new StopSignals(stop, loggers, _log);
        await parts.StartAsync(stop.Token).ConfigureAwait(false);
        if (!stop.Token.IsCancellationRequested) ServeUntilAsked(stop, reload, listeners);
        LogStopping(_log, broker.ConnectedCount);
        await parts.StopAsync(StopTimeout).ConfigureAwait(false);
        LogStopped(_log);
    }

    private void ServeUntilAsked(StopRequest stop, ConfigurationReload reload, ListenerPart listeners)
    {
        _services.Ready(listeners.Summary);
        hangUp.Serve(() => reload.Run("SIGHUP"));
        stop.Wait();
        hangUp.Keep();
        // A reload under way ends with READY, which must not come after STOPPING.
        reload.Close();
        _services.Stopping();
    }

    private ControlAnswer Answer(ControlRequest request, ControlService control)
    {
        ControlAnswer answer = control.Answer(request);
        // Whoever has the answer finds in the log what was done.
        loggers.Flush(LogFlushTimeout);
        return answer;
    }

    [LoggerMessage(9010, LogLevel.Critical, "the broker cannot start: {Cause}")]
    private static partial void LogNotStarted(ILogger log, string cause);

    [LoggerMessage(9017, LogLevel.Error, "restarting with a new store; the damaged one is set aside: {Cause}")]
    private static partial void LogRestarting(ILogger log, string cause);

    [LoggerMessage(9016, LogLevel.Critical, "no store: {Cause}")]
    private static partial void LogNoStore(ILogger log, string cause);

    [LoggerMessage(9011, LogLevel.Information, "stopping: disconnecting {Clients} client(s)")]
    private static partial void LogStopping(ILogger log, int clients);

    [LoggerMessage(9012, LogLevel.Information, "stopped")]
    private static partial void LogStopped(ILogger log);
}
