using System.Net.Sockets;

namespace EdgeBroker.Client;

/// <summary>A Unix domain socket on the same machine.</summary>
/// <param name="path">Path of the socket file.</param>
public sealed class UnixSocketTransport(string path) : IClientTransport
{
    /// <inheritdoc/>
    public string Description { get; } = $"unix:{path}";

    /// <inheritdoc/>
    public async ValueTask<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
