using System.Net.Sockets;
using EdgeBroker.Configuration;
using EdgeBroker.Core;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Core.Security;
using EdgeBroker.Http;
using EdgeBroker.Http.Health;
using EdgeBroker.Http.Tls;
using EdgeBroker.Mqtt;
using EdgeBroker.Transport.Tls;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Hosting.Listeners;

/// <summary>The listeners of a configuration.</summary>
/// <param name="Plain">MQTT over plain sockets.</param>
/// <param name="Web">MQTT over TLS and WebSocket, and HTTP.</param>
internal sealed record ListenerSet(IReadOnlyList<ListenerOptions> Plain, IReadOnlyList<WebListenerOptions> Web)
{
    public static ListenerSet Of(BrokerConfiguration configuration) => new(configuration.Listeners, configuration.WebListeners);
}

/// <summary>All listeners, and the servers behind them. The web server is made when the first listener needs it.</summary>
internal sealed partial class ListenerPart : IBrokerPart<ListenerSet>
{
    private readonly ListenerSet _first;
    private readonly Broker _broker;
    private readonly IAuthenticator _authenticator;
    private readonly IHealth _health;
    private readonly ILoggerFactory _loggers;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly TlsCounters _handshakes = new();
    private readonly CertificateExpiry _certificates;
    private volatile WebServer? _web;

    /// <param name="first">Those to begin with.</param>
    /// <param name="broker">The broker.</param>
    /// <param name="authenticator">Who decides about clients.</param>
    /// <param name="health">How the broker is, for HTTP.</param>
    /// <param name="loggers">The servers' and its own.</param>
    /// <param name="time">The clock.</param>
    public ListenerPart(ListenerSet first, Broker broker, IAuthenticator authenticator, IHealth health, ILoggerFactory loggers, TimeProvider time)
    {
        _first = first;
        _broker = broker;
        _authenticator = authenticator;
        _health = health;
        _loggers = loggers;
        _time = time;
        _log = loggers.CreateLogger("EdgeBroker.Reload");
        Plain = new MqttServer(broker, authenticator, Environment.ProcessorCount, time, loggers);
        _certificates = new CertificateExpiry(() => _web?.Certificates ?? [], time);
        _certificates.RegisterMeters(broker.Meters);
        _handshakes.RegisterMeters(broker.Meters);
    }

    /// <inheritdoc/>
    public string Name => "listeners";

    public MqttServer Plain { get; }

    /// <summary>Null while no listener has needed it.</summary>
    public WebServer? Web => _web;

    /// <summary>Where they listen.</summary>
    public IEnumerable<string> EndPoints => Plain.EndPoints.Concat(_web?.EndPoints ?? []);

    /// <summary>Runs something again and again on the first reactor; short and non-blocking. Before the start.</summary>
    public void AddPeriodic(TimeSpan interval, Action work) => Plain.AddPeriodic(interval, work);

    /// <inheritdoc/>
    public async ValueTask StartAsync(CancellationToken cancel)
    {
        foreach (ListenerOptions options in _first.Plain)
        {
            await TryOrThrowAsync(() => Listen(options), options.Address).ConfigureAwait(false);
        }

        if (_first.Web.Count > 0)
        {
            string addresses = string.Join(", ", _first.Web.Select(listener => listener.Address));
            await TryOrThrowAsync(() => MakeWeb(_first.Web).StartAsync(), addresses).ConfigureAwait(false);
        }

        Plain.Start();
    }

    /// <inheritdoc/>
    public async ValueTask<IPreparedChange> PrepareAsync(ListenerSet next)
    {
        var change = new ListenerChange(this, ListenerPlan.Of(this, next), (name, cause) => LogLost(_log, name, cause));
        return await change.PrepareAsync().ConfigureAwait(false) is { } problem ? throw new PartException(problem) : change;
    }

    /// <inheritdoc/>
    public async ValueTask<int> ReviewAsync() => await Plain.ReviewAsync().ConfigureAwait(false) + (_web?.Review() ?? 0);

    /// <inheritdoc/>
    public IEnumerable<HealthFinding> Findings() => _certificates.Findings();

    /// <summary>Both servers stop at the same time: closing to new clients is the beginning of sending the others away.</summary>
    public async ValueTask StopAsync(StopPhase phase, TimeSpan limit)
    {
        if (phase != StopPhase.DisconnectClients) return;
        Task plain = Plain.StopAsync(limit, _time);
        if (_web is { } web) await web.StopAsync(limit, _time).ConfigureAwait(false);
        await plain.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await CloseWebAsync().ConfigureAwait(false);
        Plain.Dispose();
    }

    /// <summary>Does what may fail because of an address or a file.</summary>
    /// <returns>Why it has; null: it has not.</returns>
    public static async Task<string?> TryAsync(Func<Task> work, string address)
    {
        try
        {
            await work().ConfigureAwait(false);
            return null;
        }
        catch (CertificateFileException exception)
        {
            return $"{exception.File} {exception.Message}";
        }
        catch (Exception exception) when (exception is IOException or FormatException or UnauthorizedAccessException or SocketException)
        {
            string prefix = $"cannot listen on {address}: ";
            return exception.Message.StartsWith(prefix, StringComparison.Ordinal) ? exception.Message : prefix + exception.Message;
        }
    }

    /// <summary>The web server, started; made if there is none.</summary>
    public async Task<WebServer> OpenWebAsync()
    {
        if (_web is { } present) return present;
        WebServer made = MakeWeb([]);
        await made.StartAsync().ConfigureAwait(false);
        return made;
    }

    /// <summary>Ends the web server, if there is one; the next listener that needs one makes it anew.</summary>
    public async Task CloseWebAsync()
    {
        if (_web is not { } web) return;
        _web = null;
        await web.DisposeAsync().ConfigureAwait(false);
    }

    private static async Task TryOrThrowAsync(Func<Task> work, string address)
    {
        if (await TryAsync(work, address).ConfigureAwait(false) is { } problem) throw new PartException(problem);
    }

    private Task Listen(ListenerOptions options)
    {
        Plain.Listen(options);
        return Task.CompletedTask;
    }

    private WebServer MakeWeb(IEnumerable<WebListenerOptions> listeners)
    {
        _web = new WebServer(listeners, _broker, _authenticator, _health, Environment.ProcessorCount, _time, _loggers, _handshakes);
        return _web;
    }

    [LoggerMessage(9027, LogLevel.Critical, "{Listener} gave its address free for another and could not have it back: {Cause}; restart the broker")]
    private static partial void LogLost(ILogger log, string listener, string cause);
}
