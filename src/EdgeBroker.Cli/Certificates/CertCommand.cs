using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using EdgeBroker.Cli.Options;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Cli.Certificates;

/// <summary><c>edgebroker cert ...</c>: a private authority for those who have none, and certificates of it.</summary>
public static class CertCommand
{
    private const int AuthorityDays = 3650;
    private const int MostAuthorityDays = 36_500;
    private const int LeafDays = 825;
    private const int RevocationDays = 365;
    private const string AuthorityCertificate = "ca.crt";
    private const string AuthorityKey = "ca.key";
    private const string AuthorityRevocations = "ca.crl";
    private const string UsualFolder = "certs";
    private static readonly string[] ClientFileEnds = [".crt", ".key", ".p12"];

    private static readonly CommandOption Folder = CommandOption.Path("--dir", null, "DIR", $"where the files are ({UsualFolder})");
    private static readonly CommandOption RenewFolder = CommandOption.Path("--dir", null, "DIR", "where the authority is (beside the certificate)");
    private static readonly CommandOption AuthorityName = CommandOption.Text("--name", null, "NAME", "its name");
    private static readonly CommandOption FileName = CommandOption.Text("--name", null, "NAME", "name of the files (server)");
    private static readonly CommandOption AuthorityLife =
        CommandOption.Number("--days", null, "N", 1, MostAuthorityDays, $"days until it ends ({AuthorityDays})");
    private static readonly CommandOption LeafLife = CommandOption.Number("--days", null, "N", 1, LeafDays, $"days until it ends ({LeafDays})");
    private static readonly CommandOption ListLife =
        CommandOption.Number("--days", null, "N", 1, AuthorityDays, $"days until the list ends ({RevocationDays})");
    private static readonly CommandOption PasswordFile =
        CommandOption.Path("--password-file", null, "FILE", "encrypt NAME.p12 with the password of this file; without it with none");
    private static readonly CommandOption ClusterName =
        CommandOption.Text("--cluster", null, "NAME", "the cluster, for an authority that serves several (made of the authority's key)");
    private static readonly CommandOption Serial =
        CommandOption.Text("--serial", null, "HEX", "the certificate of this serial number, for one whose file is lost");

    public static Command Command { get; } = new()
    {
        Name = "cert",
        Summary = "make and show certificates: a private authority, servers, clients",
        Remarks = "Keys are ECDSA P-256, readable by their owner alone.",
        Commands =
        [
            new Command
            {
                Name = "cert ca", Summary = "make an authority", Options = [AuthorityName, AuthorityLife, Folder, SharedOptions.Force],
                Run = (args, context) => Guarded(Authority, args, context),
                Remarks = $"It is {AuthorityCertificate}, which clients and brokers trust, and {AuthorityKey}, which stays where certificates are made.",
            },
            new Command
            {
                Name = "cert server", Summary = "make a certificate for the host names and IP addresses of a server",
                Operands = [new Operand("HOST", Repeats: true)],
                Options = [FileName, LeafLife, Folder, SharedOptions.Force], Run = (args, context) => Guarded(Server, args, context),
                Remarks = "It is server.crt, with its chain, and server.key.",
            },
            new Command
            {
                Name = "cert client", Summary = "make a certificate for each client; its name becomes the user name",
                Operands = [new Operand("NAME", Repeats: true)],
                Options = [LeafLife, PasswordFile, Folder, SharedOptions.Force], Run = (args, context) => Guarded(Client, args, context),
                Remarks = "It is NAME.crt, NAME.key and NAME.p12 (PKCS#12, with the authority).",
            },
            new Command
            {
                Name = "cert node", Summary = "make a certificate for each node of a cluster", Operands = [new Operand("ID", Repeats: true)],
                Options = [ClusterName, LeafLife, Folder, SharedOptions.Force], Run = (args, context) => Guarded(Node, args, context),
                Remarks = $"""
                    It is node-ID.crt, with its chain, and node-ID.key, for links and votes. A cluster best has an authority that makes nothing else (--dir):
                    whoever has a node's certificate is that node. An id is 1 to {NodeIdentity.MostNode}.
                    """,
            },
            new Command
            {
                Name = "cert renew", Summary = "replace a certificate made here, and its key, by a new one of the same names",
                Operands = [new Operand("CERTIFICATE", Repeats: true)],
                Options = [LeafLife, RenewFolder], Run = (args, context) => Guarded(Renew, args, context),
            },
            new Command
            {
                Name = "cert revoke", Summary = "add certificates made here to the list that listeners refuse clients by",
                Operands = [new Operand("CERTIFICATE|NAME", IsRequired: false, Repeats: true)], Options = [Serial, ListLife, Folder], Run = (args, context) =>
                    Guarded(Revoke, args, context),
                Remarks = $"""
                    The list is {AuthorityRevocations}, for listeners with crl = "{UsualFolder}/{AuthorityRevocations}". It ends, and must be renewed by then:
                    without a certificate to add, revoke does only that.
                    """,
            },
            new Command
            {
                Name = "cert show", Summary = "tell what is in a certificate file", Operands = [new Operand("FILE", Repeats: true)],
                Options = [SharedOptions.Json],
                Run = (args, context) => Guarded(Show, args, context),
            },
        ],
    };

    private static int Guarded(Func<Arguments, CommandContext, int> run, Arguments args, CommandContext context)
    {
        if (!context.HasOpenSsl()) throw new CommandException(OpenSsl.Missing);
        try
        {
            return run(args, context);
        }
        catch (CertificateFileException e)
        {
            throw new CommandException($"{e.File} {e.Message}", e);
        }
    }

    private static int Authority(Arguments args, CommandContext context)
    {
        CertificateFolder folder = FolderOf(args, context, replaces: args.Has(SharedOptions.Force));
        if (!args.Has(SharedOptions.Force) && File.Exists(folder.PathOf(AuthorityCertificate)))
        {
            throw new CommandException(
                $"{folder.PathOf(AuthorityCertificate)} is there already, the authority \"{NameOf(folder)}\"; --force makes another one, which "
                    + "nobody trusts who trusts this, and keeps this under another name");
        }

        folder.Claim(AuthorityCertificate, AuthorityKey);
        KeyPair made = new CertificateMaker(context.Time).Authority(
            args.Text(AuthorityName) ?? $"EdgeBroker CA of {Environment.MachineName}", (int)(args.Number(AuthorityLife) ?? AuthorityDays));
        // Nothing brings it back once it is written over, and with it go all certificates that it has made.
        List<string> kept = folder.SetAside(context.Time.GetUtcNow(), AuthorityCertificate, AuthorityKey);
        if (kept.Count > 0)
        {
            context.Out.WriteLine(
                $"the old authority is kept as {string.Join(" and ", kept)}; who trusts it refuses what the new one makes, and the other way round: make the "
                    + "certificates of servers and clients anew, and give everybody the new one");
        }

        folder.WriteSecret(AuthorityKey, made.KeyPem);
        folder.WritePublic(AuthorityCertificate, made.CertificatePem);
        context.Out.WriteLine($"{folder.PathOf(AuthorityCertificate)}: give it to clients (--cafile), and to listeners as client_ca");
        context.Out.WriteLine($"{folder.PathOf(AuthorityKey)}: keep it secret; who has it can make certificates that all of these trust");
        return ExitCode.Success;
    }

    private static int Server(Arguments args, CommandContext context)
    {
        foreach (string host in args.Operands)
        {
            if (!IsHost(host)) throw new CommandException($"\"{host}\" is no host name and no IP address");
        }

        CertificateFolder folder = FolderOf(args, context, replaces: args.Has(SharedOptions.Force));
        string name = ToFileName(args.Text(FileName) ?? "server");
        folder.Claim(name + ".crt", name + ".key");
        KeyPair authority = LoadAuthority(folder);
        KeyPair made = new CertificateMaker(context.Time).Server(authority, args.Operands[0], args.Operands, (int)(args.Number(LeafLife) ?? LeafDays));
        WritePair(folder, name, made, authority);
        context.Out.WriteLine($"{folder.PathOf(name + ".crt")} and {folder.PathOf(name + ".key")}: the cert and key of [listener.tls]");
        return ExitCode.Success;
    }

    private static int Client(Arguments args, CommandContext context)
    {
        CertificateFolder folder = FolderOf(args, context, replaces: args.Has(SharedOptions.Force));
        folder.Claim([.. args.Operands.SelectMany(name => ClientFileEnds.Select(end => ToFileName(name) + end))]);
        KeyPair authority = LoadAuthority(folder);
        string password = args.Text(PasswordFile) is { } file ? ReadPassword(context.FullPath(file)) : "";
        foreach (string name in args.Operands)
        {
            KeyPair made = new CertificateMaker(context.Time).Client(authority, name, (int)(args.Number(LeafLife) ?? LeafDays));
            WritePair(folder, name, made, authority);
            folder.WriteSecret(name + ".p12", Bundle(made, authority, password));
            context.Out.WriteLine($"{folder.PathOf(name + ".crt")}, .key and .p12: for the client {name}");
        }

        return ExitCode.Success;
    }

    private static int Node(Arguments args, CommandContext context)
    {
        byte[] nodes = [.. args.Operands.Select(NodeOf)];
        if (args.Text(ClusterName) is { } word && !NodeIdentity.IsCluster(word))
        {
            throw new CommandException($"\"{word}\" cannot be the name of a cluster; use up to 32 lower-case letters, digits and \"-\", and not \"client\"");
        }

        CertificateFolder folder = FolderOf(args, context, replaces: args.Has(SharedOptions.Force));
        folder.Claim([.. nodes.SelectMany(node => new[] { $"node-{node}.crt", $"node-{node}.key" })]);
        KeyPair authority = LoadAuthority(folder);
        string cluster = args.Text(ClusterName) ?? NodeIdentity.ClusterOf(authority.Certificate);
        foreach (byte node in nodes)
        {
            KeyPair made = new CertificateMaker(context.Time).Node(authority, new NodeIdentity(cluster, node), (int)(args.Number(LeafLife) ?? LeafDays));
            WritePair(folder, $"node-{node}", made, authority);
            string file = folder.PathOf($"node-{node}.crt");
            context.Out.WriteLine($"{file} and .key: for node {node} of the cluster {cluster}, with {folder.PathOf(AuthorityCertificate)}");
        }

        context.Out.WriteLine($"{folder.PathOf(AuthorityKey)}: carry it away; no node needs it, and who has it can be any of them");
        return ExitCode.Success;
    }

    private static byte NodeOf(string word) => byte.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out byte node)
        && node is >= 1 and <= NodeIdentity.MostNode ? node
        : throw new CommandException($"\"{word}\" is no node; an id is 1 to {NodeIdentity.MostNode}");

    private static int Renew(Arguments args, CommandContext context)
    {
        foreach (string file in args.Operands)
        {
            string path = context.FullPath(file);
            string directory = Path.GetDirectoryName(path)!;
            string name = Path.GetFileNameWithoutExtension(path);
            X509Certificate2 old = PemFile.ReadCertificates(path, PemFile.ReadBytes(path))[0];
            var authorities = new CertificateFolder(args.Text(RenewFolder) is { } dir ? context.FullPath(dir) : directory, replaces: true);
            KeyPair authority = LoadAuthority(authorities);
            KeyPair made = new CertificateMaker(context.Time).Renew(authority, old, (int)(args.Number(LeafLife) ?? LeafDays));
            WritePair(new CertificateFolder(directory, replaces: true), name, made, authority);
            context.Out.WriteLine($"{path}: valid until {Date(made.Certificate.NotAfter)}; a running broker takes it by itself");
            if (File.Exists(Path.Combine(directory, name + ".p12")))
            {
                context.Out.WriteLine($"{Path.Combine(directory, name + ".p12")} still holds the old one; \"cert client {name} --force\" makes both anew");
            }
        }

        return ExitCode.Success;
    }

    private static int Revoke(Arguments args, CommandContext context)
    {
        CertificateFolder folder = FolderOf(args, context, replaces: true);
        DateTimeOffset now = context.Time.GetUtcNow();
        DateTimeOffset until = now.AddDays(args.Number(ListLife) ?? RevocationDays);
        string list = folder.PathOf(AuthorityRevocations);
        var register = RevocationRegister.Open(LoadAuthority(folder), list);
        var said = new List<string>();
        foreach (string word in args.Operands)
        {
            string file = context.FullPath(word);
            // A client by its name, as "cert client" was told it.
            if (!File.Exists(file) && !word.Contains('/') && File.Exists(folder.PathOf(word + ".crt"))) file = folder.PathOf(word + ".crt");
            X509Certificate2 certificate = PemFile.ReadCertificates(file, PemFile.ReadBytes(file))[0];
            said.Add($"{file} ({CertificateFindings.Shown(certificate)}) {(register.Add(file, certificate, now) ? "is revoked" : "was revoked already")}");
        }

        if (args.Text(Serial) is { } serial)
        {
            said.Add($"serial number {serial} {(register.Add(SerialOf(serial), now) ? "is revoked" : "was revoked already")}");
        }

        folder.WritePublic(AuthorityRevocations, register.Sign(now, until));
        said.ForEach(line => context.Out.WriteLine(Printable.Escape(line)));
        context.Out.WriteLine($"{list}: {register.Count} certificate(s) revoked; good until {Date(until.UtcDateTime)}, run \"cert revoke\" again by then");
        context.Out.WriteLine("listeners with it as crl in [listener.tls] take it by themselves, for new connections");
        return ExitCode.Success;
    }

    private static byte[] SerialOf(string text)
    {
        string hex = text.Replace(":", "", StringComparison.Ordinal);
        // As certificates hold it: at most 20 bytes, no zero in front but that of a number which would look negative.
        if (hex.Length is 0 or > 40 || !hex.All(char.IsAsciiHexDigit) || hex.All(c => c == '0'))
        {
            throw new CommandException($"--serial {text}: give the serial number in hexadecimal, as \"cert show\" does");
        }

        byte[] bytes = Convert.FromHexString(hex.Length % 2 == 0 ? hex : "0" + hex).SkipWhile(b => b == 0).ToArray();
        return bytes[0] >= 0x80 ? [0, .. bytes] : bytes;
    }

    private static int Show(Arguments args, CommandContext context)
    {
        var found = new List<CertificateAnswer>();
        foreach (string file in args.Operands)
        {
            string path = context.FullPath(file);
            foreach (X509Certificate2 certificate in PemFile.ReadCertificates(path, PemFile.ReadBytes(path))) found.Add(Describe(file, certificate, context));
        }

        if (args.Has(SharedOptions.Json)) context.WriteJson(new CertificateAnswers(found), CommandJson.Default.CertificateAnswers);
        else found.ForEach(one => Show(one, context));
        return ExitCode.Success;
    }

    private static CertificateAnswer Describe(string file, X509Certificate2 certificate, CommandContext context)
    {
        CertificateNames names = CertificateNames.Of(certificate);
        return new CertificateAnswer
        {
            File = file,
            Subject = certificate.Subject,
            Issuer = certificate.Issuer,
            NotBefore = certificate.NotBefore.ToUniversalTime(),
            NotAfter = certificate.NotAfter.ToUniversalTime(),
            Names = [.. names.DnsNames, .. names.Addresses.Select(address => address.ToString()), .. names.Uris],
            Serial = certificate.SerialNumber,
            FingerprintSha256 = certificate.GetCertHashString(HashAlgorithmName.SHA256).ToLowerInvariant(),
            Warnings = [.. CertificateFindings.Of(file, certificate, context.Time.GetUtcNow())],
        };
    }

    private static void Show(CertificateAnswer one, CommandContext context)
    {
        context.Out.WriteLine(Printable.Escape($"{one.File}: {one.Subject}"));
        context.Out.WriteLine(Printable.Escape($"  issued by    {one.Issuer}"));
        context.Out.WriteLine($"  valid        {Date(one.NotBefore)} to {Date(one.NotAfter)}");
        if (one.Names.Count > 0) context.Out.WriteLine(Printable.Escape($"  names        {string.Join(", ", one.Names)}"));
        context.Out.WriteLine($"  serial       {one.Serial}");
        context.Out.WriteLine($"  fingerprint  {one.FingerprintSha256} (SHA-256)");
        foreach (string warning in one.Warnings) context.Out.WriteLine($"  warning: {Printable.Escape(warning)}");
    }

    private static void WritePair(CertificateFolder folder, string name, KeyPair made, KeyPair authority)
    {
        // The key first: a broker that looks in between finds a pair that does not match, and waits for the certificate.
        folder.WriteSecret(name + ".key", made.KeyPem);
        folder.WritePublic(name + ".crt", made.CertificatePem + authority.CertificatePem);
    }

    private static byte[] Bundle(KeyPair made, KeyPair authority, string password)
    {
        using X509Certificate2 withKey = made.Certificate.HasPrivateKey ? new X509Certificate2(made.Certificate)
            : made.Certificate.CopyWithPrivateKey(made.Key);
        var all = new X509Certificate2Collection { withKey, X509CertificateLoader.LoadCertificate(authority.Certificate.RawData) };
        return all.ExportPkcs12(Pkcs12ExportPbeParameters.Pbes2Aes256Sha256, password);
    }

    private static KeyPair LoadAuthority(CertificateFolder folder)
    {
        (string certificate, string key) = (folder.PathOf(AuthorityCertificate), folder.PathOf(AuthorityKey));
        if (File.Exists(certificate) && !File.Exists(key))
        {
            throw new CommandException(
                $"{key}, the key of the authority \"{NameOf(folder)}\", is not here: bring it from where that authority was made. "
                    + "(\"edgebroker cert ca\" would make another one, which nobody trusts who trusts this)");
        }

        return KeyPair.Load(certificate, key);
    }

    private static string NameOf(CertificateFolder folder)
    {
        string certificate = folder.PathOf(AuthorityCertificate);
        return CertificateFindings.Shown(PemFile.ReadCertificates(certificate, PemFile.ReadBytes(certificate))[0]);
    }

    private static string ReadPassword(string file) => Encoding.UTF8.GetString(PemFile.ReadBytes(file)).TrimEnd('\r', '\n');

    private static CertificateFolder FolderOf(Arguments args, CommandContext context, bool replaces) =>
        new(context.FullPath(args.Text(Folder) ?? UsualFolder), replaces);

    private static string ToFileName(string name) =>
        name.Length is > 0 and <= 200 && !name.StartsWith('.') && name.All(c => c > ' ' && c != '/' && !char.IsControl(c)) ? name
        : throw new CommandException($"\"{name}\" cannot be the name of a file; use letters, digits, \".\", \"_\" and \"-\"");

    // Of digits and dots alone there are addresses, and slips of the finger.
    private static bool IsHost(string host) => System.Net.IPAddress.TryParse(host, out _)
        || (host.Length <= 253 && host.Any(c => !char.IsAsciiDigit(c) && c != '.')
            && host.Split('.').Select((label, i) => (label, i)).All(l => (l is { i: 0, label: "*" }) || IsLabel(l.label)));

    private static bool IsLabel(string label) =>
        label.Length is > 0 and <= 63 && label[0] != '-' && label[^1] != '-' && label.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    private static string Date(DateTime time) => time.ToUniversalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) + " UTC";
}
