using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Cluster.Consensus;

/// <summary>Connects to voters, and listens for them: TCP with TLS, or TCP alone on the loopback.</summary>
internal sealed class VoterDialer(MemberTls? tls, TimeProvider time, ILogger log) : IConnectionFactory, IConnectionListenerFactory
{
    /// <summary>Whether this is how a connection fails, and no bug.</summary>
    public static bool IsOfConnection(Exception exception) =>
        exception is IOException or SocketException or AuthenticationException or OperationCanceledException or ObjectDisposedException;

    /// <inheritdoc/>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<IConnectionListener>(new VoterListener((IPEndPoint)endpoint, tls, time, log));

    /// <inheritdoc/>
    public async ValueTask<ConnectionContext> ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Stream? stream = null;
        try
        {
            await socket.ConnectAsync(endpoint, cancellationToken).ConfigureAwait(false);
            stream = new NetworkStream(socket, ownsSocket: false);
            if (tls is not null)
            {
                var secure = new SslStream(stream, leaveInnerStreamOpen: false);
                stream = secure;
                await secure.AuthenticateAsClientAsync(tls.ClientOptions(endpoint), cancellationToken).ConfigureAwait(false);
            }

            return new VoterConnection(socket, stream, ended: null);
        }
        catch
        {
            socket.Dispose();
            if (stream is not null) await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
