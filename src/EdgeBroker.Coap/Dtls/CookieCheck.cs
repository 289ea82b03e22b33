using System.Buffers.Binary;
using EdgeBroker.Coap.Messages;
using Org.BouncyCastle.Tls;

namespace EdgeBroker.Coap.Dtls;

/// <summary>
/// Asks whoever says hello to say it again with a cookie, which only who is where it says it is can do (RFC 6347, 4.2.1). Keeps nothing of who was asked. Its
/// secret is replaced now and then; cookies of the one before are still good. One thread at a time.
/// </summary>
/// <param name="send">Sends a datagram; never blocks.</param>
internal sealed class CookieCheck(Action<PeerEndPoint, byte[]> send)
{
    private const int RandomOffset = RecordCodec.HeaderLength + 12 + 2;
    private const int RandomLength = 32;

    private DtlsVerifier _verifier = new(CapturingCrypto.Shared);
    private DtlsVerifier _former = new(CapturingCrypto.Shared);

    /// <summary>Cookies sent.</summary>
    public long Sent { get; private set; }

    /// <summary>Whether a datagram may be a ClientHello.</summary>
    public static bool IsHello(ReadOnlySpan<byte> datagram) =>
        datagram.Length >= RandomOffset + RandomLength && datagram[0] == ContentType.handshake && datagram[3] == 0 && datagram[4] == 0
        && datagram[RecordCodec.HeaderLength] == HandshakeType.client_hello;

    /// <summary>What a ClientHello begins with, which is the same when it is sent again.</summary>
    public static ReadOnlySpan<byte> RandomOf(ReadOnlySpan<byte> hello) => hello.Slice(RandomOffset, RandomLength);

    /// <summary>Replaces the secret.</summary>
    public void Rotate() => (_former, _verifier) = (_verifier, new DtlsVerifier(CapturingCrypto.Shared));

    /// <summary>The request of a ClientHello with a good cookie; null: it has none, and was sent one, or is malformed.</summary>
    public DtlsRequest? Check(in PeerEndPoint from, byte[] datagram, int length)
    {
        byte[] client = new byte[16 + 2 + 4];
        BinaryPrimitives.WriteUInt128BigEndian(client, from.Address);
        BinaryPrimitives.WriteUInt16BigEndian(client.AsSpan(16), from.Port);
        BinaryPrimitives.WriteUInt32BigEndian(client.AsSpan(18), from.Scope);
        try
        {
            return _former.VerifyRequest(client, datagram, 0, length, Nowhere.Instance)
                ?? _verifier.VerifyRequest(client, datagram, 0, length, new Sender(this, from));
        }
        catch (Exception exception) when (exception is IOException or ArgumentException or InvalidOperationException or IndexOutOfRangeException)
        {
            return null;
        }
    }

    private void Pass(in PeerEndPoint to, byte[] datagram)
    {
        Sent++;
        send(to, datagram);
    }

    private sealed class Sender(CookieCheck check, PeerEndPoint to) : DatagramSender
    {
        public int GetSendLimit() => 1_200;

        public void Send(byte[] buf, int off, int len) => Send(buf.AsSpan(off, len));

        public void Send(ReadOnlySpan<byte> buffer) => check.Pass(to, buffer.ToArray());
    }

    private sealed class Nowhere : DatagramSender
    {
        public static readonly Nowhere Instance = new();

        public int GetSendLimit() => 1_200;

        public void Send(byte[] buf, int off, int len)
        {
        }

        public void Send(ReadOnlySpan<byte> buffer)
        {
        }
    }
}
