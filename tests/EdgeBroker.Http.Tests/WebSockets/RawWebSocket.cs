using System.Buffers.Binary;
using System.Text;

namespace EdgeBroker.Http.Tests.WebSockets;

/// <summary>A WebSocket client that sends whatever frames a test wants (RFC 6455), written without the runtime's.</summary>
internal sealed class RawWebSocket(Stream stream)
{
    public const int Continuation = 0;
    public const int Text = 1;
    public const int Binary = 2;
    public const int Close = 8;
    public const int Ping = 9;
    public const int Pong = 10;

    private static readonly byte[] Mask = [0x11, 0x22, 0x33, 0x44];

    /// <summary>Asks for the upgrade; returns the response's head.</summary>
    public async Task<string> UpgradeAsync(
        string path = "/mqtt", string? subprotocol = "mqtt", string? origin = null, string host = "localhost", bool upgrade = true)
    {
        var request = new StringBuilder($"GET {path} HTTP/1.1\r\nHost: {host}\r\n");
        if (upgrade)
        {
            request.Append("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
        }

        if (subprotocol is not null) request.Append($"Sec-WebSocket-Protocol: {subprotocol}\r\n");
        if (origin is not null) request.Append($"Origin: {origin}\r\n");
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request.Append("\r\n").ToString()));
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await stream.ReadExactlyAsync(one).AsTask().WaitAsync(EdgeBroker.Testing.Deadline.Timeout);
            head.Append((char)one[0]);
        }

        return head.ToString();
    }

    public static byte[] Frame(int opcode, ReadOnlySpan<byte> payload, bool final = true, bool masked = true)
    {
        List<byte> frame = [(byte)((final ? 0x80 : 0) | opcode)];
        byte mask = masked ? (byte)0x80 : (byte)0;
        if (payload.Length < 126)
        {
            frame.Add((byte)(mask | payload.Length));
        }
        else
        {
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteInt64BigEndian(length, payload.Length);
            frame.Add((byte)(mask | (payload.Length <= 65_535 ? 126 : 127)));
            frame.AddRange(payload.Length <= 65_535 ? length[6..] : length);
        }

        if (masked) frame.AddRange(Mask);
        for (int i = 0; i < payload.Length; i++) frame.Add(masked ? (byte)(payload[i] ^ Mask[i % 4]) : payload[i]);
        return [.. frame];
    }

    public ValueTask SendAsync(int opcode, byte[] payload, bool final = true, bool masked = true) => stream.WriteAsync(Frame(opcode, payload, final, masked));

    public ValueTask SendRawAsync(byte[] bytes) => stream.WriteAsync(bytes);

    /// <summary>The next frame; null: the connection is over.</summary>
    public async Task<(int Opcode, byte[] Payload)?> ReceiveAsync()
    {
        var head = new byte[2];
        if (await ReadAsync(head) == 0) return null;
        Assert.Equal(0x80, head[0] & 0xF0);
        long length = head[1];
        if (length >= 126)
        {
            var more = new byte[length == 126 ? 2 : 8];
            await ReadAsync(more);
            length = more.Length == 2 ? BinaryPrimitives.ReadUInt16BigEndian(more) : BinaryPrimitives.ReadInt64BigEndian(more);
        }

        var payload = new byte[length];
        if (length > 0) await ReadAsync(payload);
        return (head[0] & 0x0F, payload);
    }

    /// <summary>The next frame is a close with this code, and then the connection ends.</summary>
    public async Task ExpectCloseAsync(int code, bool answer = true)
    {
        (int opcode, byte[] payload) = await ReceiveAsync() ?? throw new InvalidOperationException("the connection is over without a close frame");
        Assert.Equal(Close, opcode);
        Assert.Equal(code, BinaryPrimitives.ReadUInt16BigEndian(payload));
        try
        {
            if (answer) await SendAsync(Close, payload[..2]);
        }
        catch (IOException)
        {
            // The broker waits a second for it; a test that was held up longer finds the connection gone.
        }

        Assert.Null(await ReceiveAsync());
    }

    public async Task ExpectAsync(byte[] mqtt)
    {
        var received = new List<byte>();
        while (received.Count < mqtt.Length)
        {
            (int opcode, byte[] payload) = await ReceiveAsync() ?? throw new InvalidOperationException("the connection is over");
            Assert.Equal(Binary, opcode);
            received.AddRange(payload);
        }

        Assert.Equal(Convert.ToHexString(mqtt), Convert.ToHexString([.. received]));
    }

    private async Task<int> ReadAsync(byte[] into)
    {
        try
        {
            return await stream.ReadAtLeastAsync(into, into.Length, throwOnEndOfStream: false).AsTask().WaitAsync(EdgeBroker.Testing.Deadline.Timeout);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
