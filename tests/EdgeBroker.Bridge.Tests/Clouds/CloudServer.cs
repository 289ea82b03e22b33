using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using EdgeBroker.Testing;

namespace EdgeBroker.Bridge.Tests.Clouds;

/// <summary>
/// A double of a cloud that holds its clients to its rules: whoever breaks one is cut off, and the rule is noted. It keeps subscriptions by client id, sends
/// what is published to whoever subscribed to it, and answers as a broker does.
/// </summary>
internal sealed class CloudServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly TestCertificates? _certificates;
    private readonly X509Certificate2? _certificate;
    private readonly string _host;
    private volatile CloudConnection? _current;

    /// <param name="rules">What it allows.</param>
    /// <param name="host">The name that clients must ask for (SNI).</param>
    /// <param name="certificates">The authority of its certificate, and of its clients'; null: without TLS.</param>
    /// <param name="certificate">Its certificate; null: a good one is made.</param>
    public CloudServer(CloudRules rules, string host = "cloud.example", TestCertificates? certificates = null, X509Certificate2? certificate = null)
    {
        Rules = rules;
        _host = host;
        _certificates = certificates;
        _certificate = rules.IsSecure ? certificate ?? certificates!.Issue(host) : null;
        _listener.Start();
        _ = AcceptAsync();
    }

    public CloudRules Rules { get; }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Rules that were broken.</summary>
    public ConcurrentQueue<string> Violations { get; } = new();

    /// <summary>Messages taken, in their order: topic and payload.</summary>
    public ConcurrentQueue<(string Topic, string Payload)> Taken { get; } = new();

    /// <summary>Told of each message taken instead of keeping it; null: it is kept.</summary>
    public Action<string, string>? Sink { get; init; }

    /// <summary>Payloads of messages sent that the client has acknowledged.</summary>
    public ConcurrentQueue<string> Acknowledged { get; } = new();

    /// <summary>The client certificates shown, by their names, one for each connection.</summary>
    public ConcurrentQueue<string> Shown { get; } = new();

    /// <summary>The passwords shown.</summary>
    public ConcurrentQueue<string> Passwords { get; } = new();

    /// <summary>Filters by client id.</summary>
    public ConcurrentDictionary<string, ConcurrentDictionary<string, int>> Subscriptions { get; } = new();

    /// <summary>Whether acknowledgements of messages are held back.</summary>
    public bool HoldsAcks { get; set; }

    /// <summary>The connection there is; null: none.</summary>
    public CloudConnection? Current => _current;

    /// <summary>Waits for so many messages taken, and fails with the rule that was broken meanwhile.</summary>
    public Task UntilTakenAsync(int count) => UntilAsync(() => Taken.Count >= count, $"{count} messages to be taken");

    /// <summary>Waits for a condition, and fails with the rule that was broken meanwhile.</summary>
    public async Task UntilAsync(Func<bool> condition, string what)
    {
        await Deadline.Until(() => condition() || !Violations.IsEmpty, $"{what}; {Taken.Count} taken");
        Assert.Empty(Violations);
    }

    /// <summary>Answers what was held back.</summary>
    public void ReleaseAcks()
    {
        HoldsAcks = false;
        _current?.ReleaseAcks();
    }

    /// <summary>Sends a message to the client, which has subscribed to it.</summary>
    public Task SendAsync(string topic, string payload, int qos) => _current!.SendAsync(topic, payload, qos);

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        _current?.Cut();
    }

    internal void Enter(CloudConnection connection)
    {
        // A second connection of a client ends the first.
        Interlocked.Exchange(ref _current, connection)?.Cut();
    }

    internal void Leave(CloudConnection connection) => Interlocked.CompareExchange(ref _current, null, connection);

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                Socket socket = await _listener.AcceptSocketAsync(_stop.Token);
                _ = ServeAsync(socket);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        var connection = new CloudConnection(this, socket);
        try
        {
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            if (_certificate is not null) stream = await SecureAsync(stream);
            if (Rules.MayUpgrade is { } mayUpgrade) stream = await UpgradeAsync(stream, mayUpgrade);
            await connection.RunAsync(stream);
        }
        catch (CloudViolationException violation)
        {
            Violations.Enqueue(violation.Message);
        }
        catch (Exception e) when (
            e is IOException or SocketException or WebSocketException or ObjectDisposedException or System.Security.Authentication.AuthenticationException)
        {
            // The client has left, or does not like the certificate.
        }
        finally
        {
            connection.Cut();
            Leave(connection);
        }
    }

    private static async Task<Stream> UpgradeAsync(Stream stream, Func<string, string, bool> mayUpgrade)
    {
        var head = new StringBuilder();
        byte[] one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await stream.ReadExactlyAsync(one);
            head.Append((char)one[0]);
        }

        string[] lines = head.ToString().Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Dictionary<string, string> headers = lines.Skip(1).Select(line => line.Split(": ", 2)).ToDictionary(pair => pair[0], pair => pair[1]);
        if (lines[0].Split(' ') is not ["GET", var target, "HTTP/1.1"] || headers["Sec-WebSocket-Protocol"] != "mqtt")
        {
            throw new CloudViolationException("no request for a WebSocket: " + lines[0]);
        }

        if (!mayUpgrade(target, headers["Host"]))
        {
            await stream.WriteAsync("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"u8.ToArray());
            throw new IOException("refused");
        }

#pragma warning disable CA5350 // RFC 6455 asks for SHA-1.
        byte[] accept = SHA1.HashData(Encoding.ASCII.GetBytes(headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
#pragma warning restore CA5350
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: mqtt\r\n"
            + $"Sec-WebSocket-Accept: {Convert.ToBase64String(accept)}\r\n\r\n"));
        var socket = WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { IsServer = true, SubProtocol = "mqtt" });
        return WebSocketStream.Create(socket, WebSocketMessageType.Binary, TimeSpan.FromSeconds(1));
    }

    [SuppressMessage("Security", "CA5359", Justification = "The certificate is judged below, where a violation can be named.")]
    private async Task<Stream> SecureAsync(Stream inner)
    {
        var stream = new SslStream(inner);
        string? asked = null;
        X509Certificate2? shown = null;
        await stream.AuthenticateAsServerAsync(
            (_, hello, _, _) =>
            {
                asked = hello.ServerName;
                return ValueTask.FromResult(new SslServerAuthenticationOptions
                {
                    ServerCertificate = _certificate,
                    ClientCertificateRequired = Rules.WantsCertificate,
                    ApplicationProtocols = Rules.ApplicationProtocol is { } name ? [new SslApplicationProtocol(name)] : null,
                    RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                    {
                        shown = certificate is null ? null : new X509Certificate2(certificate);
                        return true;
                    },
                });
            },
            null);
        if (asked != _host) throw new CloudViolationException($"the server's name was not named but \"{asked}\"");
        string protocol = stream.NegotiatedApplicationProtocol.ToString();
        if (protocol != (Rules.ApplicationProtocol ?? "")) throw new CloudViolationException($"ALPN \"{protocol}\"");
        if (!Rules.WantsCertificate) return stream;
        if (shown is null || shown.Issuer != _certificates!.Authority.Subject) throw new CloudViolationException("no certificate of the device");
        Shown.Enqueue(shown.Subject);
        return stream;
    }
}

/// <summary>A client broke a rule.</summary>
internal sealed class CloudViolationException(string message) : Exception(message);
