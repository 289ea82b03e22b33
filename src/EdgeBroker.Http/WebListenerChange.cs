using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Http;

/// <summary>Other settings for a listener, with the certificate files they name.</summary>
internal sealed class WebListenerChange : IListenerChange
{
    private readonly WebListener _listener;
    private readonly ListenerSettings _settings;
    private TlsFiles? _files;

    public WebListenerChange(WebListener listener, ListenerSettings settings, TlsFiles? files)
    {
        _listener = listener;
        _settings = settings;
        _files = files;
    }

    /// <inheritdoc/>
    public bool Apply()
    {
        TlsFiles? files = _files;
        _files = null;
        return _listener.Apply(_settings, files);
    }

    /// <inheritdoc/>
    public void Dispose() => _files?.Dispose();
}
