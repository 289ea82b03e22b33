using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using EdgeBroker.Certificates;
using EdgeBroker.Http.Tls;

namespace EdgeBroker.Verbs;

/// <summary><c>edgebroker cert ca|server|client|renew|revoke|show</c>: a private authority for those who have none, and certificates of it.</summary>
internal static class CertCommand
{
    public const string Usage = """
        usage: edgebroker cert ca [--name NAME] [--days N]
               edgebroker cert server HOST... [--name FILE] [--days N]
               edgebroker cert client NAME... [--days N] [--password-file FILE]
               edgebroker cert renew CERTIFICATE... [--days N]
               edgebroker cert revoke [CERTIFICATE|NAME...] [--serial HEX] [--days N]
               edgebroker cert show FILE...

          ca       makes an authority: ca.crt, which clients and brokers trust, and ca.key,
                   which stays where certificates are made (10 years)
          server   makes server.crt and server.key for these host names and IP addresses;
                   server.crt holds the chain (825 days)
          client   makes NAME.crt, NAME.key and NAME.p12 (PKCS#12, with the authority) for
                   each NAME, which becomes its user name (825 days). NAME.p12 is encrypted
                   with the password of the file, or with none.
          renew    replaces a certificate made here, and its key, by a new one of the same names
          revoke   adds certificates made here to ca.crl, the list that listeners with
                   crl = "certs/ca.crl" refuse clients by; --serial for one whose file is
                   lost. The list itself is good for N days (365) and must be renewed by
                   then: without names, revoke does only that
          show     tells what is in a certificate file

          --dir DIR        where the files are (certs)
          --days N         days until it ends
          --force          replaces files that exist

        Keys are ECDSA P-256, readable by their owner alone. Exit codes: 0 done, 1 failed, 64 wrong usage.
        """;

    private const int AuthorityDays = 3650;
    private const int LeafDays = 825;
    private const string AuthorityCertificate = "ca.crt";
    private const string AuthorityKey = "ca.key";
    private const string AuthorityRevocations = "ca.crl";
    private const int RevocationDays = 365;
    private static readonly string[] ClientFileEnds = [".crt", ".key", ".p12"];

    public static int Run(string[] args, Surroundings world)
    {
        try
        {
            return args switch
            {
                ["ca", .. var rest] => Authority(CertArguments.Read(rest, "--name", "--days", "--dir"), world),
                ["server", .. var rest] => Server(CertArguments.Read(rest, "--name", "--days", "--dir"), world),
                ["client", .. var rest] => Client(CertArguments.Read(rest, "--days", "--dir", "--password-file"), world),
                ["renew", .. var rest] => Renew(CertArguments.Read(rest, "--days", "--dir"), world),
                ["revoke", .. var rest] => Revoke(CertArguments.Read(rest, "--days", "--dir", "--serial"), world),
                ["show", .. var rest] => Show(CertArguments.Read(rest), world),
                [] => CommandLine.Misused("cert needs one of ca, server, client, renew, revoke, show", Usage, world),
                _ => CommandLine.Misused($"cert has no \"{Printable.Escape(args[0])}\"; it has ca, server, client, renew, revoke, show", Usage, world),
            };
        }
        catch (Exception e) when (e is CertificateCommandException or CertificateFileException)
        {
            string file = e is CertificateFileException { File: var name } ? name + " " : "";
            world.Error.WriteLine($"edgebroker cert: {Printable.Escape(file + e.Message)}");
            return ExitCode.Failed;
        }
    }

    private static int Authority(CertArguments args, Surroundings world)
    {
        if (args.Words.Count > 0) return CommandLine.Misused("cert ca takes no names but --name", Usage, world);
        CertificateFolder folder = Folder(args, world);
        folder.Claim(AuthorityCertificate, AuthorityKey);
        KeyPair made = new CertificateMaker(world.Time).Authority(args.Value("--name", $"EdgeBroker CA of {Environment.MachineName}"), args.Days(AuthorityDays, 36_500));
        folder.WriteSecret(AuthorityKey, made.KeyPem);
        folder.WritePublic(AuthorityCertificate, made.CertificatePem);
        world.Out.WriteLine($"{folder.PathOf(AuthorityCertificate)}: give it to clients (--cafile), and to listeners as client_ca");
        world.Out.WriteLine($"{folder.PathOf(AuthorityKey)}: keep it secret; who has it can make certificates that all of these trust");
        return ExitCode.Success;
    }

    private static int Server(CertArguments args, Surroundings world)
    {
        if (args.Words.Count == 0) return CommandLine.Misused("cert server needs the host names and addresses clients connect to", Usage, world);
        foreach (string host in args.Words)
        {
            if (!IsHost(host)) throw new CertificateCommandException($"\"{host}\" is no host name and no IP address");
        }

        CertificateFolder folder = Folder(args, world);
        string name = FileName(args.Value("--name", "server"));
        folder.Claim(name + ".crt", name + ".key");
        KeyPair authority = LoadAuthority(folder);
        KeyPair made = new CertificateMaker(world.Time).Server(authority, args.Words[0], args.Words, args.Days(LeafDays, LeafDays));
        WritePair(folder, name, made, authority);
        world.Out.WriteLine($"{folder.PathOf(name + ".crt")} and {folder.PathOf(name + ".key")}: the cert and key of [listener.tls]");
        return ExitCode.Success;
    }

    private static int Client(CertArguments args, Surroundings world)
    {
        if (args.Words.Count == 0) return CommandLine.Misused("cert client needs a name: the user name it stands for", Usage, world);
        CertificateFolder folder = Folder(args, world);
        folder.Claim([.. args.Words.SelectMany(name => ClientFileEnds.Select(end => FileName(name) + end))]);
        KeyPair authority = LoadAuthority(folder);
        string password = args.Value("--password-file", "") is { Length: > 0 } file ? ReadPassword(Path.GetFullPath(file, world.WorkingDirectory)) : "";
        foreach (string name in args.Words)
        {
            KeyPair made = new CertificateMaker(world.Time).Client(authority, name, args.Days(LeafDays, LeafDays));
            WritePair(folder, name, made, authority);
            folder.WriteSecret(name + ".p12", Bundle(made, authority, password));
            world.Out.WriteLine($"{folder.PathOf(name + ".crt")}, .key and .p12: for the client {name}");
        }

        return ExitCode.Success;
    }

    private static int Renew(CertArguments args, Surroundings world)
    {
        if (args.Words.Count == 0) return CommandLine.Misused("cert renew needs the certificates to renew", Usage, world);
        foreach (string file in args.Words)
        {
            string path = Path.GetFullPath(file, world.WorkingDirectory);
            string directory = Path.GetDirectoryName(path)!;
            string name = Path.GetFileNameWithoutExtension(path);
            X509Certificate2 old = PemFile.ReadCertificates(path, PemFile.ReadBytes(path))[0];
            var authorities = new CertificateFolder(args.Value("--dir", "") is { Length: > 0 } dir ? Path.GetFullPath(dir, world.WorkingDirectory) : directory, replaces: true);
            KeyPair authority = LoadAuthority(authorities);
            KeyPair made = new CertificateMaker(world.Time).Renew(authority, old, args.Days(LeafDays, LeafDays));
            WritePair(new CertificateFolder(directory, replaces: true), name, made, authority);
            world.Out.WriteLine($"{path}: valid until {Date(made.Certificate.NotAfter)}; a running broker takes it by itself");
            if (File.Exists(Path.Combine(directory, name + ".p12")))
            {
                world.Out.WriteLine($"{Path.Combine(directory, name + ".p12")} still holds the old one; \"cert client {name} --force\" makes both anew");
            }
        }

        return ExitCode.Success;
    }

    private static int Revoke(CertArguments args, Surroundings world)
    {
        CertificateFolder folder = Folder(args, world);
        DateTimeOffset now = world.Time.GetUtcNow();
        DateTimeOffset until = now.AddDays(args.Days(RevocationDays, AuthorityDays));
        string list = folder.PathOf(AuthorityRevocations);
        var register = RevocationRegister.Open(LoadAuthority(folder), list);
        var said = new List<string>();
        foreach (string word in args.Words)
        {
            string file = Path.GetFullPath(word, world.WorkingDirectory);
            // A client by its name, as "cert client" was told it.
            if (!File.Exists(file) && !word.Contains('/') && File.Exists(folder.PathOf(word + ".crt"))) file = folder.PathOf(word + ".crt");
            X509Certificate2 certificate = PemFile.ReadCertificates(file, PemFile.ReadBytes(file))[0];
            said.Add($"{file} ({CertificateFindings.Shown(certificate)}) {(register.Add(file, certificate, now) ? "is revoked" : "was revoked already")}");
        }

        if (args.Value("--serial", "") is { Length: > 0 } serial)
        {
            said.Add($"serial number {serial} {(register.Add(SerialOf(serial), now) ? "is revoked" : "was revoked already")}");
        }

        folder.WritePublic(AuthorityRevocations, register.Sign(now, until));
        said.ForEach(line => world.Out.WriteLine(Printable.Escape(line)));
        world.Out.WriteLine($"{list}: {register.Count} certificate(s) revoked; good until {Date(until.UtcDateTime)}, run \"cert revoke\" again by then");
        world.Out.WriteLine("listeners with it as crl in [listener.tls] take it by themselves, for new connections");
        return ExitCode.Success;
    }

    private static byte[] SerialOf(string text)
    {
        string hex = text.Replace(":", "", StringComparison.Ordinal);
        // As certificates hold it: at most 20 bytes, no zero in front but that of a number which would look negative.
        if (hex.Length is 0 or > 40 || !hex.All(char.IsAsciiHexDigit) || hex.All(c => c == '0'))
        {
            throw new CertificateCommandException($"--serial {text}: give the serial number in hexadecimal, as \"cert show\" does");
        }

        byte[] bytes = Convert.FromHexString(hex.Length % 2 == 0 ? hex : "0" + hex).SkipWhile(b => b == 0).ToArray();
        return bytes[0] >= 0x80 ? [0, .. bytes] : bytes;
    }

    private static int Show(CertArguments args, Surroundings world)
    {
        if (args.Words.Count == 0) return CommandLine.Misused("cert show needs a certificate file", Usage, world);
        foreach (string file in args.Words)
        {
            string path = Path.GetFullPath(file, world.WorkingDirectory);
            foreach (X509Certificate2 certificate in PemFile.ReadCertificates(path, PemFile.ReadBytes(path))) Describe(file, certificate, world);
        }

        return ExitCode.Success;
    }

    private static void Describe(string file, X509Certificate2 certificate, Surroundings world)
    {
        CertificateNames names = CertificateNames.Of(certificate);
        IEnumerable<string> all = [.. names.DnsNames, .. names.Addresses.Select(a => a.ToString()), .. names.Uris];
        world.Out.WriteLine(Printable.Escape($"{file}: {certificate.Subject}"));
        world.Out.WriteLine(Printable.Escape($"  issued by    {certificate.Issuer}"));
        world.Out.WriteLine($"  valid        {Date(certificate.NotBefore)} to {Date(certificate.NotAfter)}");
        if (all.Any()) world.Out.WriteLine(Printable.Escape($"  names        {string.Join(", ", all)}"));
        world.Out.WriteLine($"  serial       {certificate.SerialNumber}");
        world.Out.WriteLine($"  fingerprint  {certificate.GetCertHashString(HashAlgorithmName.SHA256).ToLowerInvariant()} (SHA-256)");
        foreach (string finding in CertificateFindings.Of(file, certificate, world.Time.GetUtcNow()))
        {
            world.Out.WriteLine($"  warning: {Printable.Escape(finding)}");
        }
    }

    private static void WritePair(CertificateFolder folder, string name, KeyPair made, KeyPair authority)
    {
        // The key first: a broker that looks in between finds a pair that does not match, and waits for the certificate.
        folder.WriteSecret(name + ".key", made.KeyPem);
        folder.WritePublic(name + ".crt", made.CertificatePem + authority.CertificatePem);
    }

    private static byte[] Bundle(KeyPair made, KeyPair authority, string password)
    {
        using X509Certificate2 withKey = made.Certificate.HasPrivateKey ? new X509Certificate2(made.Certificate) : made.Certificate.CopyWithPrivateKey(made.Key);
        var all = new X509Certificate2Collection { withKey, X509CertificateLoader.LoadCertificate(authority.Certificate.RawData) };
        return all.ExportPkcs12(Pkcs12ExportPbeParameters.Pbes2Aes256Sha256, password);
    }

    private static KeyPair LoadAuthority(CertificateFolder folder) => KeyPair.Load(folder.PathOf(AuthorityCertificate), folder.PathOf(AuthorityKey));

    private static string ReadPassword(string file) => Encoding.UTF8.GetString(PemFile.ReadBytes(file)).TrimEnd('\r', '\n');

    private static CertificateFolder Folder(CertArguments args, Surroundings world) => new(Path.GetFullPath(args.Value("--dir", "certs"), world.WorkingDirectory), args.Force);

    private static string FileName(string name) => name.Length is > 0 and <= 200 && !name.StartsWith('.') && name.All(c => c > ' ' && c != '/' && !char.IsControl(c)) ? name
        : throw new CertificateCommandException($"\"{name}\" cannot be the name of a file; use letters, digits, \".\", \"_\" and \"-\"");

    private static bool IsHost(string host) => System.Net.IPAddress.TryParse(host, out _)
        || (host.Length <= 253 && host.Split('.').Select((label, i) => (label, i)).All(l => (l is { i: 0, label: "*" }) || IsLabel(l.label)));

    private static bool IsLabel(string label) =>
        label.Length is > 0 and <= 63 && label[0] != '-' && label[^1] != '-' && label.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    private static string Date(DateTime time) => time.ToUniversalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) + " UTC";
}
