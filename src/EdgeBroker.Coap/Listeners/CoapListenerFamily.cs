using EdgeBroker.Coap.Dtls;
using EdgeBroker.Coap.Gateway;
using EdgeBroker.Coap.Messages;
using EdgeBroker.Core;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Metrics;
using EdgeBroker.Core.Security;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Tls;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Coap.Listeners;

/// <summary>The <c>coap</c> listeners. Nothing of it is started while there is none.</summary>
/// <param name="broker">The broker.</param>
/// <param name="authenticator">Who decides about peers.</param>
/// <param name="time">The clock.</param>
/// <param name="loggers">Event ids 8000-8099.</param>
public sealed class CoapListenerFamily(Broker broker, IAuthenticator authenticator, TimeProvider time, ILoggerFactory loggers) : IListenerFamily
{
    private readonly Lock _lock = new();
    private readonly ILogger _log = loggers.CreateLogger<CoapListenerFamily>();
    private volatile CoapListener[] _listeners = [];

    /// <inheritdoc/>
    public IReadOnlySet<ListenerProtocol> Protocols { get; } = new HashSet<ListenerProtocol> { ListenerProtocol.Coap, ListenerProtocol.Coaps };

    /// <inheritdoc/>
    public IReadOnlyList<IListener> Listeners => _listeners;

    /// <summary>The certificates that listeners show.</summary>
    public IReadOnlyList<CertificateValidity> Certificates => [.. _listeners.SelectMany(listener => listener.Certificates)];

    /// <summary>What is to be known of files of keys: one that has changed and cannot be used.</summary>
    public IEnumerable<HealthFinding> Findings() => _listeners.Where(listener => listener.KeyRefusal is not null).Select(listener => new HealthFinding(
        "keys", HealthState.Warning, $"{listener.Settings.Name}: the changed file of keys is not used, the old keys stay in use: {listener.KeyRefusal}"));

    /// <summary>The clients of all listeners.</summary>
    internal CoapClients Clients { get; } = new(broker);

    /// <summary>Registers what is counted, and has the ledger of memory ask for what peers hold.</summary>
    public void RegisterMeters(MeterRegistry meters)
    {
        broker.Limits.Ledger.Poll(MemoryKind.Coap, () => _listeners.Sum(listener => listener.Server.Resources.MemoryBytes + (listener.Dtls?.MemoryBytes ?? 0)));
        meters.Gauge("edgebroker.coap.peers", MeterUnit.Connections, "CoAP peers remembered", () => Sum(s => s.Layer.PeerCount), "coap/peers");
        meters.Gauge("edgebroker.coap.observations", MeterUnit.Sessions, "CoAP observations", () => Sum(s => s.ObservationCount), "coap/observations");
        Count("received", "CoAP datagrams received", c => c.Received);
        Count("sent", "CoAP datagrams sent", c => c.Sent);
        Count("requests", "CoAP requests carried out", c => c.Requests);
        Count("malformed", "CoAP datagrams that break the format", c => c.Malformed);
        Count("duplicates", "CoAP requests that came again", c => c.Duplicates);
        Count("retransmissions", "CoAP messages sent again", c => c.Retransmissions);
        Count("timed_out", "CoAP messages nobody acknowledged", c => c.TimedOut);
        Count("challenged", "CoAP peers asked to prove their address", c => c.Challenged);
        Count("rate_limited", "CoAP requests refused for their rate (4.29)", c => c.RateLimited);
        Count("peers_refused", "CoAP peers refused because too many are remembered, of all or of their address (5.03)", c => c.PeersRefused);
        meters.Gauge(
            "edgebroker.coap.dtls.associations", MeterUnit.Connections, "DTLS associations", () => SumDtls(d => d.AssociationCount), "coap/dtls/associations");
        meters.Gauge(
            "edgebroker.coap.dtls.threads", MeterUnit.Connections, "Threads of DTLS handshakes", () => SumDtls(d => d.ThreadCount), "coap/dtls/threads");
        CountDtls("cookies", "DTLS clients asked to say hello again with a cookie", c => c.CookiesSent);
        CountDtls("handshakes", "DTLS handshakes that succeeded", c => c.Succeeded);
        CountDtls("handshakes.failed", "DTLS handshakes that failed", c => c.Failed);
        CountDtls("handshakes.refused", "DTLS handshakes refused because there were too many", c => c.Refused);
        CountDtls("dropped", "DTLS records dropped: forged, repeated, malformed, or of nobody", c => c.Dropped);
        CountDtls("moved", "DTLS clients heard of from another address than before", c => c.Moved);

        void CountDtls(string name, string help, Func<DtlsCounters, long> read) => meters.Counter(
            "edgebroker.coap.dtls." + name, MeterUnit.Packets, help, () => SumDtls(d => read(d.Counters)), "coap/dtls/" + name.Replace('.', '/'));

        void Count(string name, string help, Func<CoapCounters, long> read) => meters.Counter(
            "edgebroker.coap." + name, MeterUnit.Packets, help, () => Sum(s => read(s.Layer.Counters)), "coap/" + name);
    }

    /// <inheritdoc/>
    public Task StartAsync() => Task.CompletedTask;

    /// <inheritdoc/>
    public Task<IListener> OpenAsync(ListenerSettings settings) =>
        Task.FromResult<IListener>(new CoapListener(this, settings, broker, authenticator, time, _log));

    /// <summary>CoAP keeps its own.</summary>
    public void ApplyLimits()
    {
    }

    /// <inheritdoc/>
    public Task<int> ReviewAsync() => Task.FromResult(_listeners.Sum(listener => listener.Server.Review()));

    /// <inheritdoc/>
    public Task StopAsync(TimeSpan timeout, TimeProvider time) => Task.WhenAll(_listeners.Select(listener => listener.EndAsync()));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (CoapListener listener in _listeners) await listener.EndAsync().ConfigureAwait(false);
    }

    internal void Add(CoapListener listener)
    {
        lock (_lock) _listeners = [.. _listeners, listener];
    }

    internal void Remove(CoapListener listener)
    {
        lock (_lock) _listeners = [.. _listeners.Where(one => one != listener)];
    }

    private long SumDtls(Func<DtlsServer, long> read) => _listeners.Sum(listener => listener.Dtls is { } dtls ? read(dtls) : 0);

    private long Sum(Func<Resources.ResourceServer, long> read) => _listeners.Sum(listener => read(listener.Server.Resources));
}
