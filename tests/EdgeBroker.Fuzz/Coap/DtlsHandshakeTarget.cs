using System.Security.Cryptography;
using EdgeBroker.Coap.Dtls;
using EdgeBroker.Coap.Messages;
using EdgeBroker.Fuzz.Codec;
using Org.BouncyCastle.Tls;

namespace EdgeBroker.Fuzz.Coap;

/// <summary>
/// Datagrams during a handshake, each behind its length of two bytes: before the check of cookies, and to the library's server. Whoever has not the key gets
/// nowhere; what goes wrong is one of the exceptions that a listener expects of the library; a cookie is not longer than what asks for it. Now and
/// then a client beside them shakes hands and is understood.
/// </summary>
internal static class DtlsHandshakeTarget
{
    private const int RunsPerCanary = 64;
    private static readonly PeerEndPoint From = new(1, 5_684);
    private static int _runs;

    public static void Run(byte[] input)
    {
        List<byte[]> datagrams = Split(input);
        foreach (byte[] datagram in datagrams) AskForCookie(datagram, input);
        HandshakePeer peer = DtlsAgreement.NewServer(new CapturingCrypto());
        try
        {
            new DtlsServerProtocol().Accept(peer, new Script(datagrams));
        }
        catch (Exception exception) when (exception is IOException or ArgumentException or InvalidOperationException or CryptographicException)
        {
            // What the listener expects; anything else is a finding.
        }

        if (peer.IsComplete) throw new DisagreementException("A handshake without the key succeeds", input);
        if (Interlocked.Increment(ref _runs) % RunsPerCanary == 1) CheckCanary(input);
    }

    private static List<byte[]> Split(byte[] input)
    {
        var datagrams = new List<byte[]>();
        int at = 0;
        while (at + 2 <= input.Length)
        {
            int length = Math.Min((input[at] * 256) + input[at + 1], input.Length - at - 2);
            datagrams.Add(input[(at + 2)..(at + 2 + length)]);
            at += 2 + length;
        }

        return datagrams;
    }

    private static void AskForCookie(byte[] datagram, byte[] input)
    {
        if (!CookieCheck.IsHello(datagram)) return;
        int sent = 0;
        var check = new CookieCheck((_, cookie) => sent += cookie.Length);
        if (check.Check(From, [.. datagram], datagram.Length) is not null) throw new DisagreementException("A cookie that nobody was sent is good", input);
        if (sent > datagram.Length) throw new DisagreementException($"{sent} bytes for {datagram.Length}", input);
    }

    private static void CheckCanary(byte[] input)
    {
        DtlsAgreement agreement = DtlsAgreement.Make(withConnectionId: false);
        byte[] record = new RecordCodec(agreement.ClientCipher, [], [], firstSequence: 1).Write(ContentType.application_data, "canary"u8)!;
        int offset = 0;
        RecordKind kind = agreement.Records().Read(record, ref offset, record.Length, out ArraySegment<byte> payload);
        if (kind != RecordKind.Data || !payload.AsSpan().SequenceEqual("canary"u8))
        {
            throw new DisagreementException("A client beside it is not understood", input);
        }
    }

    /// <summary>Brings datagrams one after the other, and then ends the handshake, as the pool's does where others wait.</summary>
    private sealed class Script(List<byte[]> datagrams) : DatagramTransport
    {
        private int _next;

        public int GetReceiveLimit() => 4_096;

        public int GetSendLimit() => 1_200;

        public int Receive(byte[] buf, int off, int len, int waitMillis) => Receive(buf.AsSpan(off, len), waitMillis);

        public int Receive(Span<byte> buffer, int waitMillis)
        {
            if (_next == datagrams.Count) throw new TlsFatalAlert(AlertDescription.user_canceled);
            byte[] datagram = datagrams[_next++];
            int length = Math.Min(datagram.Length, buffer.Length);
            datagram.AsSpan(0, length).CopyTo(buffer);
            return length;
        }

        public void Send(byte[] buf, int off, int len)
        {
        }

        public void Send(ReadOnlySpan<byte> buffer)
        {
        }

        public void Close()
        {
        }
    }
}
