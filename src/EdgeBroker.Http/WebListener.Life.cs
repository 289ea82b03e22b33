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
    public IListenerChange Prepare(ListenerSettings next) =>
        new WebListenerChange(this, next, next.Tls is null ? null : Tls?.Shared.Read(next.Tls));

    /// <inheritdoc/>
    public Task BeginAsync() => _server.BeginAsync(this);

    /// <inheritdoc/>
    public async Task SuspendAsync()
    {
        if (_socket is not { } socket) return;
        _socket = null;
        await socket.DisposeAsync().ConfigureAwait(false);
        if (UnixPath is { } path) UnixSocketFile.RemoveStale(path);
    }

    /// <inheritdoc/>
    public Task ResumeAsync()
    {
        Bind(UnixPath is null ? EndPoint : null);
        Accept();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task RemoveAsync() => _server.RemoveAsync(this);

    /// <inheritdoc/>
    public async Task AbandonAsync()
    {
        await SuspendAsync().ConfigureAwait(false);
        Close();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await SuspendAsync().ConfigureAwait(false);

    /// <summary>Binds the address.</summary>
    /// <param name="endPoint">Where; null: as configured.</param>
    /// <exception cref="FormatException">The address makes no sense.</exception>
    /// <exception cref="IOException">It cannot be listened on.</exception>
    internal void Bind(string? endPoint = null)
    {
        SocketAddress address = SocketAddress.Parse(endPoint ?? Settings.Address);
        if (UnixPath is { } path)
        {
            UnixSocketFile.RemoveStale(path);
            _server.SocketFiles[path] = Settings.SocketFile;
        }

        try
        {
            _socket = new BoundSocket(_server.Bind(address, Settings.IsIPv6Only), _server.Wrap, BringAsync, _time);
        }
        catch (System.Net.Sockets.SocketException exception)
        {
            throw ListenFailure.Of(address, exception);
        }

        EndPoint = _socket.EndPoint is IPEndPoint ip ? ip.ToString() : Settings.Address;
    }

    /// <summary>Takes what comes in from here on.</summary>
    internal void Accept() => _socket!.Accept(
        cause => LogAcceptFailed(_logger, Settings.Name, cause), exception => LogAcceptingEnded(_logger, exception, Settings.Name));

    /// <summary>Takes other settings, and the files that they name; null: those in use.</summary>
    /// <returns>Whether new connections get another certificate than before.</returns>
    internal bool Apply(ListenerSettings settings, TlsFiles? files)
    {
        _settings = settings;
        Mqtt.AnonymousAllowed = settings.AllowAnonymous;
        return Tls is not null && Tls.Shared.Take(files);
    }

    /// <summary>Cuts handshakes short, and ends the watch over the files.</summary>
    internal void Close()
    {
        _stopping.Cancel();
        Tls?.Shared.Dispose();
    }

    private string? UnixPath => Settings.Address.StartsWith("unix:", StringComparison.Ordinal) ? Settings.Address["unix:".Length..] : null;

    private Task<bool> BringAsync(ConnectionContext connection)
    {
        connection.Features.Set(this);
        return _server.Hub.TryBringAsync(connection);
    }

    [LoggerMessage(
        5202, LogLevel.Error,
        "{Listener} cannot accept connections: {Error}; trying again in a second. Raise the limit of open files (LimitNOFILE) or lower max_connections")]
    private static partial void LogAcceptFailed(ILogger logger, string listener, string error);

    [LoggerMessage(5201, LogLevel.Error, "{Listener} accepts no more connections; restart the broker")]
    private static partial void LogAcceptingEnded(ILogger logger, Exception exception, string listener);
}
