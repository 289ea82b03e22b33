using System.Collections.Concurrent;
using EdgeBroker.Coap.Dtls;
using EdgeBroker.Transport.Tls;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto;
using Org.BouncyCastle.Tls.Crypto.Impl.BC;

namespace EdgeBroker.Fuzz.Coap;

/// <summary>What a handshake within the process ends with: between the library's client and what decides for a listener.</summary>
/// <param name="Server">What decided.</param>
/// <param name="ServerCipher">Reads the client's records.</param>
/// <param name="ClientCipher">Writes them.</param>
internal sealed record DtlsAgreement(HandshakePeer Server, TlsCipher ServerCipher, TlsCipher ClientCipher)
{
    private static readonly byte[] Key = [.. Enumerable.Range(0, 16).Select(i => (byte)i)];

    /// <summary>Who may shake hands: <c>sensor</c>.</summary>
    public static DtlsMaterial Material { get; } = new(
        PskFile.Parse(
            System.Text.Encoding.ASCII.GetBytes("sensor:" + Convert.ToHexString(Key)),
            static (line, problem) => throw new InvalidOperationException($"line {line}: {problem}")),
        Tls: null);

    /// <summary>What the client's records bear; empty: nothing.</summary>
    public byte[] ConnectionId => Server.ConnectionIds.OfClient;

    /// <summary>The records of a listener behind this handshake, from their beginning.</summary>
    public RecordCodec Records() => new(ServerCipher, Server.ConnectionIds.OfClient, Server.ConnectionIds.Ours, firstSequence: 1);

    /// <summary>A server's side, before its handshake.</summary>
    public static HandshakePeer NewServer(CapturingCrypto crypto) =>
        new(crypto, Material, [1, 2, 3, 4, 5, 6, 7, 8], TimeSpan.FromSeconds(30), DateTimeOffset.UnixEpoch);

    /// <summary>Shakes hands.</summary>
    /// <exception cref="IOException">It failed.</exception>
    public static DtlsAgreement Make(bool withConnectionId)
    {
        using var toServer = new BlockingCollection<byte[]>();
        using var toClient = new BlockingCollection<byte[]>();
        var serverCrypto = new CapturingCrypto();
        var clientCrypto = new CapturingCrypto();
        HandshakePeer server = NewServer(serverCrypto);
        Task accepting = Task.Factory.StartNew(
            () => new DtlsServerProtocol().Accept(server, new Pipe(toServer, toClient)),
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        new DtlsClientProtocol().Connect(new Client(clientCrypto, withConnectionId), new Pipe(toClient, toServer));
        accepting.GetAwaiter().GetResult();
        return new DtlsAgreement(server, serverCrypto.Cipher!, clientCrypto.Cipher!);
    }

    private sealed class Client(BcTlsCrypto crypto, bool withConnectionId)
        : PskTlsClient(crypto, new BasicTlsPskIdentity("sensor"u8.ToArray(), Key))
    {
        public override int GetHandshakeTimeoutMillis() => 30_000;

        protected override ProtocolVersion[] GetSupportedVersions() => [ProtocolVersion.DTLSv12];

        protected override int[] GetSupportedCipherSuites() => [CipherSuite.TLS_PSK_WITH_AES_128_CCM_8];

        protected override byte[]? GetNewConnectionID() => withConnectionId ? [] : null;
    }

    private sealed class Pipe(BlockingCollection<byte[]> incoming, BlockingCollection<byte[]> outgoing) : DatagramTransport
    {
        public int GetReceiveLimit() => 4_096;

        public int GetSendLimit() => 1_200;

        public int Receive(byte[] buf, int off, int len, int waitMillis) => Receive(buf.AsSpan(off, len), waitMillis);

        public int Receive(Span<byte> buffer, int waitMillis)
        {
            if (!incoming.TryTake(out byte[]? datagram, waitMillis)) return -1;
            datagram.CopyTo(buffer);
            return datagram.Length;
        }

        public void Send(byte[] buf, int off, int len) => Send(buf.AsSpan(off, len));

        public void Send(ReadOnlySpan<byte> buffer) => outgoing.Add(buffer.ToArray());

        public void Close()
        {
        }
    }
}
