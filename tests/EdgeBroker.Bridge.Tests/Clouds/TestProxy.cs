using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EdgeBroker.Bridge.Tests.Clouds;

/// <summary>A proxy of HTTP CONNECT and SOCKS5 that asks for a user, and knows names of hosts that nobody else does.</summary>
internal sealed class TestProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Socket, bool> _open = new();
    private readonly string? _user;
    private readonly string? _password;

    public TestProxy(string? user = null, string? password = null)
    {
        (_user, _password) = (user, password);
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Where a host and port really are.</summary>
    public ConcurrentDictionary<string, int> Hosts { get; } = new();

    /// <summary>What was asked for, host and port.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        foreach (Socket socket in _open.Keys) socket.Dispose();
    }

    private static async Task<byte[]> ReadAsync(Stream stream, int count)
    {
        byte[] bytes = new byte[count];
        await stream.ReadExactlyAsync(bytes);
        return bytes;
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                _ = ServeAsync(await _listener.AcceptSocketAsync(_stop.Token));
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(Socket near)
    {
        using var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        near.NoDelay = true;
        _open.TryAdd(near, true);
        _open.TryAdd(far, true);
        await using var stream = new NetworkStream(near, ownsSocket: true);
        try
        {
            byte first = (await ReadAsync(stream, 1))[0];
            string? target = first == 5 ? await GreetSocksAsync(stream) : await GreetHttpAsync(stream, first);
            if (target is null) return;
            Asked.Enqueue(target);
            bool isKnown = Hosts.TryGetValue(target, out int port);
            if (isKnown) await far.ConnectAsync(IPAddress.Loopback, port);
            string status = isKnown ? "HTTP/1.1 200 Connection established\r\n\r\n" : "HTTP/1.1 502 Bad Gateway\r\n\r\n";
            await stream.WriteAsync(first == 5 ? [5, isKnown ? (byte)0 : (byte)4, 0, 1, 0, 0, 0, 0, 0, 0] : Encoding.ASCII.GetBytes(status));
            if (!isKnown) return;
            await using var other = new NetworkStream(far, ownsSocket: false);
            await Task.WhenAny(stream.CopyToAsync(other), other.CopyToAsync(stream));
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            // One of the two has left.
        }
        finally
        {
            _open.TryRemove(near, out _);
            _open.TryRemove(far, out _);
        }
    }

    private async Task<string?> GreetHttpAsync(Stream stream, byte first)
    {
        var head = new StringBuilder().Append((char)first);
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal)) head.Append((char)(await ReadAsync(stream, 1))[0]);
        string[] lines = head.ToString().Split("\r\n");
        string[] words = lines[0].Split(' ');
        Assert.Equal(("CONNECT", "HTTP/1.1"), (words[0], words[2]));
        string wanted = "Proxy-Authorization: Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{_user}:{_password}"));
        if (_user is null || lines.Contains(wanted)) return words[1];
        const string Asks = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"plant\"\r\nContent-Length: 0\r\n\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(Asks));
        return null;
    }

    private async Task<string?> GreetSocksAsync(Stream stream)
    {
        byte[] methods = await ReadAsync(stream, (await ReadAsync(stream, 1))[0]);
        byte method = _user is null ? (byte)0 : (byte)2;
        bool isOffered = methods.Contains(method);
        await stream.WriteAsync(new byte[] { 5, isOffered ? method : (byte)0xFF });
        if (!isOffered) return null;
        if (_user is not null)
        {
            Assert.Equal(1, (await ReadAsync(stream, 1))[0]);
            string user = Encoding.UTF8.GetString(await ReadAsync(stream, (await ReadAsync(stream, 1))[0]));
            string password = Encoding.UTF8.GetString(await ReadAsync(stream, (await ReadAsync(stream, 1))[0]));
            bool isIn = (user, password) == (_user, _password);
            await stream.WriteAsync(new byte[] { 1, isIn ? (byte)0 : (byte)1 });
            if (!isIn) return null;
        }

        byte[] request = await ReadAsync(stream, 4);
        Assert.Equal([5, 1, 0, 3], request);
        string host = Encoding.ASCII.GetString(await ReadAsync(stream, (await ReadAsync(stream, 1))[0]));
        byte[] port = await ReadAsync(stream, 2);
        return $"{host}:{(port[0] << 8) | port[1]}";
    }
}
