using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace EdgeBroker.Hostile.Tests;

/// <summary>A client of a web listener, over TLS where that speaks it, which reads only when it is told to.</summary>
internal sealed class WebAttacker : IDisposable
{
    // Nothing more is taken when a write waits so long.
    private static readonly TimeSpan FullAfter = TimeSpan.FromSeconds(1);

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private Stream _stream = Stream.Null;

    /// <summary>Connects.</summary>
    /// <param name="port">Where, on the loopback.</param>
    /// <param name="authority">The file of the authority that the broker's certificate is of; null: no TLS.</param>
    public async Task OpenAsync(int port, string? authority)
    {
        await _socket.ConnectAsync("127.0.0.1", port);
        _stream = new NetworkStream(_socket, ownsSocket: false);
        if (authority is null) return;
        using X509Certificate2 root = X509CertificateLoader.LoadCertificateFromFile(authority);
        var tls = new SslStream(_stream);
        _stream = tls;
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(root);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", CertificateChainPolicy = policy });
    }

    /// <summary>Sends.</summary>
    public async Task SendAsync(byte[] bytes) => await _stream.WriteAsync(bytes);

    /// <summary>Sends text.</summary>
    public Task SendAsync(string text) => SendAsync(Encoding.ASCII.GetBytes(text));

    /// <summary>How the connection ended, once nothing more was received.</summary>
    public string? End { get; private set; }

    /// <summary>Receives something; empty: the connection is over, see <see cref="End"/>.</summary>
    /// <exception cref="TimeoutException">Nothing has come for a minute.</exception>
    public async Task<string> ReceiveAsync()
    {
        var buffer = new byte[4096];
        try
        {
            int count = await _stream.ReadAsync(buffer).AsTask().WaitAsync(TimeSpan.FromMinutes(1));
            End = count == 0 ? "the broker closed the connection" : null;
            return Encoding.ASCII.GetString(buffer, 0, count);
        }
        catch (IOException exception)
        {
            End = "the connection broke: " + exception.Message;
            return "";
        }
    }

    /// <summary>Sends the same again and again, until nobody takes it any more.</summary>
    public async Task FloodAsync(byte[] bytes)
    {
        try
        {
            while (true) await _stream.WriteAsync(bytes).AsTask().WaitAsync(FullAfter);
        }
        catch (Exception exception) when (exception is IOException or TimeoutException)
        {
            // Full, or cut off already.
        }
    }

    /// <summary>Whether the broker has ended the connection, though nobody reads from it.</summary>
    public bool IsCut()
    {
        try
        {
            _socket.Blocking = false;
            _socket.Send([0]);
            return false;
        }
        catch (SocketException exception)
        {
            return exception.SocketErrorCode != SocketError.WouldBlock;
        }
    }

    /// <summary>Closes by a reset.</summary>
    public void Reset()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Close();
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();
}
