using System.Net;
using System.Net.Sockets;
using System.Text;
using Org.BouncyCastle.Tls;

namespace EdgeBroker.Coap.Client;

/// <summary>Carries a client's datagrams to one server and back, over UDP or DTLS. One thread; it blocks.</summary>
public abstract class ClientLink : IDisposable
{
    private const int MaxDatagramBytes = 65_535;

    /// <summary>Over UDP.</summary>
    /// <exception cref="CoapClientException">There is no way there.</exception>
    public static ClientLink OverUdp(IPEndPoint server) => new Datagrams(server);

    /// <summary>Over DTLS 1.2, by a key that both sides know.</summary>
    /// <param name="server">The server.</param>
    /// <param name="identity">What the client calls itself.</param>
    /// <param name="key">The key.</param>
    /// <param name="limit">How long the handshake may take.</param>
    /// <exception cref="CoapClientException">The handshake fails.</exception>
    public static ClientLink OverDtls(IPEndPoint server, string identity, byte[] key, TimeSpan limit)
    {
        var datagrams = new Datagrams(server);
        try
        {
            return new Records(datagrams, new DtlsClientProtocol().Connect(new KeyPeer(identity, key, limit), datagrams));
        }
        catch (Exception exception) when (exception is IOException)
        {
            datagrams.Dispose();
            throw new CoapClientException("the DTLS handshake failed: " + Explain(exception), exception);
        }
    }

    /// <summary>Sends a datagram.</summary>
    public abstract void Send(ReadOnlySpan<byte> datagram);

    /// <summary>Waits for a datagram; null: none has come in that time.</summary>
    public abstract byte[]? Receive(TimeSpan wait);

    /// <inheritdoc/>
    public abstract void Dispose();

    private static string Explain(Exception failure) => failure switch
    {
        TlsFatalAlertReceived { AlertDescription: AlertDescription.decrypt_error } => "the server does not know this identity, or has another key for it",
        TlsFatalAlertReceived { AlertDescription: AlertDescription.handshake_failure } => "the server takes no pre-shared keys",
        TlsFatalAlertReceived received => "the server ended it: " + AlertDescription.GetText(received.AlertDescription),
        TlsTimeoutException => "the server does not answer",
        _ => failure.Message,
    };

    private sealed class Datagrams : ClientLink, DatagramTransport
    {
        private readonly Socket _socket;
        private readonly IPEndPoint _server;
        private readonly byte[] _buffer = new byte[MaxDatagramBytes];

        public Datagrams(IPEndPoint server)
        {
            _server = server;
            _socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            try
            {
                _socket.Connect(server);
            }
            catch (SocketException exception)
            {
                _socket.Dispose();
                throw new CoapClientException($"there is no way to {server}: {exception.Message}", exception);
            }
        }

        public override void Send(ReadOnlySpan<byte> datagram)
        {
            try
            {
                _socket.Send(datagram);
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionRefused)
            {
                // Of the datagram before.
                throw new CoapClientException($"nobody listens at {_server}", exception);
            }
            catch (SocketException exception)
            {
                throw new CoapClientException("nothing can be sent: " + exception.Message, exception);
            }
        }

        public override byte[]? Receive(TimeSpan wait)
        {
            int length = Receive(_buffer, Math.Max(1, (int)wait.TotalMilliseconds));
            return length < 0 ? null : _buffer[..length];
        }

        public int GetReceiveLimit() => 4_096;

        public int GetSendLimit() => 1_400;

        public int Receive(byte[] buf, int off, int len, int waitMillis) => Receive(buf.AsSpan(off, len), waitMillis);

        public int Receive(Span<byte> buffer, int waitMillis)
        {
            try
            {
                return _socket.Poll(TimeSpan.FromMilliseconds(waitMillis), SelectMode.SelectRead) ? _socket.Receive(buffer) : -1;
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionRefused)
            {
                throw new CoapClientException($"nobody listens at {_server}", exception);
            }
        }

        public void Send(byte[] buf, int off, int len) => Send(buf.AsSpan(off, len));

        public void Close()
        {
        }

        public override void Dispose() => _socket.Dispose();
    }

    private sealed class Records(Datagrams datagrams, DtlsTransport dtls) : ClientLink
    {
        private readonly byte[] _buffer = new byte[16 * 1024];

        public override void Send(ReadOnlySpan<byte> datagram) => Guarded(datagram.ToArray(), bytes =>
        {
            dtls.Send(bytes, 0, bytes.Length);
            return 0;
        });

        public override byte[]? Receive(TimeSpan wait)
        {
            int length = Guarded(_buffer, buffer => dtls.Receive(buffer, 0, buffer.Length, Math.Max(1, (int)wait.TotalMilliseconds)));
            return length < 0 ? null : _buffer[..length];
        }

        public override void Dispose()
        {
            dtls.Close();
            datagrams.Dispose();
        }

        private static int Guarded(byte[] bytes, Func<byte[], int> act)
        {
            try
            {
                return act(bytes);
            }
            catch (IOException exception)
            {
                throw new CoapClientException("the DTLS association has ended: " + Explain(exception), exception);
            }
        }
    }

    private sealed class KeyPeer(string identity, byte[] key, TimeSpan limit)
        : PskTlsClient(new Dtls.CapturingCrypto(), new BasicTlsPskIdentity(Encoding.UTF8.GetBytes(identity), key))
    {
        public override int GetHandshakeTimeoutMillis() => (int)limit.TotalMilliseconds;

        protected override ProtocolVersion[] GetSupportedVersions() => [ProtocolVersion.DTLSv12];

        protected override int[] GetSupportedCipherSuites() =>
        [
            CipherSuite.TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256, CipherSuite.TLS_PSK_WITH_AES_128_GCM_SHA256, CipherSuite.TLS_PSK_WITH_AES_128_CCM_8,
        ];

        // It has none itself; the server's says who it is wherever it is.
        protected override byte[] GetNewConnectionID() => [];
    }
}
