using EdgeBroker.Coap.Listeners;
using EdgeBroker.Core;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Core.Security;
using EdgeBroker.Http;
using EdgeBroker.Mqtt;
using EdgeBroker.Mqtt.Tls;
using EdgeBroker.Transport.Linux;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Tls;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Hosting.Listeners;

/// <summary>All listeners, of all families.</summary>
internal sealed partial class ListenerPart : IBrokerPart<IReadOnlyList<ListenerSettings>>
{
    private static readonly TimeSpan CertificateLook = TimeSpan.FromSeconds(5);

    private readonly IReadOnlyList<ListenerSettings> _first;
    private readonly MqttServer _mqtt;
    private readonly CoapListenerFamily _coap;
    private readonly IListenerFamily[] _families;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Func<IReadOnlyList<CertificateValidity>> _readCertificates;
    private readonly CertificateExpiry _certificates;
    private readonly AwaitedListeners _awaited;
    private readonly Action _registerFiles;

    /// <param name="first">Those to begin with.</param>
    /// <param name="broker">The broker.</param>
    /// <param name="authenticator">Who decides about clients.</param>
    /// <param name="site">What HTTP listeners serve.</param>
    /// <param name="loggers">The servers' and its own.</param>
    /// <param name="time">The clock.</param>
    /// <param name="services">Is told when a listener has begun that was waited for; null: nobody.</param>
    public ListenerPart(
        IReadOnlyList<ListenerSettings> first,
        Broker broker,
        IAuthenticator authenticator,
        HttpSite site,
        ILoggerFactory loggers,
        TimeProvider time,
        ServiceStatus? services = null)
    {
        _first = first;
        _time = time;
        _log = loggers.CreateLogger("EdgeBroker.Reload");
        _mqtt = new MqttServer(broker, authenticator, Environment.ProcessorCount, time, loggers);
        var web = new WebListenerFamily(broker, authenticator, site, Environment.ProcessorCount, time, loggers, _mqtt.Handshakes);
        CoapListenerFamily coap = _coap = new CoapListenerFamily(broker, authenticator, time, loggers);
        coap.RegisterMeters(broker.Meters);
        _families = [_mqtt, web, coap];
        _readCertificates = () => [.. _mqtt.Certificates, .. web.Certificates, .. coap.Certificates];
        _certificates = new CertificateExpiry(_readCertificates, time);
        _certificates.RegisterMeters(broker.Meters);
        _mqtt.RegisterMeters(broker.Meters);
        // A listener may come, or get other files, at any time.
        _registerFiles = () => _certificates.RegisterFiles(broker.Meters);
        _mqtt.AddPeriodic(CertificateLook, _registerFiles);
        _awaited = new AwaitedListeners(OpenAsync, () => services?.Say(Summary), time, _log);
    }

    /// <inheritdoc/>
    public string Name => "listeners";

    /// <summary>The certificates they show.</summary>
    public IReadOnlyList<CertificateValidity> Certificates => _readCertificates();

    /// <summary>Where they listen.</summary>
    public IEnumerable<string> EndPoints => Running.Select(listener => listener.EndPoint);

    /// <summary>Where they listen, and which are waited for, in one line.</summary>
    public string Summary
    {
        get
        {
            string awaited = string.Join(", ", _awaited.Settings.Select(settings => settings.Name));
            return "listening on " + string.Join(", ", EndPoints) + (awaited.Length > 0 ? "; not open yet: " + awaited : "");
        }
    }

    /// <summary>Those at work.</summary>
    public IEnumerable<IListener> Running => _families.SelectMany(family => family.Listeners);

    /// <summary>Runs something again and again on the first reactor; short and non-blocking. Before the start.</summary>
    public void AddPeriodic(TimeSpan interval, Action work) => _mqtt.AddPeriodic(interval, work);

    /// <summary>
    /// All addresses are bound before the first is listened on: either all are there, or none; but for those the machine does not have yet, which follow.
    /// </summary>
    public async ValueTask StartAsync(CancellationToken cancel)
    {
        var opened = new List<IListener>();
        var awaited = new List<(ListenerSettings, ListenProblem)>();
        foreach (ListenerSettings settings in _first)
        {
            ListenProblem? problem =
                await ListenProblem.OfAsync(async () => opened.Add(await OpenAsync(settings).ConfigureAwait(false)), settings.Address).ConfigureAwait(false);
            if (problem is null) continue;
            if (problem.IsAddressMissing)
            {
                awaited.Add((settings, problem));
                continue;
            }

            foreach (IListener listener in opened) await listener.AbandonAsync().ConfigureAwait(false);
            throw new PartException(problem.Text);
        }

        foreach (IListenerFamily family in _families) await family.StartAsync().ConfigureAwait(false);
        foreach (IListener listener in opened) await listener.BeginAsync().ConfigureAwait(false);
        await _awaited.EnterAsync().ConfigureAwait(false);
        _awaited.Replace(awaited);
        _awaited.Leave();
        _registerFiles();
        foreach (string unused in InheritedSockets.OfProcess.Unused) LogUnused(_log, unused);
    }

    /// <inheritdoc/>
    public async ValueTask<IPreparedChange> PrepareAsync(IReadOnlyList<ListenerSettings> next)
    {
        // Until the change is applied or given up.
        await _awaited.EnterAsync().ConfigureAwait(false);
        var change = new ListenerChange(this, _awaited, ListenerPlan.Of(Running, next), (name, cause) => LogLost(_log, name, cause));
        return await change.PrepareAsync().ConfigureAwait(false) is { } problem ? throw new PartException(problem) : change;
    }

    /// <inheritdoc/>
    public async ValueTask<int> ReviewAsync() => (await Task.WhenAll(_families.Select(family => family.ReviewAsync())).ConfigureAwait(false)).Sum();

    /// <inheritdoc/>
    public IEnumerable<HealthFinding> Findings() => [.. _certificates.Findings(), .. _coap.Findings(), .. _awaited.Findings()];

    /// <summary>All stop at the same time: closing to new clients is the beginning of sending the others away.</summary>
    public async ValueTask StopAsync(StopPhase phase, TimeSpan limit)
    {
        if (phase != StopPhase.DisconnectClients) return;
        await _awaited.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(_families.Select(family => family.StopAsync(limit, _time))).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _awaited.DisposeAsync().ConfigureAwait(false);
        foreach (IListenerFamily family in _families.Reverse()) await family.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Binds a listener's address.</summary>
    public Task<IListener> OpenAsync(ListenerSettings settings) => _families.First(family => family.Protocols.Contains(settings.Protocol)).OpenAsync(settings);

    /// <summary>Has the servers take the broker's newest limits over.</summary>
    public void ApplyLimits() => Array.ForEach(_families, family => family.ApplyLimits());

    [LoggerMessage(
        9029, LogLevel.Warning,
        "the service manager has opened {Socket}, where no listener is and clients hang: give a [[listener]] this address, or take it out of the socket unit")]
    private static partial void LogUnused(ILogger log, string socket);

    [LoggerMessage(9027, LogLevel.Critical, "{Listener} gave its address free for another and could not have it back: {Cause}; restart the broker")]
    private static partial void LogLost(ILogger log, string listener, string cause);
}
