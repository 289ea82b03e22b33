using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace EdgeBroker.Transport.Tls;

/// <summary>The names in a certificate, in the order they stand there.</summary>
public sealed class CertificateNames
{
    private const string CommonNameOid = "2.5.4.3";
    private const string AlternativeNamesOid = "2.5.29.17";

    private CertificateNames()
    {
    }

    /// <summary>Common names of the subject.</summary>
    public List<string> CommonNames { get; } = [];

    /// <summary>DNS names, a wildcard as the first label included.</summary>
    public List<string> DnsNames { get; } = [];

    /// <summary>URIs.</summary>
    public List<string> Uris { get; } = [];

    /// <summary>IP addresses.</summary>
    public List<IPAddress> Addresses { get; } = [];

    /// <summary>Reads the names; of a part that is malformed, none.</summary>
    public static CertificateNames Of(X509Certificate2 certificate)
    {
        var names = new CertificateNames();
        try
        {
            foreach (X500RelativeDistinguishedName part in certificate.SubjectName.EnumerateRelativeDistinguishedNames(reversed: false))
            {
                if (!part.HasMultipleElements && part.GetSingleElementType().Value == CommonNameOid && part.GetSingleElementValue() is { } name)
                {
                    names.CommonNames.Add(name);
                }
            }
        }
        catch (System.Security.Cryptography.CryptographicException)
        {
            names.CommonNames.Clear();
        }

        if (certificate.Extensions[AlternativeNamesOid] is { } extension) names.ReadAlternatives(extension.RawData);
        return names;
    }

    /// <summary>
    /// Whether the certificate is for this host: a DNS name, a wildcard for one label, or an address. Without any alternative name the common name counts.
    /// </summary>
    public bool Match(string host)
    {
        if (IPAddress.TryParse(host, out IPAddress? address)) return Addresses.Contains(address);
        List<string> names = DnsNames.Count + Addresses.Count + Uris.Count > 0 ? DnsNames : CommonNames;
        host = host.TrimEnd('.');
        return names.Exists(name => Matches(name, host));
    }

    private static bool Matches(string name, string host)
    {
        if (name.Equals(host, StringComparison.OrdinalIgnoreCase)) return true;
        int dot = host.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && name.StartsWith("*.", StringComparison.Ordinal) && name.AsSpan(1).Equals(host.AsSpan(dot), StringComparison.OrdinalIgnoreCase);
    }

    private void ReadAlternatives(byte[] encoded)
    {
        try
        {
            AsnReader names = new AsnReader(encoded, AsnEncodingRules.DER).ReadSequence();
            while (names.HasData)
            {
                Asn1Tag tag = names.PeekTag();
                if (tag.TagClass != TagClass.ContextSpecific || tag.TagValue is not (2 or 6 or 7))
                {
                    names.ReadEncodedValue();
                    continue;
                }

                if (tag.TagValue == 7) Addresses.Add(new IPAddress(names.ReadOctetString(tag)));
                else (tag.TagValue == 2 ? DnsNames : Uris).Add(names.ReadCharacterString(UniversalTagNumber.IA5String, tag));
            }
        }
        catch (Exception exception) when (exception is AsnContentException or ArgumentException or DecoderFallbackException)
        {
            DnsNames.Clear();
            Uris.Clear();
            Addresses.Clear();
        }
    }
}
