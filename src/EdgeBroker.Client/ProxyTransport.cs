using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;

namespace EdgeBroker.Client;

/// <summary>The protocols of proxies.</summary>
public enum ProxyProtocol
{
    /// <summary>HTTP with CONNECT.</summary>
    Http,

    /// <summary>SOCKS, version 5.</summary>
    Socks5,
}

/// <summary>TCP to a server by way of a proxy, which looks up the server's name.</summary>
/// <param name="proxy">How to reach the proxy.</param>
/// <param name="protocol">What it speaks.</param>
/// <param name="host">The server's name or address.</param>
/// <param name="port">The server's port.</param>
/// <param name="findCredentials">Finds what the proxy is shown, before each attempt to connect; null: nothing is shown.</param>
public sealed class ProxyTransport(IClientTransport proxy, ProxyProtocol protocol, string host, int port, Func<ClientCredentials>? findCredentials = null)
    : IClientTransport
{
    private const int LongestAnswer = 8192;
    private const byte SocksVersion = 5;

    /// <inheritdoc/>
    public string Description { get; } = host.Contains(':', StringComparison.Ordinal) ? $"tcp://[{host}]:{port}" : $"tcp://{host}:{port}";

    /// <inheritdoc/>
    /// <exception cref="MqttException">The proxy cannot be reached, or does not let through.</exception>
    public async ValueTask<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        ClientCredentials? credentials = FindCredentials();
        Stream stream;
        try
        {
            stream = await proxy.OpenAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is System.Net.Sockets.SocketException or IOException)
        {
            throw Failed($"cannot be reached ({e.Message}); check its address", e);
        }

        try
        {
            if (protocol == ProxyProtocol.Http) await ConnectOverHttpAsync(stream, credentials, cancellationToken).ConfigureAwait(false);
            else await ConnectOverSocksAsync(stream, credentials, cancellationToken).ConfigureAwait(false);
            return stream;
        }
        catch (Exception e)
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            if (e is IOException) throw Failed("closed the connection; check its protocol and what it allows", e);
            throw;
        }
    }

    private ClientCredentials? FindCredentials()
    {
        try
        {
            return findCredentials?.Invoke();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed($"is not asked: there is nothing to show it ({e.Message})", e);
        }
    }

    private async Task ConnectOverHttpAsync(Stream stream, ClientCredentials? credentials, CancellationToken cancellationToken)
    {
        string target = host.Contains(':', StringComparison.Ordinal) ? $"[{host}]:{port}" : $"{host}:{port}";
        string request = $"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n";
        if (credentials is not null)
        {
            byte[] both = [.. Encoding.UTF8.GetBytes(credentials.UserName + ":"), .. credentials.Password ?? []];
            request += $"Proxy-Authorization: Basic {Convert.ToBase64String(both)}\r\n";
        }

        await stream.WriteAsync(Encoding.ASCII.GetBytes(request + "\r\n"), cancellationToken).ConfigureAwait(false);
        string head = await ReadHeadAsync(stream, cancellationToken).ConfigureAwait(false);
        string line = head.Split('\r')[0];
        string[] parts = line.Split(' ', 3);
        if (parts.Length < 2 || !parts[0].StartsWith("HTTP/1.", StringComparison.Ordinal)
            || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int status))
        {
            throw Failed("does not speak HTTP; check its address and protocol");
        }

        if (status is >= 200 and < 300) return;
        throw Failed(status == 407
            ? "wants a user name and a password, or other ones (407)"
            : $"answers {status.ToString(CultureInfo.InvariantCulture)}{(parts.Length > 2 ? " " + parts[2] : "")}; it has to allow CONNECT to {target}");
    }

    /// <summary>Byte by byte up to the empty line: what follows belongs to the server.</summary>
    private async Task<string> ReadHeadAsync(Stream stream, CancellationToken cancellationToken)
    {
        var head = new List<byte>();
        byte[] one = new byte[1];
        while (head is not [.., (byte)'\r', (byte)'\n', (byte)'\r', (byte)'\n'])
        {
            if (head.Count >= LongestAnswer) throw Failed("answers at too great a length; check its address and protocol");
            await stream.ReadExactlyAsync(one, cancellationToken).ConfigureAwait(false);
            head.Add(one[0]);
        }

        return Encoding.ASCII.GetString([.. head]);
    }

    private async Task ConnectOverSocksAsync(Stream stream, ClientCredentials? credentials, CancellationToken cancellationToken)
    {
        byte[] greeting = credentials is null ? [SocksVersion, 1, 0] : [SocksVersion, 2, 0, 2];
        await stream.WriteAsync(greeting, cancellationToken).ConfigureAwait(false);
        byte[] choice = await ReadAsync(stream, 2, cancellationToken).ConfigureAwait(false);
        if (choice[0] != SocksVersion) throw Failed("does not speak SOCKS 5; check its address and protocol");
        if (choice[1] == 2 && credentials is not null) await LogInAsync(stream, credentials, cancellationToken).ConfigureAwait(false);
        else if (choice[1] != 0) throw Failed("wants a user name and a password");
        await stream.WriteAsync(SocksRequest(), cancellationToken).ConfigureAwait(false);
        byte[] answer = await ReadAsync(stream, 4, cancellationToken).ConfigureAwait(false);
        if (answer[1] != 0) throw Failed(Explain(answer[1]));
        // The address it connects from, of no use.
        int length = answer[3] switch
        {
            1 => 4,
            4 => 16,
            _ => (await ReadAsync(stream, 1, cancellationToken).ConfigureAwait(false))[0],
        };
        await ReadAsync(stream, length + 2, cancellationToken).ConfigureAwait(false);
    }

    private async Task LogInAsync(Stream stream, ClientCredentials login, CancellationToken cancellationToken)
    {
        byte[] user = Encoding.UTF8.GetBytes(login.UserName ?? "");
        byte[] password = login.Password ?? [];
        if (user.Length is 0 or > 255 || password.Length is 0 or > 255) throw Failed("takes names and passwords of 1 to 255 bytes");
        await stream.WriteAsync((byte[])[1, (byte)user.Length, .. user, (byte)password.Length, .. password], cancellationToken).ConfigureAwait(false);
        byte[] verdict = await ReadAsync(stream, 2, cancellationToken).ConfigureAwait(false);
        if (verdict[1] != 0) throw Failed("refuses the user name and password");
    }

    private byte[] SocksRequest()
    {
        byte[] address = IPAddress.TryParse(host, out IPAddress? ip)
            ? [ip.GetAddressBytes().Length == 4 ? (byte)1 : (byte)4, .. ip.GetAddressBytes()]
            : [3, (byte)Encoding.UTF8.GetByteCount(host), .. Encoding.UTF8.GetBytes(host)];
        byte[] request = [SocksVersion, 1, 0, .. address, 0, 0];
        BinaryPrimitives.WriteUInt16BigEndian(request.AsSpan(request.Length - 2), (ushort)port);
        return request;
    }

    private static string Explain(byte code) => code switch
    {
        2 => "does not allow this connection",
        3 => "finds no way to the server's network",
        4 => "does not reach the server; check its name",
        5 => "says that nothing listens there; check the port",
        _ => $"could not connect (code {code.ToString(CultureInfo.InvariantCulture)})",
    };

    private static async Task<byte[]> ReadAsync(Stream stream, int count, CancellationToken cancellationToken)
    {
        byte[] bytes = new byte[count];
        await stream.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
        return bytes;
    }

    private MqttException Failed(string what, Exception? cause = null) =>
        new($"The proxy {proxy.Description} {what}.", null, cause) { Layer = FailureLayer.Proxy };
}
