using System.Text;
using EdgeBroker.Bridge.Planning;
using EdgeBroker.Client;
using EdgeBroker.Testing;

namespace EdgeBroker.Bridge.Tests.Clouds;

/// <summary>A double of a cloud behind a proxy that knows its name, and settings of a bridge to it.</summary>
internal sealed class CloudRig : IDisposable
{
    public const string Host = "cloud.example";

    private readonly TemporaryDirectory _directory = new();

    public CloudRig(CloudRules rules, int port = 0, System.Security.Cryptography.X509Certificates.X509Certificate2? certificate = null)
    {
        Cloud = new CloudServer(rules, Host, Certificates, certificate);
        Preset = rules.Name;
        Port = port > 0 ? port : rules.IsSecure ? 8883 : 1883;
        Proxy.Hosts[$"{Host}:{Port}"] = Cloud.Port;
    }

    public TestCertificates Certificates { get; } = new();

    public CloudServer Cloud { get; }

    public TestProxy Proxy { get; } = new("gw", "proxy");

    public string Preset { get; }

    public int Port { get; }

    /// <summary>Writes a certificate of the gateway, in place of the one there was.</summary>
    public (string Certificate, string Key) WriteClient(string name) => TestCertificates.WriteClient(_directory.Path, Certificates.Issue(name));

    /// <summary>Settings as an installation for that cloud has them.</summary>
    public BridgeSettings Settings(params RouteSettings[] routes)
    {
        (string certificate, string key) = WriteClient("gw-1");
        BridgeTls tls = new(AuthorityFile: Certificates.WriteAuthority(_directory.Path));
        if (Cloud.Rules.WantsCertificate) tls = tls with { CertificateFile = certificate, KeyFile = key };
        bool hasUser = Preset is "hivemq-cloud" or "cumulocity" or "thingsboard";
        return new BridgeSettings
        {
            Name = "up",
            Preset = Preset,
            Addresses = [$"{Host}:{Port}"],
            ClientId = "gw",
            UserName = hasUser ? "gw" : null,
            Password = hasUser ? () => "secret"u8.ToArray() : null,
            Tls = Cloud.Rules.IsSecure ? tls : null,
            Proxy = $"http://127.0.0.1:{Proxy.Port}",
            ProxyUser = "gw",
            ProxyPassword = () => "proxy"u8.ToArray(),
            Routes = routes,
        };
    }

    /// <summary>Makes options of settings, with short waits between attempts.</summary>
    public static BridgeOptions Plan(BridgeSettings settings, TimeProvider? time = null)
    {
        var problems = new BridgeProblems();
        BridgeOptions? options = new BridgePlanner("node", time ?? TimeProvider.System).Plan(settings, "x", problems);
        Assert.Empty(problems.All.Select(problem => problem.Text));
        return options! with
        {
            Connection = options.Connection with { TimeProvider = TimeProvider.System },
            Reconnect = new ReconnectOptions { FirstDelay = TimeSpan.FromMilliseconds(20), LongestDelay = TimeSpan.FromMilliseconds(100) },
        };
    }

    public static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    public void Dispose()
    {
        Cloud.Dispose();
        Proxy.Dispose();
        _directory.Dispose();
    }
}
