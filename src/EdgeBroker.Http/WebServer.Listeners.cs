using System.Collections.Concurrent;
using System.Net.Sockets;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Tls;
using EdgeBroker.Transport.UnixSockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Http;

// Listeners come, change and go, and clients are reviewed, while the server runs. One thread at a time may ask for that.
public sealed partial class WebServer
{
    /// <summary>Where Kestrel gets its connections from.</summary>
    internal ConnectionHub Hub { get; } = new();

    /// <summary>Who may connect to the Unix sockets that are bound, or about to be, by path.</summary>
    internal ConcurrentDictionary<string, SocketFileAccess> SocketFiles { get; } = new(StringComparer.Ordinal);

    /// <summary>Makes the framework's connection of a socket.</summary>
    internal ConnectionContext Wrap(Socket socket) => _connections.Create(socket);

    /// <summary>
    /// Makes a listener and binds its address; it accepts, and is one of <see cref="Listeners"/>, once it has begun. After the server has started.
    /// </summary>
    /// <exception cref="IOException">The address cannot be listened on.</exception>
    /// <exception cref="FormatException">The address makes no sense.</exception>
    /// <exception cref="CertificateFileException">A certificate file cannot be used.</exception>
    public Task<IListener> OpenAsync(ListenerSettings settings)
    {
        WebListener listener = Make(settings);
        if (settings.Protocol.SpeaksHttp()) _site.Begin();
        try
        {
            listener.Bind();
            return Task.FromResult<IListener>(listener);
        }
        catch
        {
            listener.Close();
            throw;
        }
    }

    /// <summary>Judges every client by the users and rules now in force, of which whoever asks has told the authenticator.</summary>
    /// <returns>How many were disconnected.</returns>
    public int Review() => _sessions.Review() + _site.Review();

    /// <summary>Takes the broker's newest limits over where the web framework needs to know them.</summary>
    public void ApplyLimits()
    {
        if (_limits is not null) Limit(_limits);
    }

    internal Task BeginAsync(WebListener listener)
    {
        listener.Accept();
        _listeners = [.. _listeners, listener];
        LogListening(_logger, listener.Settings.Protocol.ToWord(), listener.EndPoint);
        return Task.CompletedTask;
    }

    internal async Task RemoveAsync(WebListener listener)
    {
        _listeners = [.. _listeners.Where(other => other != listener)];
        await listener.SuspendAsync().ConfigureAwait(false);
        _sessions.Leave(listener.Mqtt);
        listener.Close();
        LogRemoved(_logger, listener.Settings.Protocol.ToWord(), listener.EndPoint);
    }

    private WebListener Make(ListenerSettings settings) => new(this, settings, _broker, _authenticator, _time, _logger, _stopping.Token);

    [LoggerMessage(5302, LogLevel.Information, "no longer listening for {Protocol} on {EndPoint}; its clients are disconnected")]
    private static partial void LogRemoved(ILogger logger, string protocol, string endPoint);
}
