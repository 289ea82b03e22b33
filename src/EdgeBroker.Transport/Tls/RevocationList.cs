using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeBroker.Transport.Tls;

/// <summary>A certificate revocation list (RFC 5280, 5) whose signature has been checked: the serial numbers an issuer has taken back.</summary>
public sealed class RevocationList
{
    private const string NumberOid = "2.5.29.20";
    private const string AuthorityKeyOid = "2.5.29.35";

    private readonly HashSet<string> _serials = new(StringComparer.Ordinal);
    private byte[] _issuer = [];

    private RevocationList()
    {
    }

    /// <summary>When the issuer promised the next one; what it says afterwards is not known. Null: never.</summary>
    public DateTimeOffset? NextUpdate { get; private set; }

    /// <summary>Certificates it revokes.</summary>
    public int Count => _serials.Count;

    /// <summary>Reads one list.</summary>
    /// <param name="encoded">DER.</param>
    /// <param name="issuers">Who may have signed it.</param>
    /// <exception cref="CryptographicException">Malformed, of a kind not known here, or signed by none of them; the message completes "the list
    /// ...".</exception>
    public static RevocationList Read(byte[] encoded, X509Certificate2Collection issuers)
    {
        try
        {
            var outer = new AsnReader(encoded, AsnEncodingRules.DER);
            AsnReader parts = outer.ReadSequence();
            ReadOnlyMemory<byte> signed = parts.PeekEncodedValue();
            AsnReader body = parts.ReadSequence();
            string algorithm = parts.ReadSequence().ReadObjectIdentifier();
            byte[] signature = parts.ReadBitString(out int unusedBits);
            if (unusedBits != 0) throw new CryptographicException("holds a signature that does not fill its last byte");
            var list = new RevocationList();
            list.ReadBody(body);
            foreach (X509Certificate2 issuer in issuers)
            {
                if (issuer.SubjectName.RawData.AsSpan().SequenceEqual(list._issuer) && Verify(issuer, algorithm, signed.Span, signature)) return list;
            }

            string name = new X500DistinguishedName(list._issuer).Name;
            throw new CryptographicException(
                issuers.Any(issuer => issuer.SubjectName.RawData.AsSpan().SequenceEqual(list._issuer))
                    ? $"is of the name of {name}, and not signed by it"
                    : $"is of {name}, which is not in client_ca: add its certificate there, behind that of its root");
        }
        catch (AsnContentException exception)
        {
            throw new CryptographicException("is malformed: " + exception.Message, exception);
        }
    }

    /// <summary>Whether it is of the authority that issued a certificate.</summary>
    public bool IsFor(X509Certificate2 certificate) => IsFor(certificate.IssuerName.RawData);

    /// <summary>Whether it is of the authority with a name, as it is encoded in certificates.</summary>
    public bool IsFor(ReadOnlySpan<byte> issuer) => issuer.SequenceEqual(_issuer);

    /// <summary>Whether a certificate is revoked; of its issuer's list only.</summary>
    public bool Revokes(X509Certificate2 certificate) => Revokes(certificate.SerialNumberBytes.Span);

    /// <summary>Whether it holds a serial number, big-endian.</summary>
    public bool Revokes(ReadOnlySpan<byte> serial) => _serials.Contains(Serial(serial));

    private static string Serial(ReadOnlySpan<byte> integer) => Convert.ToHexString(integer).TrimStart('0');

    private void ReadBody(AsnReader body)
    {
        if (body.PeekTag().HasSameClassAndValue(Asn1Tag.Integer)) body.ReadInteger();
        body.ReadEncodedValue();
        _issuer = body.ReadEncodedValue().ToArray();
        ReadTime(body);
        if (body.HasData && body.PeekTag().TagClass == TagClass.Universal
            && body.PeekTag().TagValue is (int)UniversalTagNumber.UtcTime or (int)UniversalTagNumber.GeneralizedTime)
        {
            NextUpdate = ReadTime(body);
        }

        if (body.HasData && body.PeekTag().HasSameClassAndValue(Asn1Tag.Sequence))
        {
            AsnReader entries = body.ReadSequence();
            while (entries.HasData) ReadEntry(entries.ReadSequence());
        }

        // Issuing distribution points and deltas would make it mean less than it seems to.
        if (body.HasData) RefuseCritical(body.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0)).ReadSequence());
    }

    private void ReadEntry(AsnReader entry)
    {
        _serials.Add(Serial(entry.ReadIntegerBytes().Span));
        ReadTime(entry);
        if (entry.HasData) RefuseCritical(entry.ReadSequence());
    }

    private static DateTimeOffset ReadTime(AsnReader reader) =>
        reader.PeekTag().TagValue == (int)UniversalTagNumber.UtcTime ? reader.ReadUtcTime() : reader.ReadGeneralizedTime();

    private static void RefuseCritical(AsnReader extensions)
    {
        while (extensions.HasData)
        {
            AsnReader extension = extensions.ReadSequence();
            string id = extension.ReadObjectIdentifier();
            bool critical = extension.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean) && extension.ReadBoolean();
            if (critical && id is not (NumberOid or AuthorityKeyOid))
            {
                throw new CryptographicException($"has the critical extension {id}, which is not supported; write a plain, complete list");
            }
        }
    }

    private static bool Verify(X509Certificate2 issuer, string algorithm, ReadOnlySpan<byte> signed, byte[] signature)
    {
        HashAlgorithmName hash = algorithm switch
        {
            "1.2.840.113549.1.1.11" or "1.2.840.10045.4.3.2" => HashAlgorithmName.SHA256,
            "1.2.840.113549.1.1.12" or "1.2.840.10045.4.3.3" => HashAlgorithmName.SHA384,
            "1.2.840.113549.1.1.13" or "1.2.840.10045.4.3.4" => HashAlgorithmName.SHA512,
            _ => throw new CryptographicException($"is signed with the algorithm {algorithm}; supported are RSA and ECDSA with SHA-256, SHA-384 or SHA-512"),
        };
        using ECDsa? ecdsa = issuer.GetECDsaPublicKey();
        if (ecdsa is not null)
        {
            return algorithm.StartsWith("1.2.840.10045.", StringComparison.Ordinal)
                && ecdsa.VerifyData(signed, signature, hash, DSASignatureFormat.Rfc3279DerSequence);
        }

        using RSA? rsa = issuer.GetRSAPublicKey();
        return rsa is not null && algorithm.StartsWith("1.2.840.113549.", StringComparison.Ordinal)
            && rsa.VerifyData(signed, signature, hash, RSASignaturePadding.Pkcs1);
    }
}
