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
        TlsMaterial? before = _listener.Tls?.Files.Current;
        if (_files is null) _listener.Tls?.Files.Check();
        _listener.Apply(_settings, _files);
        _files = null;
        return before is not null && before.ContentHash != _listener.Tls!.Files.Current.ContentHash;
    }

    /// <inheritdoc/>
    public void Dispose() => _files?.Dispose();
}
