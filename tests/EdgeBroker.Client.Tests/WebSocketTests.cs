using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Client.Tests;

/// <summary>The WebSocket transport against a server written byte by byte.</summary>
public sealed class WebSocketTests : IDisposable
{
    private const string Good = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        + "{accept}\r\nsec-websocket-protocol: mqtt\r\n\r\n";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public WebSocketTests() => _listener.Start();

    private int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public void Dispose() => _listener.Dispose();

    [Fact]
    public async Task It_asks_for_mqtt_and_speaks_in_masked_binary_messages()
    {
        await using var client = new MqttClient(Options());
        Task<ConnectResult> connecting = client.ConnectAsync();
        await using NetworkStream server = await AcceptAsync();
        string request = await AnswerAsync(server, Good);
        Assert.StartsWith("GET /plant HTTP/1.1\r\nHost: gw.example:8080\r\n", request, StringComparison.Ordinal);
        Assert.Contains("\r\nSec-WebSocket-Protocol: mqtt\r\n", request, StringComparison.Ordinal);
        Assert.Contains("\r\nSec-WebSocket-Version: 13\r\n", request, StringComparison.Ordinal);
        Assert.Equal(0x10, (await ReadMessageAsync(server))[0]);
        // CONNACK in two fragments, with a ping of the server in between.
        await server.WriteAsync(Convert.FromHexString("02022006" + "890161" + "8006000003210001"));
        Assert.Equal(1, (await connecting.WaitAsync(Deadline.Time)).ReceiveMaximum);
        Assert.Equal("a"u8.ToArray(), await ReadMessageAsync(server, opcode: 10));
        Task leaving = client.DisconnectAsync();
        Assert.Equal(0xE0, (await ReadMessageAsync(server))[0]);
        await server.WriteAsync(Convert.FromHexString("8800"));
        await leaving.WaitAsync(Deadline.Time);
    }

    [Theory]
    [InlineData("HTTP/1.1 404 Not Found\r\n\r\n", "it answers 404 Not Found; check the path (--ws-path)")]
    [InlineData("HTTP/1.1 200 \u001b[31mOK\r\n\r\n", "it answers 200 ?[31mOK;")]
    [InlineData("\u0020\u0002\0\0garbage", "what answers there does not speak HTTP")]
    [InlineData("HTTP/1.1 101\r\n\r\n", "its answer is not to our request")]
    [InlineData(
        "HTTP/1.1 101 Ok\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: AAAA\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n", "its answer is not to our request")]
    [InlineData("HTTP/1.1 101 Ok\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n", "does not speak MQTT there")]
    [InlineData("HTTP/1.1 101 Ok\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: chat\r\n\r\n", "does not speak MQTT there")]
    [InlineData(
        "HTTP/1.1 101 Ok\r\nUpgrade: h2c\r\nSec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n", "its answer is not to our request")]
    [InlineData("HTTP/2 101\r\n\r\n", "does not speak HTTP")]
    [InlineData("HTTP/1.1 ", "it closes the connection")]
    [InlineData("", "it closes the connection")]
    public async Task Another_answer_is_said(string answer, string expected)
    {
        await using var client = new MqttClient(Options());
        Task<ConnectResult> connecting = client.ConnectAsync();
        await using (NetworkStream server = await AcceptAsync())
        {
            await AnswerAsync(server, answer);
            server.Socket.Shutdown(SocketShutdown.Send);
            MqttException refused = await Assert.ThrowsAsync<MqttException>(() => connecting.WaitAsync(Deadline.Time));
            Assert.Contains($"ws://127.0.0.1:{Port}/plant opens no WebSocket: ", refused.Message, StringComparison.Ordinal);
            Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task An_endless_answer_is_not_read_to_its_end()
    {
        await using var client = new MqttClient(Options());
        Task<ConnectResult> connecting = client.ConnectAsync();
        await using NetworkStream server = await AcceptAsync();
        await AnswerAsync(server, "HTTP/1.1 101 Ok\r\nX: " + new string('x', 9_000));
        MqttException refused = await Assert.ThrowsAsync<MqttException>(() => connecting.WaitAsync(Deadline.Time));
        Assert.Contains("its answer is longer than 8192 bytes", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    // Reserved bits, a frame that is masked as only ours are, a control frame of 126 bytes, an unknown opcode, and the end in the middle of a frame.
    [InlineData("C2022000")]
    [InlineData("82840000000020020000")]
    [InlineData("897E007E")]
    [InlineData("83022002")]
    [InlineData("82042002")]
    public async Task Frames_against_the_rules_end_the_attempt(string frame)
    {
        await using var client = new MqttClient(Options());
        Task<ConnectResult> connecting = client.ConnectAsync();
        await using NetworkStream server = await AcceptAsync();
        await AnswerAsync(server, Good);
        await ReadMessageAsync(server);
        await server.WriteAsync(Convert.FromHexString(frame));
        server.Socket.Shutdown(SocketShutdown.Send);
        await Assert.ThrowsAsync<MqttException>(() => connecting.WaitAsync(Deadline.Time));
    }

    private MqttClientOptions Options() =>
        new()
        {
            Transport = new WebSocketTransport(new TcpTransport("127.0.0.1", Port), "gw.example:8080", "/plant"),
            ClientId = "c",
            Version = ProtocolVersion.V5,
        };

    private async Task<NetworkStream> AcceptAsync() => new(await _listener.AcceptSocketAsync().WaitAsync(Deadline.Time), ownsSocket: true);

    /// <summary>Reads the request and answers it; yields the request.</summary>
    private static async Task<string> AnswerAsync(NetworkStream server, string answer)
    {
        var request = new StringBuilder();
        byte[] one = new byte[1];
        while (!request.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await server.ReadExactlyAsync(one).AsTask().WaitAsync(Deadline.Time);
            request.Append((char)one[0]);
        }

        string key = request.ToString().Split("Sec-WebSocket-Key: ")[1].Split("\r\n")[0];
        Assert.Equal(16, Convert.FromBase64String(key).Length);
#pragma warning disable CA5350 // What RFC 6455 asks for.
        string accept = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
        await server.WriteAsync(Encoding.Latin1.GetBytes(answer.Replace("{accept}", accept, StringComparison.Ordinal)));
        return request.ToString();
    }

    private static async Task<byte[]> ReadMessageAsync(NetworkStream server, int opcode = 2)
    {
        byte[] head = new byte[2];
        await server.ReadExactlyAsync(head).AsTask().WaitAsync(Deadline.Time);
        Assert.Equal((0x80 | opcode, true), (head[0], (head[1] & 0x80) != 0));
        byte[] rest = new byte[4 + (head[1] & 0x7F)];
        await server.ReadExactlyAsync(rest).AsTask().WaitAsync(Deadline.Time);
        return [.. rest[4..].Select((value, i) => (byte)(value ^ rest[i % 4]))];
    }
}
