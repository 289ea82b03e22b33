using Org.BouncyCastle.Crypto.Prng;
using Org.BouncyCastle.Security;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto;
using Org.BouncyCastle.Tls.Crypto.Impl.BC;

namespace EdgeBroker.Coap.Dtls;

/// <summary>The library's cryptography for one handshake. It keeps the cipher that the handshake ends with, for the records that follow.</summary>
internal sealed class CapturingCrypto() : BcTlsCrypto(Random)
{
    private static readonly SecureRandom Random = new(new CryptoApiRandomGenerator());

    /// <summary>For what belongs to no handshake.</summary>
    public static readonly BcTlsCrypto Shared = new(Random);

    /// <summary>The cipher of the records after the handshake; null: none has been agreed on.</summary>
    public TlsCipher? Cipher { get; private set; }

    /// <summary>Records of the handshake that do not fit its keys.</summary>
    public int UndecodedCount { get; private set; }

    /// <inheritdoc/>
    public override TlsCipher CreateCipher(TlsCryptoParameters cryptoParams, int encryptionAlgorithm, int macAlgorithm)
    {
        Cipher = base.CreateCipher(cryptoParams, encryptionAlgorithm, macAlgorithm);
        return new Watched(this, Cipher);
    }

    /// <summary>The library drops records that do not fit in silence; a client with another key sends nothing else.</summary>
    private sealed class Watched(CapturingCrypto crypto, TlsCipher cipher) : TlsCipher
    {
        public bool UsesOpaqueRecordType => cipher.UsesOpaqueRecordType;

        public int GetCiphertextDecodeLimit(int plaintextLimit) => cipher.GetCiphertextDecodeLimit(plaintextLimit);

        public int GetCiphertextEncodeLimit(int plaintextLength, int plaintextLimit) => cipher.GetCiphertextEncodeLimit(plaintextLength, plaintextLimit);

        public int GetPlaintextLimit(int ciphertextLimit) => cipher.GetPlaintextLimit(ciphertextLimit);

        public TlsEncodeResult EncodePlaintext(
            long seqNo, short contentType, ProtocolVersion recordVersion, int headerAllocation, byte[] plaintext, int offset, int len) =>
            cipher.EncodePlaintext(seqNo, contentType, recordVersion, headerAllocation, plaintext, offset, len);

        public TlsEncodeResult EncodePlaintext(
            long seqNo, short contentType, ProtocolVersion recordVersion, int headerAllocation, ReadOnlySpan<byte> plaintext) =>
            cipher.EncodePlaintext(seqNo, contentType, recordVersion, headerAllocation, plaintext);

        public TlsDecodeResult DecodeCiphertext(long seqNo, short recordType, ProtocolVersion recordVersion, byte[] ciphertext, int offset, int len)
        {
            try
            {
                return cipher.DecodeCiphertext(seqNo, recordType, recordVersion, ciphertext, offset, len);
            }
            catch (TlsFatalAlert)
            {
                crypto.UndecodedCount++;
                throw;
            }
        }

        public void RekeyDecoder() => cipher.RekeyDecoder();

        public void RekeyEncoder() => cipher.RekeyEncoder();
    }
}
