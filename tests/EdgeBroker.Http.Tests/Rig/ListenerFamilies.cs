using EdgeBroker.Core;
using EdgeBroker.Core.Security;
using EdgeBroker.Mqtt;
using EdgeBroker.Mqtt.Tls;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Tls;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Http.Tests.Rig;

/// <summary>Both families of listeners, as the executable has them.</summary>
internal sealed class ListenerFamilies : IAsyncDisposable
{
    private readonly MqttServer _mqtt;
    private readonly WebListenerFamily _web;
    private readonly List<IListener> _opened = [];

    public ListenerFamilies(Broker broker, IAuthenticator authenticator, HttpSite site, TimeProvider time, ILoggerFactory loggers, int loops)
    {
        _mqtt = new MqttServer(broker, authenticator, loops, time, loggers);
        _web = new WebListenerFamily(broker, authenticator, site, loops, time, loggers, _mqtt.Handshakes);
    }

    /// <summary>In the order in which they were opened.</summary>
    public IReadOnlyList<IListener> Listeners => _opened;

    public IReadOnlyList<CertificateValidity> Certificates => [.. _mqtt.Certificates, .. _web.Certificates];

    public TlsCounters Handshakes => _mqtt.Handshakes;

    public Task StartAsync() => Task.WhenAll(_mqtt.StartAsync(), _web.StartAsync());

    public async Task<IListener> OpenAsync(ListenerSettings settings)
    {
        IListener listener = await (_mqtt.Protocols.Contains(settings.Protocol) ? _mqtt.OpenAsync(settings) : _web.OpenAsync(settings));
        _opened.Add(listener);
        return listener;
    }

    public Task StopAsync(TimeSpan timeout, TimeProvider time) => Task.WhenAll(_mqtt.StopAsync(timeout, time), _web.StopAsync(timeout, time));

    public async ValueTask DisposeAsync()
    {
        await _web.DisposeAsync();
        await _mqtt.DisposeAsync();
    }
}
