using System.Net.Sockets;
using System.Runtime.InteropServices;
using EdgeBroker.Configuration;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Security;
using EdgeBroker.Http;
using EdgeBroker.Http.Tls;
using EdgeBroker.Mqtt;
using EdgeBroker.Storage;
using EdgeBroker.Verbs;
using Microsoft.Extensions.Logging;

namespace EdgeBroker;

/// <summary>The wiring of the broker, and its life between start and the signal that ends it.</summary>
internal static partial class BrokerHost
{
    // Of the 5 seconds a service manager's patience is worth to us, the clients get most.
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(3);

    /// <summary>Runs until asked to stop; returns an <see cref="ExitCode"/>.</summary>
    public static int Run(BrokerConfiguration configuration, ILoggerFactory loggers, TimeProvider time)
    {
        ILogger log = loggers.CreateLogger("EdgeBroker");
        OpenFileLimit.Raise(log);
        // A damaged store is found out when it is read or, later, when it is used. Either way everything is made anew, on what of it can be rescued.
        string? damage = null;
        while (true)
        {
            int exitCode = RunOnce(configuration, ref damage, loggers, time, log);
            if (damage is null) return exitCode;
            LogAnew(log, damage);
        }
    }

    /// <summary>One life of the broker.</summary>
    /// <param name="configuration">What it is started with.</param>
    /// <param name="damage">What the life before has shown to be wrong with the store; set to what this one has shown.</param>
    /// <param name="loggers">Where it is told.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Where this class tells.</param>
    private static int RunOnce(BrokerConfiguration configuration, ref string? damage, ILoggerFactory loggers, TimeProvider time, ILogger log)
    {
        string? knownDamage = damage;
        damage = null;
        var clock = new BrokerClock(time);
        var services = new ServiceStatus(Environment.GetEnvironmentVariable("NOTIFY_SOCKET"));
        using var stop = new ManualResetEventSlim();
        try
        {
            using BrokerStore store = BrokerStore.Open(configuration.Node.DataDirectory, configuration.Storage, clock, time, loggers, knownDamage);
            try
            {
                return Serve(configuration, store, ref damage, clock, services, stop, loggers, time);
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
        BrokerConfiguration configuration,
        BrokerStore store,
        ref string? damage,
        BrokerClock clock,
        ServiceStatus services,
        ManualResetEventSlim stop,
        ILoggerFactory loggers,
        TimeProvider time)
    {
        ILogger log = loggers.CreateLogger("EdgeBroker");
        string? foundDamage = null;
        var events = new BrokerEventLog(loggers.CreateLogger<BrokerEventLog>(), time);
        var broker = new Broker(configuration.Mqtt, clock, store.Journal, events, VersionCommand.Version);
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
        using var server = new MqttServer(broker, access.Authenticator, Environment.ProcessorCount, time, loggers);
        server.AddPeriodic(TimeSpan.FromSeconds(1), new IdleCollector(broker).Run);
        if (!Listen(server, configuration.Listeners, log)) return ExitCode.Failed;

        WebServer? web = null;
        if (configuration.WebListeners.Count > 0 && (web = StartWeb(configuration, broker, access.Authenticator, loggers, time, log)) is null) return ExitCode.Failed;

        ServeUntilAsked(server, web, broker, services, stop, log, time);
        damage = Volatile.Read(ref foundDamage);
        return Volatile.Read(ref isBroken) ? ExitCode.Failed : ExitCode.Success;
    }

    private static void ServeUntilAsked(
        MqttServer server, WebServer? web, Broker broker, ServiceStatus services, ManualResetEventSlim stop, ILogger log, TimeProvider time)
    {
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Ask(context, stop));
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Ask(context, stop));
        using PosixSignalRegistration hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => IgnoreHangUp(context, log));
        server.Start();
        services.Ready("listening on " + string.Join(", ", server.EndPoints.Concat(web?.EndPoints ?? [])));
        stop.Wait();
        services.Stopping();
        LogStopping(log, broker.ConnectedCount);
        StopAsync(server, web, time).GetAwaiter().GetResult();
        LogStopped(log);
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
    private static WebServer? StartWeb(BrokerConfiguration configuration, Broker broker, IAuthenticator authenticator, ILoggerFactory loggers, TimeProvider time, ILogger log)
    {
        try
        {
            var web = new WebServer(configuration.WebListeners, broker, authenticator, Environment.ProcessorCount, time, loggers);
            web.StartAsync().GetAwaiter().GetResult();
            broker.Certificates = web;
            return web;
        }
        catch (Exception exception) when (exception is IOException or FormatException or SocketException or CertificateFileException)
        {
            string addresses = string.Join(", ", configuration.WebListeners.Select(listener => listener.Address));
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

    private static void IgnoreHangUp(PosixSignalContext context, ILogger log)
    {
        context.Cancel = true;
        LogNoReload(log);
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

    [LoggerMessage(9013, LogLevel.Warning, "SIGHUP: this version cannot reload its configuration; restart to apply changes")]
    private static partial void LogNoReload(ILogger log);
}
