using System.Net.Sockets;

namespace EdgeBroker.Hostile.Tests;

/// <summary>A socket that sends what it is given, and may never read.</summary>
internal sealed class Attacker : IDisposable
{
    private static readonly TimeSpan WriteTimeout = TimeSpan.FromSeconds(2);

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly int _port;
    private bool _isOpen;

    public Attacker(int port) => _port = port;

    /// <summary>Whether the broker has not ended the connection, as far as sending could tell.</summary>
    public bool IsOpen => _isOpen;

    /// <summary>Connects and sends; false: the broker does not take it, or not now.</summary>
    public async Task<bool> TrySendAsync(params byte[][] packets)
    {
        using var timeout = new CancellationTokenSource(WriteTimeout);
        try
        {
            if (!_socket.Connected)
            {
                await _socket.ConnectAsync("127.0.0.1", _port, timeout.Token);
                _isOpen = true;
            }

            foreach (byte[] packet in packets)
            {
                for (int sent = 0; sent < packet.Length;) sent += await _socket.SendAsync(packet.AsMemory(sent), timeout.Token);
            }

            return true;
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            if (exception is SocketException) _isOpen = false;
            return false;
        }
    }

    /// <summary>Sends a packet and takes whatever comes back, until so many bytes have come; fewer: the broker closed.</summary>
    public async Task<byte[]> AskAsync(byte[] packet, int answerBytes)
    {
        if (!await TrySendAsync(packet)) return [];
        return await ReceiveAsync(answerBytes);
    }

    /// <summary>Connects, and takes CONNACK.</summary>
    public async Task ConnectAsync(byte[] connect)
    {
        byte[] head = await AskAsync(connect, 2);
        if (head.Length == 2) await ReceiveAsync(head[1]);
    }

    /// <summary>Receives so many bytes; fewer: the broker closed the connection.</summary>
    public async Task<byte[]> ReceiveAsync(int bytes)
    {
        var answer = new byte[bytes];
        int count = 0;
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        try
        {
            while (count < bytes)
            {
                int received = await _socket.ReceiveAsync(answer.AsMemory(count), timeout.Token);
                if (received == 0) break;
                count += received;
            }
        }
        catch (SocketException)
        {
            // Reset: closed as well.
        }

        return answer[..count];
    }

    /// <summary>Receives whatever has come, until nothing does for a moment.</summary>
    public async Task<byte[]> ReceiveAllAsync()
    {
        var all = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (true)
        {
            using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(1));
            try
            {
                int received = await _socket.ReceiveAsync(buffer, timeout.Token);
                if (received == 0) return all.ToArray();
                all.Write(buffer, 0, received);
            }
            catch (Exception exception) when (exception is SocketException or OperationCanceledException)
            {
                return all.ToArray();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();
}
