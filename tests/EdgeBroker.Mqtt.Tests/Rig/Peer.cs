using System.Net.Sockets;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Mqtt.Tests.Rig;

/// <summary>A plain socket that speaks MQTT only where a test makes it.</summary>
internal sealed class Peer : IDisposable
{
    private readonly Socket _socket;
    private byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;

    private Peer(Socket socket, ProtocolVersion version)
    {
        _socket = socket;
        Packets = Packets.Of(version);
    }

    public Packets Packets { get; }

    public Socket Socket => _socket;

    public static async Task<Peer> OpenAsync(Server server, ProtocolVersion version = ProtocolVersion.V5, int receiveBufferBytes = 0)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (receiveBufferBytes > 0) socket.ReceiveBufferSize = receiveBufferBytes;
        await socket.ConnectAsync(server.EndPoint);
        return new Peer(socket, version);
    }

    public static async Task<Peer> ConnectAsync(
        Server server, string clientId, ProtocolVersion version = ProtocolVersion.V5, int receiveBufferBytes = 0, bool cleanStart = true,
        byte[]? properties = null)
    {
        Peer peer = await OpenAsync(server, version, receiveBufferBytes);
        await peer.SendAsync(peer.Packets.Connect(clientId, cleanStart, properties: properties));
        ReceivedPacket connack = await peer.ExpectAsync(PacketType.Connack);
        Assert.Equal(ReasonCode.Success, connack.Reason);
        return peer;
    }

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty) bytes = bytes[(await _socket.SendAsync(bytes).AsTask().WaitAsync(Deadline.Timeout))..];
    }

    public async Task SubscribeAsync(string filter, int qos)
    {
        await SendAsync(Packets.Subscribe(1, filter, qos));
        while ((await ReceiveAsync())!.Type != PacketType.Suback)
        {
        }
    }

    public async Task PingAsync()
    {
        await SendAsync(EdgeBroker.Testing.Packets.Pingreq());
        await ExpectAsync(PacketType.Pingresp);
    }

    public async Task<ReceivedPacket> ExpectAsync(PacketType type)
    {
        ReceivedPacket? packet = await ReceiveAsync();
        Assert.NotNull(packet);
        Assert.Equal(type, packet.Type);
        return packet;
    }

    /// <summary>The next packet; null when the connection is over.</summary>
    public async Task<ReceivedPacket?> ReceiveAsync()
    {
        while (true)
        {
            FrameStatus status = Frame.Cut(_buffer.AsSpan(_start, _end - _start), int.MaxValue, out Frame frame, out int announced);
            if (status == FrameStatus.Complete)
            {
                byte[] packet = _buffer.AsSpan(_start, frame.Length).ToArray();
                _start += packet.Length;
                return ReceivedPacket.Read(packet, Packets.Version);
            }

            Assert.Equal(FrameStatus.Incomplete, status);
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
            if (announced > _buffer.Length) Array.Resize(ref _buffer, announced);
            int count = await ReadAsync(_buffer.AsMemory(_end));
            if (count == 0) return null;
            _end += count;
        }
    }

    /// <summary>Waits for the end of the connection, whatever comes before it.</summary>
    public async Task EndAsync()
    {
        while (await ReadAsync(_buffer) > 0)
        {
        }
    }

    public async Task<int> ReadAsync(Memory<byte> buffer)
    {
        try
        {
            return await _socket.ReceiveAsync(buffer).AsTask().WaitAsync(Deadline.Timeout);
        }
        catch (SocketException)
        {
            return 0;
        }
    }

    public void Dispose() => _socket.Dispose();
}
