using System.Net;
using System.Net.Sockets;

namespace EdgeBroker.Testing;

/// <summary>Ports of the loopback for programs that cannot be told to take any that is free.</summary>
public static class FreePort
{
    // Below those the system gives out by itself (from 32768 on Linux), so that no socket of another test takes one between here and the program's start.
    private const int First = 12_000;
    private const int End = 32_000;

    /// <summary>A port nobody listens at, most likely another with each call.</summary>
    public static int Next()
    {
        while (true)
        {
            int port = Random.Shared.Next(First, End);
            using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                probe.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException exception) when (exception.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
            {
                // Somebody else's; the next one.
            }
        }
    }
}
