using System.Net.Sockets;
using System.Runtime.InteropServices;
using EdgeBroker.Configuration;
using EdgeBroker.Control;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Http;
using EdgeBroker.Logging;
using EdgeBroker.Memory;
using EdgeBroker.Mqtt;
using EdgeBroker.Reloading;
using EdgeBroker.Storage;
using EdgeBroker.Transport.Tls;
using EdgeBroker.Verbs;
using Microsoft.Extensions.Logging;

namespace EdgeBroker;

/// <summary>The wiring of the broker, and its life between start and the signal that ends it.</summary>
internal static partial class BrokerHost
{
    // Of the 5 seconds a service manager's patience is worth to us, the clients get most.
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan LogFlushTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Runs until asked to stop; returns an <see cref="ExitCode"/>.</summary>
    public static int Run(ConfigurationSource source, LineLoggerFactory loggers, TimeProvider time, CancellationToken asked)
    {
        ILogger log = loggers.CreateLogger("EdgeBroker");
        OpenFileLimit.Raise(log);
        // A damaged store is found out when it is read or, later, when it is used. Either way everything is made anew, on what of it can be rescued.
        string? damage = null;
        while (true)
        {
            int exitCode = RunOnce(source, ref damage, loggers, time, log, asked);
            if (damage is null) return exitCode;
            LogAnew(log, damage);
        }
    }

    /// <summary>One life of the broker.</summary>
    /// <param name="source">The configuration it is started with, and where it may be read again.</param>
    /// <param name="damage">What the life before has shown to be wrong with the store; set to what this one has shown.</param>
    /// <param name="loggers">Where it is told.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Where this class tells.</param>
    /// <param name="asked">Ends it, as signals do.</param>
    private static int RunOnce(
        ConfigurationSource source, ref string? damage, LineLoggerFactory loggers, TimeProvider time, ILogger log, CancellationToken asked)
    {
        BrokerConfiguration configuration = source.Current;
        string? knownDamage = damage;
        damage = null;
        var clock = new BrokerClock(time);
        var services = new ServiceStatus(Environment.GetEnvironmentVariable("NOTIFY_SOCKET"));
        using var stop = new ManualResetEventSlim();
        using CancellationTokenRegistration stopping = asked.Register(stop.Set);
        try
        {
            using BrokerStore store = BrokerStore.Open(configuration.Node.DataDirectory, configuration.Storage, clock, time, loggers, knownDamage);
            try
            {
                return Serve(source, store, ref damage, clock, services, stop, loggers, time);
            }
            catch (StoreException exception) when (exception.Problem == StoreProblem.Damaged)
            {
                damage = exception.Message;
                return ExitCode.Failed;
            }
        }
        catch (StoreException exception)
        {
            LogNoStore(log, exception.Message);
            return exception.Problem is StoreProblem.Damaged or StoreProblem.Newer ? ExitCode.Configuration : ExitCode.Failed;
        }
    }

    private static int Serve(
        ConfigurationSource source,
        BrokerStore store,
        ref string? damage,
        BrokerClock clock,
        ServiceStatus services,
        ManualResetEventSlim stop,
        LineLoggerFactory loggers,
        TimeProvider time)
    {
        BrokerConfiguration configuration = source.Current;
        ILogger log = loggers.CreateLogger("EdgeBroker");
        string? foundDamage = null;
        var events = new BrokerEventLog(loggers.CreateLogger<BrokerEventLog>(), time);
        var broker = new Broker(configuration.Mqtt, clock, store.Journal, events, VersionCommand.Version);
        broker.Limits.Replace(configuration.Limits);
        bool isBroken = false;
        store.Restore(
            broker,
            services,
            damaged: cause =>
            {
                foundDamage = cause;
                stop.Set();
            },
            broken: () =>
            {
                isBroken = true;
                stop.Set();
            });
        using var access = new AccessControl(configuration.Auth, loggers, time);
        access.ShowIn(broker);
        // Before the server, whose reactors use it to their end.
        using var gauge = new MemoryGauge("/");
        using var server = new MqttServer(broker, access.Authenticator, Environment.ProcessorCount, time, loggers);
        server.AddPeriodic(TimeSpan.FromSeconds(1), new ScheduledCollector(broker).Run);
        server.AddPeriodic(MemoryWatch.Interval, new MemoryWatch(broker.Limits, gauge, time).Run);
        if (!Listen(server, configuration.Listeners, log)) return ExitCode.Failed;

        RunningBroker? running = null;
        var health = new BrokerHealth(broker, () => running?.Web, time);
        WebServer MakeWeb(IEnumerable<WebListenerOptions> listeners)
        {
            var made = new WebServer(listeners, broker, access.Authenticator, health, Environment.ProcessorCount, time, loggers);
            broker.Certificates = made;
            return made;
        }

        WebServer? web = null;
        if (configuration.WebListeners.Count > 0 && (web = StartWeb(configuration.WebListeners, MakeWeb, log)) is null) return ExitCode.Failed;

        running = new RunningBroker { Broker = broker, Access = access, Plain = server, Web = web, MakeWeb = () => MakeWeb([]), Loggers = loggers };
        ServeUntilAsked(running, new ConfigurationReload(running, source, services, time), configuration.Node.DataDirectory, services, stop, log, time);
        damage = Volatile.Read(ref foundDamage);
        return Volatile.Read(ref isBroken) ? ExitCode.Failed : ExitCode.Success;
    }

    private static void ServeUntilAsked(
        RunningBroker running, ConfigurationReload reload, string dataDirectory, ServiceStatus services, ManualResetEventSlim stop, ILogger log,
        TimeProvider time)
    {
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Ask(context, stop));
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Ask(context, stop));
        using PosixSignalRegistration hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true;
            reload.Run("SIGHUP");
        });
        running.Plain.Start();
        using (OperatingSystem.IsLinux() ? ControlSocket.Open(dataDirectory, request => Answer(request, reload, running.Loggers), time, log) : null)
        {
            services.Ready("listening on " + string.Join(", ", running.EndPoints));
            stop.Wait();
            // One under way ends with READY, which must not come after STOPPING.
            reload.Close();
            services.Stopping();
        }

        LogStopping(log, running.Broker.ConnectedCount);
        StopAsync(running.Plain, running.Web, time).GetAwaiter().GetResult();
        LogStopped(log);
    }

    private static ControlAnswer Answer(string request, ConfigurationReload reload, LineLoggerFactory loggers)
    {
        ControlAnswer answer = request == ReloadCommand.Request
            ? reload.Run("the verb reload").ToAnswer()
            : new ControlAnswer(ExitCode.Usage, [$"this broker cannot \"{Printable.Escape(request)}\"; it is version {VersionCommand.Version}"]);
        // Whoever has the answer finds in the log what was done.
        loggers.Flush(LogFlushTimeout);
        return answer;
    }

    private static bool Listen(MqttServer server, IReadOnlyList<ListenerOptions> listeners, ILogger log)
    {
        foreach (ListenerOptions listener in listeners)
        {
            try
            {
                server.Listen(listener);
            }
            catch (Exception exception) when (exception is IOException or FormatException)
            {
                LogCannotListen(log, listener.Address, exception.Message);
                return false;
            }
        }

        return true;
    }

    /// <summary>Made and started only when a listener needs it; null when it cannot be, which has been said.</summary>
    private static WebServer? StartWeb(IReadOnlyList<WebListenerOptions> listeners, Func<IEnumerable<WebListenerOptions>, WebServer> make, ILogger log)
    {
        try
        {
            WebServer web = make(listeners);
            web.StartAsync().GetAwaiter().GetResult();
            return web;
        }
        catch (Exception exception) when (exception is IOException or FormatException or SocketException or CertificateFileException)
        {
            string addresses = string.Join(", ", listeners.Select(listener => listener.Address));
            LogCannotListen(log, addresses, exception is CertificateFileException file ? $"{file.File} {file.Message}" : exception.Message);
            return null;
        }
    }

    private static async Task StopAsync(MqttServer server, WebServer? web, TimeProvider time)
    {
        Task plain = server.StopAsync(StopPatience, time);
        if (web is not null)
        {
            await web.StopAsync(StopPatience, time);
            await web.DisposeAsync();
        }

        await plain;
    }

    private static void Ask(PosixSignalContext context, ManualResetEventSlim stop)
    {
        // Otherwise the runtime would end the process before the clients have heard of it.
        context.Cancel = true;
        stop.Set();
    }

    [LoggerMessage(9010, LogLevel.Critical, "cannot listen on {Address}: {Cause}")]
    private static partial void LogCannotListen(ILogger log, string address, string cause);

    [LoggerMessage(9017, LogLevel.Error, "starting anew without the damaged store: {Damage}")]
    private static partial void LogAnew(ILogger log, string damage);

    [LoggerMessage(9016, LogLevel.Critical, "no store: {Cause}")]
    private static partial void LogNoStore(ILogger log, string cause);

    [LoggerMessage(9011, LogLevel.Information, "stopping: saying goodbye to {Clients} client(s)")]
    private static partial void LogStopping(ILogger log, int clients);

    [LoggerMessage(9012, LogLevel.Information, "stopped")]
    private static partial void LogStopped(ILogger log);
}
