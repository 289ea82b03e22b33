using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using EdgeBroker.Cli.Files;
using EdgeBroker.Cli.Options;
using EdgeBroker.Client;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Cli.PubSub;

/// <summary>What <c>pub</c> and <c>sub</c> are told about TLS.</summary>
/// <param name="args">The arguments of either.</param>
/// <param name="isAsked">Whether the URL asks for it.</param>
internal sealed class TlsArguments(Arguments args, bool isAsked)
{
    private static readonly CommandOption Authorities = CommandOption.Path("--cafile", null, "FILE", "trust the authorities of this file (PEM)");
    private static readonly CommandOption AuthorityFolder =
        CommandOption.Path("--capath", null, "FOLDER", "trust the authorities of all .pem, .crt, .cer files of this folder");
    private static readonly CommandOption SystemAuthorities = CommandOption.Flag("--tls-use-os-certs", null, "trust the authorities of the system");
    private static readonly CommandOption Certificate = CommandOption.Path("--cert", null, "FILE", "certificate of the client");
    private static readonly CommandOption Key = CommandOption.Path("--key", null, "FILE", "its key");
    private static readonly CommandOption AnyName = CommandOption.Flag("--insecure", null, "accept a server certificate of another name");
    private static readonly CommandOption Version = CommandOption.Choice("--tls-version", null, "VERSION", ["tlsv1.2", "tlsv1.3"], "tlsv1.2 or tlsv1.3 only");
    private static readonly CommandOption ApplicationProtocol = CommandOption.Text("--tls-alpn", null, "NAME", "application protocol to ask for");

    private static readonly CommandOption[] Turning = [Authorities, AuthorityFolder, SystemAuthorities];
    private static readonly CommandOption[] Following = [Certificate, Key, AnyName, Version, ApplicationProtocol];

    /// <summary>All of them.</summary>
    public static readonly OptionGroup Options = new("TLS, when one of the first three is given or the URL says so", [.. Turning, .. Following]);

    /// <summary>Whether the connection is to be encrypted.</summary>
    public bool IsOn => isAsked || Turning.Any(args.Has);

    /// <summary>A transport with TLS around it, where TLS is asked for.</summary>
    public IClientTransport Around(IClientTransport transport, string host)
    {
        if (IsOn) return new TlsTransport(transport, host, ToOptions());
        return !Following.Any(args.Has) ? transport
            : throw new UsageException(
                "TLS begins with --cafile FILE, --capath FOLDER, --tls-use-os-certs, -L mqtts:// or -L wss://; the other TLS options go with it");
    }

    private TlsClientOptions ToOptions()
    {
        if (args.Has(Certificate) != args.Has(Key)) throw new UsageException("--cert and --key belong together");
        try
        {
            return new TlsClientOptions
            {
                Authorities = ReadAuthorities(),
                ClientCertificate = args.Text(Certificate) is { } certificate ? ReadPair(certificate, args.Text(Key)!) : null,
                AnyName = args.Has(AnyName),
                Protocols = args.Text(Version) switch
                {
                    "tlsv1.2" => SslProtocols.Tls12,
                    "tlsv1.3" => SslProtocols.Tls13,
                    _ => SslProtocols.Tls12 | SslProtocols.Tls13,
                },
                ApplicationProtocol = args.Text(ApplicationProtocol),
            };
        }
        catch (CertificateFileException e)
        {
            throw new UsageException($"{e.File} {e.Message}");
        }
    }

    private static SslStreamCertificateContext ReadPair(string certificateFile, string keyFile)
    {
        byte[] certificate = PemFile.ReadBytes(certificateFile);
        X509Certificate2Collection chain = PemFile.ReadCertificates(certificateFile, certificate);
        chain.RemoveAt(0);
        X509Certificate2 own = PemFile.ReadPair(new CertificateFiles(certificateFile, keyFile), certificate, PemFile.ReadBytes(keyFile));
        return SslStreamCertificateContext.Create(own, chain, offline: true);
    }

    /// <summary>The authorities to trust; null: those of the system.</summary>
    private X509Certificate2Collection? ReadAuthorities()
    {
        if (!args.Has(Authorities) && !args.Has(AuthorityFolder)) return null;
        var trusted = new X509Certificate2Collection();
        if (args.Text(Authorities) is { } one) trusted.AddRange(PemFile.ReadCertificates(one, PemFile.ReadBytes(one)));
        if (args.Text(AuthorityFolder) is not { } folder) return trusted;
        string[] files;
        try
        {
            files = [.. Directory.GetFiles(folder).Where(IsAuthority).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw args.Wrong(AuthorityFolder, FileFailure.Explain(e, folder));
        }

        if (files.Length == 0) throw args.Wrong(AuthorityFolder, "there is no .pem, .crt or .cer file in it");
        foreach (string file in files) trusted.AddRange(PemFile.ReadCertificates(file, PemFile.ReadBytes(file)));
        return trusted;
    }

    // By their ends, or as OpenSSL's rehash names them: eight digits of a hash, and a number.
    private static bool IsAuthority(string file) =>
        Path.GetExtension(file) is ".pem" or ".crt" or ".cer"
            || (Path.GetFileName(file) is [_, _, _, _, _, _, _, _, '.', >= '0' and <= '9'] name && name[..8].All(char.IsAsciiHexDigitLower));
}
