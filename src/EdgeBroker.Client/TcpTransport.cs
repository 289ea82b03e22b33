using System.Net;
using System.Net.Sockets;

namespace EdgeBroker.Client;

/// <summary>Plain TCP to a host name or address.</summary>
/// <param name="host">Host name, IPv4 or IPv6 address.</param>
/// <param name="port">Port.</param>
public sealed class TcpTransport(string host, int port = 1883) : IClientTransport
{
    /// <summary>Sends small packets at once instead of waiting to fill a segment (Nagle). On by default: the client batches by itself.</summary>
    public bool NoDelay { get; init; } = true;

    /// <summary>Local address to connect from; null: the system chooses.</summary>
    public IPAddress? BindAddress { get; init; }

    /// <inheritdoc/>
    public string Description { get; } = host.Contains(':', StringComparison.Ordinal) ? $"tcp://[{host}]:{port}" : $"tcp://{host}:{port}";

    /// <inheritdoc/>
    public async ValueTask<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        Socket socket = BindAddress is null
            ? new Socket(SocketType.Stream, ProtocolType.Tcp)
            : new Socket(BindAddress.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.NoDelay = NoDelay;
            if (BindAddress is not null) socket.Bind(new IPEndPoint(BindAddress, 0));
            await socket.ConnectAsync(host, port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
