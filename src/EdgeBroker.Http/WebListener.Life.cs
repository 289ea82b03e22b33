using System.Net;
using EdgeBroker.Transport.Linux;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Tls;
using EdgeBroker.Transport.UnixSockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using SocketAddress = EdgeBroker.Transport.Linux.SocketAddress;

namespace EdgeBroker.Http;

// A listener comes, changes and goes while the server runs.
internal sealed partial class WebListener
{
    private BoundSocket? _socket;

    /// <inheritdoc/>
    public IListenerChange Prepare(ListenerSettings next)
    {
        bool hasOtherFiles = Tls is not null && !Tls.Files.Options.IsSameAs(next.Tls!);
        return new WebListenerChange(this, next, hasOtherFiles ? new TlsFiles(next.Tls!, Settings.Name, _time, _logger) : null);
    }

    /// <inheritdoc/>
    public Task BeginAsync() => _server.BeginAsync(this);

    /// <inheritdoc/>
    public async Task SuspendAsync()
    {
        if (_socket is not { } socket) return;
        _socket = null;
        await socket.StopAsync().ConfigureAwait(false);
        if (UnixPath is { } path) UnixSocketFile.RemoveStale(path);
    }

    /// <inheritdoc/>
    public async Task ResumeAsync()
    {
        await BindAsync(UnixPath is null ? IPEndPoint.Parse(EndPoint) : null).ConfigureAwait(false);
        Accept();
    }

    /// <inheritdoc/>
    public Task RemoveAsync() => _server.RemoveAsync(this);

    /// <inheritdoc/>
    public async Task AbandonAsync()
    {
        await SuspendAsync().ConfigureAwait(false);
        Close();
    }

    /// <summary>Binds the address.</summary>
    /// <param name="endPoint">Where; null: as configured.</param>
    /// <exception cref="FormatException">The address makes no sense.</exception>
    /// <exception cref="IOException">It cannot be listened on.</exception>
    internal async Task BindAsync(EndPoint? endPoint = null)
    {
        SocketAddress? address = endPoint is null ? SocketAddress.Parse(Settings.Address) : null;
        endPoint ??= address!.ToEndPoint();
        if (UnixPath is { } path)
        {
            UnixSocketFile.RemoveStale(path);
            _server.SocketFiles[path] = Settings.SocketFile;
        }

        try
        {
            _socket = new BoundSocket(await _server.Sockets.BindAsync(endPoint).ConfigureAwait(false), BringAsync);
        }
        catch (Exception exception) when (exception is AddressInUseException or System.Net.Sockets.SocketException)
        {
            throw ListenFailure.Of(address ?? SocketAddress.Parse(endPoint.ToString()!), exception);
        }

        EndPoint = _socket.EndPoint is IPEndPoint ip ? ip.ToString() : Settings.Address;
    }

    /// <summary>Takes what comes in from here on.</summary>
    internal void Accept() => _socket!.Accept(exception => LogAcceptingEnded(_logger, exception, Settings.Name));

    /// <summary>Takes other settings.</summary>
    internal void Apply(ListenerSettings settings, TlsFiles? files)
    {
        _settings = settings;
        Mqtt.AnonymousAllowed = settings.AllowAnonymous;
        if (files is not null) Tls!.Replace(files);
    }

    /// <summary>Cuts handshakes short, and ends the watch over the files.</summary>
    internal void Close()
    {
        _stopping.Cancel();
        Tls?.Files.Dispose();
    }

    private string? UnixPath => Settings.Address.StartsWith("unix:", StringComparison.Ordinal) ? Settings.Address["unix:".Length..] : null;

    private Task<bool> BringAsync(ConnectionContext connection)
    {
        connection.Features.Set(this);
        return _server.Hub.TryBringAsync(connection);
    }

    [LoggerMessage(5201, LogLevel.Error, "{Listener} accepts no more connections; restart the broker")]
    private static partial void LogAcceptingEnded(ILogger logger, Exception exception, string listener);
}
