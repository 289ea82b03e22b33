using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace EdgeBroker.Http;

/// <summary>
/// Where what all listeners accept comes together. Kestrel settles what it listens on when it starts; our listeners come and go. So it listens here, once, and
/// each listener brings what it accepts.
/// </summary>
internal sealed class ConnectionHub : IConnectionListenerFactory, IConnectionListenerFactorySelector, IConnectionListener
{
    // Kestrel takes a connection as soon as it is there; more than a few wait only when the machine is out of threads, and then the listeners wait too.
    private const int Waiting = 64;

    private readonly Channel<ConnectionContext> _accepted = Channel.CreateBounded<ConnectionContext>(Waiting);

    /// <inheritdoc/>
    public EndPoint EndPoint { get; } = new HubEndPoint();

    /// <inheritdoc/>
    public bool CanBind(EndPoint endpoint) => endpoint is HubEndPoint;

    /// <inheritdoc/>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<IConnectionListener>(this);

    /// <summary>Hands a connection on; false when the server has stopped and nobody takes it any more.</summary>
    public async Task<bool> TryBringAsync(ConnectionContext connection)
    {
        try
        {
            await _accepted.Writer.WriteAsync(connection).ConfigureAwait(false);
            return true;
        }
        catch (ChannelClosedException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            return await _accepted.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _accepted.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class HubEndPoint : EndPoint
    {
        public override string ToString() => "edgebroker";
    }
}
