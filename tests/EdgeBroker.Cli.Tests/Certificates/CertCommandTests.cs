using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Cli.Tests.Certificates;

/// <summary><c>edgebroker cert</c>, as a technician uses it.</summary>
public sealed class CertCommandTests : IDisposable
{
    private readonly Terminal _terminal = new();

    public void Dispose() => _terminal.Dispose();

    [Fact]
    public void An_authority_a_server_and_a_client_that_trust_each_other()
    {
        Assert.Equal(0, Run("ca", "--name", "Plant CA"));
        Assert.Equal(0, Run("server", "gw.plant.example", "*.lan", "192.168.1.10", "::1"));
        Assert.Equal(0, Run("client", "press7"));
        using X509Certificate2 authority = Load("ca.crt");
        using X509Certificate2 server = X509Certificate2.CreateFromPemFile(PathOf("server.crt"), PathOf("server.key"));
        using X509Certificate2 client = X509Certificate2.CreateFromPemFile(PathOf("press7.crt"), PathOf("press7.key"));
        Assert.Equal("CN=Plant CA", authority.Subject);
        Assert.True(Trusts(authority, server, "1.3.6.1.5.5.7.3.1"));
        Assert.False(Trusts(authority, server, "1.3.6.1.5.5.7.3.2"));
        Assert.True(Trusts(authority, client, "1.3.6.1.5.5.7.3.2"));
        CertificateNames names = CertificateNames.Of(server);
        foreach (string host in new[] { "gw.plant.example", "GW.plant.example", "press.lan", "192.168.1.10", "::1" }) Assert.True(names.Match(host), host);
        foreach (string host in new[] { "plant.example", "a.b.lan", "lan", "192.168.1.11", "gw" }) Assert.False(names.Match(host), host);
        Assert.Equal(["press7"], CertificateNames.Of(client).CommonNames);
        Assert.InRange((server.NotAfter - server.NotBefore).TotalDays, 824, 825);
        Assert.InRange((authority.NotAfter - authority.NotBefore).TotalDays, 3649, 3650);
        Assert.Equal(2, Chain("server.crt").Count);
    }

    [Fact]
    public void Nodes_of_a_cluster_have_certificates_for_both_ends_that_say_which_node_they_are()
    {
        Run("ca");
        Assert.Equal(0, Run("node", "1", "3"));
        using X509Certificate2 authority = Load("ca.crt");
        foreach (byte node in new byte[] { 1, 3 })
        {
            using X509Certificate2 made = X509Certificate2.CreateFromPemFile(PathOf($"node-{node}.crt"), PathOf($"node-{node}.key"));
            Assert.True(Trusts(authority, made, "1.3.6.1.5.5.7.3.1"));
            Assert.True(Trusts(authority, made, "1.3.6.1.5.5.7.3.2"));
            Assert.Equal(new NodeIdentity(NodeIdentity.ClusterOf(authority), node), NodeIdentity.Of(made));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(PathOf($"node-{node}.key")));
            Assert.Equal(2, Chain($"node-{node}.crt").Count);
        }

        Assert.False(File.Exists(PathOf("node-2.crt")));
        // Renewed it is the same node, for both ends still.
        Assert.Equal(0, Run("renew", Path.Combine("certs", "node-1.crt")));
        using X509Certificate2 renewed = X509Certificate2.CreateFromPemFile(PathOf("node-1.crt"), PathOf("node-1.key"));
        Assert.True(Trusts(authority, renewed, "1.3.6.1.5.5.7.3.1"));
        Assert.True(Trusts(authority, renewed, "1.3.6.1.5.5.7.3.2"));
        Assert.Equal(new NodeIdentity(NodeIdentity.ClusterOf(authority), 1), NodeIdentity.Of(renewed));
    }

    [Fact]
    public void A_cluster_may_be_named_and_what_is_no_node_or_name_is_refused_before_anything_is_written()
    {
        Run("ca");
        Assert.Equal(0, Run("node", "2", "--cluster", "plant-9"));
        Assert.Equal(new NodeIdentity("plant-9", 2), NodeIdentity.Of(Load("node-2.crt")));
        string[][] refused = [["0"], ["8"], ["one"], ["1", "9"], ["+1"], ["1", "--cluster", "Plant"], ["1", "--cluster", "client"], ["2"]];
        foreach (string[] wrong in refused)
        {
            Assert.Equal(1, Run(["node", .. wrong]));
        }

        Assert.False(File.Exists(PathOf("node-1.crt")));
    }

    /// <summary>No certificate of a client or server, and no other URI, makes a node.</summary>
    [Theory]
    [InlineData("urn:edgebroker:plant:1", true)]
    [InlineData("urn:edgebroker:client:1", false)]
    [InlineData("urn:edgebroker:plant:8", false)]
    [InlineData("urn:edgebroker:plant:0", false)]
    [InlineData("urn:edgebroker:plant:11", false)]
    [InlineData("urn:edgebroker:plant", false)]
    [InlineData("urn:edgebroker::1", false)]
    [InlineData("urn:edgebroker:plant:1:2", false)]
    [InlineData("urn:edgebroker:Plant:1", false)]
    [InlineData("urn:other:plant:1", false)]
    public void Which_URIs_are_nodes(string uri, bool isNode) => Assert.Equal(isNode, NodeIdentity.Parse(uri) is not null);

    [Fact]
    public void Keys_are_for_their_owner_alone()
    {
        Run("ca");
        Run("server", "localhost");
        Run("client", "press7");
        foreach (string secret in new[] { "ca.key", "server.key", "press7.key", "press7.p12" })
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(PathOf(secret)));
        }

        Assert.True(File.GetUnixFileMode(PathOf("server.crt")).HasFlag(UnixFileMode.OtherRead));
        Assert.Empty(Directory.GetFiles(PathOf(""), ".*"));
    }

    [Fact]
    public void Nothing_is_replaced_unless_asked()
    {
        Run("ca");
        byte[] before = File.ReadAllBytes(PathOf("ca.key"));
        string name = $"\"EdgeBroker CA of {Environment.MachineName}\"";
        Assert.Equal(1, Run("ca"));
        Assert.Contains(name + "; --force makes another one, which nobody trusts who trusts this", _terminal.Error, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(PathOf("ca.key")));
        // Whoever lacks the key is told which authority is meant, not to make another one.
        File.Move(PathOf("ca.key"), PathOf("elsewhere"));
        Assert.Equal(1, Run("server", "gw"));
        Assert.Contains($"the key of the authority {name}, is not here: bring it", _terminal.Error, StringComparison.Ordinal);
        File.Move(PathOf("elsewhere"), PathOf("ca.key"));
        Assert.Equal(0, Run("ca", "--force"));
        Assert.NotEqual(before, File.ReadAllBytes(PathOf("ca.key")));
        Assert.Contains("who trusts it refuses what the new one makes", _terminal.Out, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(Assert.Single(Directory.GetFiles(PathOf(""), "ca.key.20*"))));
        Assert.Single(Directory.GetFiles(PathOf(""), "ca.crt.20*"));
        Run("server", "gw");
        Assert.Equal(1, Run("server", "gw"));
        Assert.Contains("exists already; --force replaces it", _terminal.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_bundle_opens_with_the_password_of_the_file()
    {
        _terminal.Write("password", "s3cret\n");
        Run("ca");
        Assert.Equal(0, Run("client", "press7", "--password-file", "password"));
        X509Certificate2Collection bundle = X509CertificateLoader.LoadPkcs12CollectionFromFile(PathOf("press7.p12"), "s3cret");
        Assert.Equal(2, bundle.Count);
        Assert.Single(bundle, c => c.HasPrivateKey && c.Subject == "CN=press7");
        Assert.ThrowsAny<CryptographicException>(() => X509CertificateLoader.LoadPkcs12CollectionFromFile(PathOf("press7.p12"), ""));
    }

    [Fact]
    public void Renewed_it_has_the_same_names_and_a_new_key()
    {
        Run("ca");
        Run("server", "gw", "10.0.0.1", "--days", "5");
        using X509Certificate2 old = Load("server.crt");
        Assert.Equal(0, Run("renew", "certs/server.crt"));
        using X509Certificate2 renewed = X509Certificate2.CreateFromPemFile(PathOf("server.crt"), PathOf("server.key"));
        Assert.Equal(old.Subject, renewed.Subject);
        Assert.NotEqual(old.GetPublicKeyString(), renewed.GetPublicKeyString());
        Assert.True(renewed.NotAfter > old.NotAfter);
        Assert.True(CertificateNames.Of(renewed).Match("gw") && CertificateNames.Of(renewed).Match("10.0.0.1"));
        using X509Certificate2 authority = Load("ca.crt");
        Assert.True(Trusts(authority, renewed, "1.3.6.1.5.5.7.3.1"));
    }

    [Fact]
    public void Show_tells_what_matters()
    {
        Run("ca");
        Run("server", "gw.plant.example", "10.0.0.1", "--days", "5");
        Assert.Equal(0, Run("show", "certs/server.crt"));
        string said = _terminal.Out;
        Assert.Contains("names        gw.plant.example, 10.0.0.1", said, StringComparison.Ordinal);
        Assert.Contains("warning: certs/server.crt (gw.plant.example) expires in 4 days", said, StringComparison.Ordinal);
    }

    [Fact]
    public void Show_tells_a_program_the_same()
    {
        Run("ca");
        Run("server", "gw.plant.example", "--days", "5");
        Assert.Equal(0, Run("show", "certs/server.crt", "--json"));
        using var said = JsonDocument.Parse(_terminal.Out);
        JsonElement first = said.RootElement.GetProperty("certificates")[0];
        Assert.Equal("gw.plant.example", first.GetProperty("names")[0].GetString());
        Assert.Equal(Load("server.crt").NotAfter.ToUniversalTime(), first.GetProperty("not_after").GetDateTime());
        Assert.StartsWith("certs/server.crt (gw.plant.example) expires in 4 days", first.GetProperty("warnings")[0].GetString(), StringComparison.Ordinal);
        Assert.Equal(2, said.RootElement.GetProperty("certificates").GetArrayLength());
    }

    [Fact]
    public void Revoked_certificates_are_on_a_list_that_grows_and_is_renewed()
    {
        Run("ca");
        Run("client", "press7", "press8", "press9", "press10");
        Assert.Equal(0, Run("revoke", "press7"));
        Assert.Equal(["press7"], Revoked("press7", "press8", "press9", "press10"));
        string serial = Load("press9.crt").SerialNumber;
        Assert.Equal(0, Run("revoke", "certs/press8.crt", "press7", "--serial", serial, "--days", "20"));
        Assert.Equal(["press7", "press8", "press9"], Revoked("press7", "press8", "press9", "press10"));
        Assert.Contains("(press7) was revoked already", _terminal.Out, StringComparison.Ordinal);
        Assert.Contains("3 certificate(s) revoked; good until", _terminal.Out, StringComparison.Ordinal);
        Assert.InRange((List().NextUpdate!.Value - TimeProvider.System.GetUtcNow()).TotalDays, 19.9, 20);
        byte[] before = File.ReadAllBytes(PathOf("ca.crl"));
        Assert.Equal(0, Run("revoke"));
        Assert.NotEqual(before, File.ReadAllBytes(PathOf("ca.crl")));
        Assert.Equal(3, List().Count);
        Assert.InRange((List().NextUpdate!.Value - TimeProvider.System.GetUtcNow()).TotalDays, 364.9, 365);
        string[] check = ["verify", "-crl_check", "-CAfile", PathOf("ca.crt"), "-CRLfile", PathOf("ca.crl"), PathOf("press10.crt")];
        using var openssl = System.Diagnostics.Process.Start("openssl", check);
        Assert.True(openssl.WaitForExit(EdgeBroker.Testing.Deadline.Timeout));
        Assert.Equal(0, openssl.ExitCode);
    }

    [Fact]
    public void Only_certificates_of_the_authority_are_revoked_and_else_nothing_is_written()
    {
        Run("ca");
        Run("client", "press7");
        Assert.Equal(0, Run("ca", "--dir", "other"));
        Assert.Equal(0, Run("client", "stranger", "--dir", "other"));
        Assert.Equal(1, Run("revoke", "press7", "other/stranger.crt"));
        Assert.Contains("was not issued by this authority", _terminal.Error, StringComparison.Ordinal);
        Assert.Equal(1, Run("revoke", "certs/ca.crt"));
        Assert.False(File.Exists(PathOf("ca.crl")));
        Assert.Equal(0, Run("revoke", "stranger", "--dir", "other"));
        File.Copy(Path.Combine(_terminal.Folder, "other", "ca.crl"), PathOf("ca.crl"));
        Assert.Equal(1, Run("revoke", "press7"));
        Assert.Contains("and not signed by it", _terminal.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(64, "edgebroker cert: a command is missing: ca, server, client, node, renew, revoke, show")]
    [InlineData(64, "there is no command \"sever\"; did you mean \"server\"?", "sever")]
    [InlineData(64, "HOST is missing", "server")]
    [InlineData(1, "is no host name and no IP address", "server", "a b")]
    [InlineData(1, "cannot be the name of a file", "client", "../evil")]
    [InlineData(1, "An authority is made with", "server", "gw")]
    [InlineData(64, "--days 1000: give a whole number from 1 to 825", "server", "gw", "--days", "1000")]
    [InlineData(64, "there is no option --dayz; did you mean --days?", "ca", "--dayz", "3")]
    [InlineData(1, "does not exist", "show", "nothing.crt")]
    [InlineData(1, "does not exist", "revoke", "nobody")]
    [InlineData(1, "give the serial number in hexadecimal", "revoke", "--serial", "x")]
    [InlineData(1, "give the serial number in hexadecimal", "revoke", "--serial", "00")]
    [InlineData(64, "--days 0: give a whole number from 1 to 3650", "revoke", "--days", "0")]
    public void What_it_cannot_do_it_says(int code, string said, params string[] args)
    {
        // The one that needs an authority is the one that has none.
        if (said != "An authority is made with") Run("ca");
        Assert.Equal(code, Run(args));
        Assert.Contains(said, _terminal.Error, StringComparison.Ordinal);
    }

    private int Run(params string[] args) => _terminal.Run(["cert", .. args]);

    private static bool Trusts(X509Certificate2 authority, X509Certificate2 certificate, string use)
    {
        using var chain = new X509Chain { ChainPolicy = { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck } };
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(use));
        return chain.Build(certificate);
    }

    private RevocationList List() => Assert.Single(PemFile.ReadRevocations(PathOf("ca.crl"), File.ReadAllBytes(PathOf("ca.crl")), [Load("ca.crt")]));

    private string[] Revoked(params string[] names)
    {
        RevocationList list = List();
        return [.. names.Where(name => list.Revokes(Load(name + ".crt")))];
    }

    private X509Certificate2 Load(string file) => X509CertificateLoader.LoadCertificateFromFile(PathOf(file));

    private X509Certificate2Collection Chain(string file)
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(PathOf(file));
        return chain;
    }

    private string PathOf(string file) => Path.Combine(_terminal.Folder, "certs", file);
}
