using System.Net;
using System.Net.Sockets;
using EdgeBroker.Protocol;

namespace EdgeBroker.Client.Tests;

/// <summary>A server that does what the test says, byte for byte.</summary>
internal sealed class FakeServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public FakeServer() => _listener.Start();

    public IClientTransport Transport => new TcpTransport("127.0.0.1", ((IPEndPoint)_listener.LocalEndpoint).Port);

    public async Task<FakeConnection> AcceptAsync() => new(await _listener.AcceptTcpClientAsync().WaitAsync(Deadline.Time));

    /// <summary>Accepts, reads CONNECT and answers with <paramref name="connack"/>.</summary>
    public async Task<FakeConnection> AcceptAsync(string connack)
    {
        FakeConnection connection = await AcceptAsync();
        Assert.Equal(PacketType.Connect, (PacketType)((await connection.ReadPacketAsync())[0] >> 4));
        await connection.SendAsync(connack);
        return connection;
    }

    public void Dispose() => _listener.Dispose();
}

/// <summary>A port that is taken and at which nobody listens: a closed listener's could be given to another test.</summary>
internal sealed class DeafPort : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public DeafPort() => _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));

    public IClientTransport Transport => new TcpTransport("127.0.0.1", ((IPEndPoint)_socket.LocalEndPoint!).Port);

    public void Dispose() => _socket.Dispose();
}

/// <summary>The server's end of one connection.</summary>
internal sealed class FakeConnection(TcpClient client) : IDisposable
{
    private readonly NetworkStream _stream = client.GetStream();

    public async Task<byte[]> ReadPacketAsync()
    {
        List<byte> head = [await ReadByteAsync()];
        do
        {
            head.Add(await ReadByteAsync());
        }
        while ((head[^1] & 0x80) != 0);
        VariableByteInteger.Read(head.ToArray().AsSpan(1), out uint length);
        byte[] body = new byte[length];
        await _stream.ReadExactlyAsync(body).AsTask().WaitAsync(Deadline.Time);
        return [.. head, .. body];
    }

    /// <summary>The next packet must be exactly these bytes, in hex; blanks are ignored.</summary>
    public async Task ExpectAsync(string hex) => Assert.Equal(Hex(hex), Convert.ToHexStringLower(await ReadPacketAsync()));

    public async Task ExpectEndAsync() => Assert.Equal(0, await _stream.ReadAsync(new byte[1]).AsTask().WaitAsync(Deadline.Time));

    public async Task SendAsync(string hex) => await _stream.WriteAsync(Convert.FromHexString(Hex(hex)));

    public async Task SendAsync(byte[] bytes) => await _stream.WriteAsync(bytes);

    /// <summary>Nothing but what is asked for may have come: a PINGREQ-like fence is not at hand on the server's side, so a look suffices.</summary>
    public bool HasData => _stream.DataAvailable;

    public void Dispose() => client.Dispose();

    private static string Hex(string hex) => hex.Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant();

    private async Task<byte> ReadByteAsync()
    {
        byte[] one = new byte[1];
        await _stream.ReadExactlyAsync(one).AsTask().WaitAsync(Deadline.Time);
        return one[0];
    }
}
