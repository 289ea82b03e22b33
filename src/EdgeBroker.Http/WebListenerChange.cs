using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Http;

/// <summary>Other settings for a listener, with everything read that they need. Applied once, or disposed of without a trace.</summary>
public sealed class WebListenerChange : IDisposable
{
    private readonly WebListener _listener;
    private readonly WebListenerOptions _options;
    private TlsFiles? _files;

    internal WebListenerChange(WebListener listener, WebListenerOptions options, TlsFiles? files)
    {
        _listener = listener;
        _options = options;
        _files = files;
    }

    /// <summary>
    /// Puts them in force, for connections that come from here on; who is connected stays until reviewed. Certificate files that are the same, and hold
    /// something else, are taken too.
    /// </summary>
    /// <returns>Whether new connections get something else than before from certificate files.</returns>
    public bool Apply()
    {
        TlsMaterial? before = _listener.Tls?.Files.Current;
        if (_files is null) _listener.Tls?.Files.Check();
        _listener.Apply(_options, _files);
        _files = null;
        return before is not null && before.ContentHash != _listener.Tls!.Files.Current.ContentHash;
    }

    /// <inheritdoc/>
    public void Dispose() => _files?.Dispose();
}
