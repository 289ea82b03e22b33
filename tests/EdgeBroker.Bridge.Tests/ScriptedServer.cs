using System.Net;
using System.Net.Sockets;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Bridge.Tests;

/// <summary>A server that does what the test says.</summary>
internal sealed class ScriptedServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public ScriptedServer() => _listener.Start();

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Accepts, reads CONNECT and answers it with these bytes, in hex.</summary>
    public async Task<ScriptedConnection> AcceptAsync(string connack, ProtocolVersion version = ProtocolVersion.V311)
    {
        var connection = new ScriptedConnection(await Deadline.Within(_listener.AcceptTcpClientAsync(), "the bridge to connect"), version);
        connection.Connect = await connection.ReadAsync();
        await connection.SendAsync(Convert.FromHexString(connack.Replace(" ", "", StringComparison.Ordinal)));
        return connection;
    }

    public void Dispose() => _listener.Dispose();
}

/// <summary>The server's end of one connection.</summary>
internal sealed class ScriptedConnection(TcpClient client, ProtocolVersion version) : IDisposable
{
    private readonly NetworkStream _stream = client.GetStream();

    /// <summary>The CONNECT.</summary>
    public byte[] Connect { get; set; } = [];

    public async Task<ReceivedPacket> ReceiveAsync() => ReceivedPacket.Read(await ReadAsync(), version);

    /// <summary>Reads a short SUBSCRIBE.</summary>
    /// <returns>Its packet identifier.</returns>
    public async Task<int> ReadSubscribeAsync()
    {
        byte[] packet = await ReadAsync();
        Assert.Equal(0x82, packet[0]);
        return (packet[2] << 8) | packet[3];
    }

    public async Task SendAsync(byte[] packet) => await _stream.WriteAsync(packet);

    public async Task<byte[]> ReadAsync()
    {
        List<byte> head = [await ReadByteAsync()];
        do head.Add(await ReadByteAsync());
        while ((head[^1] & 0x80) != 0);
        VariableByteInteger.Read(head.ToArray().AsSpan(1), out uint length);
        byte[] body = new byte[length];
        await Deadline.Within(_stream.ReadExactlyAsync(body).AsTask(), "the rest of a packet");
        return [.. head, .. body];
    }

    /// <summary>Ends with a reset.</summary>
    public void Dispose()
    {
        client.LingerState = new LingerOption(true, 0);
        client.Dispose();
    }

    private async Task<byte> ReadByteAsync()
    {
        byte[] one = new byte[1];
        await Deadline.Within(_stream.ReadExactlyAsync(one).AsTask(), "a packet of the bridge");
        return one[0];
    }
}
