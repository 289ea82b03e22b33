using System.Net;
using System.Net.Sockets;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Crash.Tests.Clients;

/// <summary>
/// One TCP connection of a client: packets out, in one order, and packets in. The broker may die at any moment, so that an end is an answer and no error.
/// </summary>
public sealed class MqttLink : IDisposable
{
    private readonly Socket _socket;
    private readonly SemaphoreSlim _sending = new(1);
    private readonly PacketBuffer _received = new();

    private MqttLink(Socket socket, ProtocolVersion version)
    {
        _socket = socket;
        Packets = Packets.Of(version);
    }

    /// <summary>Makes packets of the link's version.</summary>
    public Packets Packets { get; }

    /// <summary>Connects; null when nobody listens.</summary>
    public static async Task<MqttLink?> TryOpenAsync(int port, ProtocolVersion version, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port, cancellation);
            return new MqttLink(socket, version);
        }
        catch (Exception exception)
        {
            socket.Dispose();
            if (exception is SocketException) return null;
            throw;
        }
    }

    /// <summary>Sends packets; false when the connection has ended.</summary>
    public async Task<bool> TrySendAsync(ReadOnlyMemory<byte> packets)
    {
        await _sending.WaitAsync();
        try
        {
            while (!packets.IsEmpty) packets = packets[await _socket.SendAsync(packets, SocketFlags.None)..];
            return true;
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            return false;
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>The next packets: all that have come, at least one; empty when the connection has ended.</summary>
    /// <exception cref="ExpectationException">A packet is not well-formed.</exception>
    public async Task<IReadOnlyList<ReceivedPacket>> ReceiveAsync(CancellationToken cancellation)
    {
        var packets = new List<ReceivedPacket>();
        while (true)
        {
            while (_received.TryCut(out byte[] packet)) packets.Add(ReceivedPacket.Read(packet, Packets.Version));
            if (packets.Count > 0) return packets;
            int received;
            try
            {
                received = await _socket.ReceiveAsync(_received.Room(), SocketFlags.None, cancellation);
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                return [];
            }

            if (received == 0) return [];
            _received.Add(received);
        }
    }

    /// <summary>Cuts the connection without a word.</summary>
    public void Cut() => _socket.Close(0);

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        // A sender may still be on its way out: the semaphore has nothing to give back that the collector does not.
    }
}
