using System.Globalization;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;

namespace EdgeBroker.Client;

/// <summary>
/// MQTT over WebSocket (RFC 6455, MQTT 6) over another transport: TCP, TLS or a Unix socket. The opening request is ours, the framing the runtime's; an HTTP
/// client would need its own connections.
/// </summary>
/// <param name="inner">What carries it.</param>
/// <param name="host">The host asked for, with its port where that is not the scheme's own.</param>
/// <param name="path">The path the server speaks MQTT at, as <c>/mqtt</c>.</param>
/// <param name="query">Makes the query of each request, which may be a secret: nothing shows it; null: there is none.</param>
public sealed class WebSocketTransport(IClientTransport inner, string host, string path = "/mqtt", Func<string>? query = null) : IClientTransport
{
    private const string Subprotocol = "mqtt";

    // RFC 6455, 1.3.
    private const string AcceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    private const int MaxHeadBytes = 8 * 1024;
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public string Description { get; } = inner.Description.Replace("tcp://", "ws://", StringComparison.Ordinal)
        .Replace("tls://", "wss://", StringComparison.Ordinal)
        + path;

    /// <inheritdoc/>
    /// <exception cref="MqttException">The server does not open a WebSocket for MQTT; the message says what it answered.</exception>
    public async ValueTask<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        Stream stream = await inner.OpenAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await UpgradeAsync(stream, cancellationToken).ConfigureAwait(false);
            var socket = WebSocket.CreateFromStream(
                stream, new WebSocketCreationOptions { IsServer = false, SubProtocol = Subprotocol, KeepAliveInterval = TimeSpan.Zero });
            // Each write, which is a flush of the client, becomes one binary message.
            return WebSocketStream.Create(socket, WebSocketMessageType.Binary, CloseTimeout);
        }
        catch (IOException exception)
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw Refused("it drops the connection; check the port", exception);
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task UpgradeAsync(Stream stream, CancellationToken cancellation)
    {
        string key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
        string target = query is null ? path : $"{path}?{query()}";
        string request = $"GET {target} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            + $"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: {Subprotocol}\r\n\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request), cancellation).ConfigureAwait(false);
        await stream.FlushAsync(cancellation).ConfigureAwait(false);
        string[] head = (await ReadHeadAsync(stream, cancellation).ConfigureAwait(false)).Split("\r\n");
        string[] status = head[0].Split(' ', 3);
        if (status.Length < 2 || status[0] != "HTTP/1.1" || !int.TryParse(status[1], NumberStyles.None, CultureInfo.InvariantCulture, out int code))
        {
            throw Refused("what answers there does not speak HTTP; check the port");
        }

        if (code is 401 or 403)
        {
            string cure = query is null ? "check the user and what it may do" : "check the access key, what it may do, and this machine's clock";
            throw new MqttException($"{Description} opens no WebSocket: it answers {Shown(head[0]["HTTP/1.1 ".Length..])}; {cure}.", null)
            {
                Layer = FailureLayer.Authentication,
            };
        }

        if (code != 101) throw Refused($"it answers {Shown(head[0]["HTTP/1.1 ".Length..])}; check the path (--ws-path) and the port");
        if (!Value(head, "Upgrade").Equals("websocket", StringComparison.OrdinalIgnoreCase) || Value(head, "Sec-WebSocket-Accept") != AcceptFor(key))
        {
            throw Refused("its answer is not to our request; something between speaks another protocol");
        }

        if (Value(head, "Sec-WebSocket-Protocol") != Subprotocol) throw Refused("it does not speak MQTT there (Sec-WebSocket-Protocol)");
    }

    // Byte by byte: what follows the head belongs to the frames, and the server has nothing to say before we do.
    private async Task<string> ReadHeadAsync(Stream stream, CancellationToken cancellation)
    {
        var head = new byte[MaxHeadBytes];
        for (int length = 0; length < head.Length; length++)
        {
            if (await stream.ReadAsync(head.AsMemory(length, 1), cancellation).ConfigureAwait(false) == 0)
            {
                throw Refused("it closes the connection; check the port");
            }

            if (length == 3 && !head.AsSpan().StartsWith("HTTP"u8)) throw Refused("what answers there does not speak HTTP; check the port");
            if (head[length] == '\n' && head.AsSpan(0, length + 1).EndsWith("\r\n\r\n"u8)) return Encoding.Latin1.GetString(head, 0, length - 3);
        }

        throw Refused($"its answer is longer than {MaxHeadBytes} bytes");
    }

    private MqttException Refused(string why, Exception? inner = null) => new($"{Description} opens no WebSocket: {why}.", null, inner);

    /// <summary>The value of a header that comes once; empty: it does not.</summary>
    private static string Value(string[] head, string name)
    {
        string? found = null;
        foreach (string line in head.AsSpan(1))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0 || !line.AsSpan(0, colon).Equals(name, StringComparison.OrdinalIgnoreCase)) continue;
            if (found is not null) return "";
            found = line[(colon + 1)..].Trim(' ', '\t');
        }

        return found ?? "";
    }

    private static string AcceptFor(string key)
    {
#pragma warning disable CA5350 // RFC 6455 asks for SHA-1; it proves that the answer is to this request, and secures nothing.
        return Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + AcceptSuffix)));
#pragma warning restore CA5350
    }

    // What a stranger sends goes to a terminal.
    private static string Shown(string text) => string.Concat(text.Take(80).Select(c => c is >= ' ' and <= '~' ? c : '?'));
}
