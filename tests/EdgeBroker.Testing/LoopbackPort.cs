using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace EdgeBroker.Testing;

/// <summary>
/// A TCP port of the loopback that nobody listens on, kept for the test until disposed of: it is bound, so that the system gives it to no one who asks for any
/// port, and a broker that is told to listen on it can all the same, as both allow the address to be reused. Until then connecting to it is refused.
/// </summary>
public sealed class LoopbackPort : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public LoopbackPort()
    {
        _socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Number = ((IPEndPoint)_socket.LocalEndPoint!).Port;
    }

    /// <summary>The port.</summary>
    public int Number { get; }

    public static implicit operator int(LoopbackPort port) => port.Number;

    /// <summary>The number, as it stands in an address.</summary>
    public override string ToString() => Number.ToString(CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();
}
