using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using EdgeBroker.Cli.Options;

namespace EdgeBroker.Cli.Certificates;

/// <summary>A certificate and its private key, as they lie in two files.</summary>
internal sealed record KeyPair(X509Certificate2 Certificate, ECDsa Key)
{
    /// <summary>Reads both from PEM files made here or elsewhere.</summary>
    /// <exception cref="CommandException">One is missing, is no ECDSA pair, or they do not belong together.</exception>
    public static KeyPair Load(string certificateFile, string keyFile)
    {
        try
        {
            X509Certificate2 certificate = X509Certificate2.CreateFromPem(File.ReadAllText(certificateFile), File.ReadAllText(keyFile));
            return certificate.GetECDsaPrivateKey() is { } key ? new KeyPair(certificate, key)
                : throw new CommandException($"{keyFile} is no ECDSA key; certificates are made with ECDSA authorities here");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"{e.Message} An authority is made with \"edgebroker cert ca\".");
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new CommandException($"{certificateFile} and {keyFile} cannot be used together: {e.Message}");
        }
    }

    /// <summary>The key as PKCS#8 PEM.</summary>
    public byte[] KeyPem => Encoding.ASCII.GetBytes(Key.ExportPkcs8PrivateKeyPem() + "\n");

    /// <summary>The certificate as PEM.</summary>
    public string CertificatePem => Certificate.ExportCertificatePem() + "\n";
}
