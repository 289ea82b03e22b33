using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.RegularExpressions;
using EdgeBroker.Cli.Control;
using EdgeBroker.Cli.Options;
using EdgeBroker.Protocol;
using EdgeBroker.Security.Passwords;
using EdgeBroker.Testing;
using EdgeBroker.Verbs;

namespace EdgeBroker.Tests.Reloading;

/// <summary>The verb <c>run</c> in this process, with a folder of its own, and <c>reload</c> beside it.</summary>
internal sealed partial class BrokerInProcess : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly LogStream _log = new();
    private readonly List<TestClient> _clients = [];
    private Task<int> _running = null!;

    public TemporaryDirectory Directory { get; } = new();

    public string Log => _log.Text;

    public string DataDirectory => Path.Combine(Directory.Path, "data");

    /// <summary>From here on the log goes elsewhere.</summary>
    public void RedirectLog(Stream stream) => _log.Redirect(stream);

    /// <summary>Starts a broker and waits until it answers on its control socket.</summary>
    /// <param name="settings">TOML besides [node].</param>
    public static async Task<BrokerInProcess> StartAsync(string settings)
    {
        var broker = new BrokerInProcess();
        broker.Configure(settings);
        broker.Start();
        await broker.AnswersAsync();
        return broker;
    }

    /// <summary>Makes the line of a password file; weak, so that tests are quick.</summary>
    public static string User(string name, string password = "geheim") => $"{name}:{PasswordHash.Bcrypt(password, 4).Text}\n";

    /// <summary>Writes broker.toml anew.</summary>
    public void Configure(string settings) => Directory.Write("broker.toml", "[node]\nname = \"n\"\ndata_dir = \"data\"\n" + settings);

    public void Start() =>
        _running = Task.Factory.StartNew(() => Run(TextWriter.Null, TextWriter.Null, "run", "-c", "broker.toml"), TaskCreationOptions.LongRunning);

    public Task AnswersAsync() => Deadline.Until(
        () => _running.IsCompleted ? throw new InvalidOperationException("The broker has ended:\n" + Log)
            : ControlClient.Ask(DataDirectory, new ControlRequest("hello"), Deadline.Timeout, out _) is not null,
        "the broker to answer");

    /// <summary>The verb <c>reload</c>: its exit code and all it says.</summary>
    public (int Exit, string Said) Reload(params string[] arguments)
    {
        using var said = new StringWriter();
        int exit = Run(said, said, ["reload", .. arguments.Length > 0 ? arguments : ["-c", "broker.toml"]]);
        return (exit, said.ToString());
    }

    /// <summary>Reloads, which must succeed.</summary>
    public string Apply()
    {
        (int exit, string said) = Reload();
        Assert.True(exit == 0, said + Log);
        return said;
    }

    /// <summary>Writes broker.toml anew and reloads, which must succeed.</summary>
    public string Apply(string settings)
    {
        Configure(settings);
        return Apply();
    }

    /// <summary>The port of the listener that began as the nth of its protocol.</summary>
    public int Port(string protocol = "MQTT", int nth = 0)
    {
        Match[] found = [.. Listening().Matches(Log).Where(match => match.Groups[1].Value == protocol)];
        Assert.True(found.Length > nth, Log);
        return int.Parse(found[nth].Groups[2].ValueSpan, CultureInfo.InvariantCulture);
    }

    public static async Task<Socket> SocketAsync(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync("127.0.0.1", port);
        return socket;
    }

    public async Task<TestClient> OpenAsync(int port, ProtocolVersion version = ProtocolVersion.V5, string name = "client")
    {
        var client = TestClient.Over(new NetworkStream(await SocketAsync(port), ownsSocket: true), version, name);
        lock (_clients) _clients.Add(client);
        return client;
    }

    /// <summary>A client over TLS that trusts <c>certs/ca.crt</c>, and the serial number of the certificate it was shown.</summary>
    public async Task<(TestClient Client, string Serial)> OpenTlsAsync(int port, string name = "client")
    {
        var stream = new SslStream(new NetworkStream(await SocketAsync(port), ownsSocket: true), leaveInnerStreamOpen: false);
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(Path.Combine(Directory.Path, "certs", "ca.crt"));
        await Deadline.Within(
            stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", CertificateChainPolicy = policy }),
            "the handshake");
        string serial = ((X509Certificate2)stream.RemoteCertificate!).SerialNumber;
        var client = TestClient.Over(stream, ProtocolVersion.V5, name);
        lock (_clients) _clients.Add(client);
        return (client, serial);
    }

    /// <summary>An accepted client; without a user name an anonymous one.</summary>
    public async Task<TestClient> ConnectAsync(
        string clientId, string? user = null, ProtocolVersion version = ProtocolVersion.V5, string password = "geheim", int? port = null,
            TestWill? will = null, byte[]? properties = null)
    {
        TestClient client = await OpenAsync(port ?? Port(), version, clientId);
        await client.SendAsync(
            client.Packets.Connect(
            clientId, userName: user, password: user is null ? null : Encoding.UTF8.GetBytes(password), will: will, properties: properties));
        await client.ExpectConnackAsync();
        return client;
    }

    /// <summary>Whether the broker refuses a client.</summary>
    public async Task<bool> RefusesAsync(string? user, string password = "geheim", int? port = null)
    {
        TestClient client = await OpenAsync(port ?? Port(), name: "refused?");
        await client.SendAsync(client.Packets.Connect("refused?", userName: user, password: user is null ? null : Encoding.UTF8.GetBytes(password)));
        ReceivedPacket answer = await client.ExpectAsync(PacketType.Connack);
        await client.DisposeAsync();
        return answer.Reason != ReasonCode.Success;
    }

    public async Task<int> StopAsync()
    {
        await _stop.CancelAsync();
        return await Deadline.Within(_running, "the broker to stop");
    }

    /// <summary>Another verb in the same folder.</summary>
    public int Run(TextWriter output, TextWriter error, params string[] arguments) => VerbTable.All.Run(arguments, new CommandContext
    {
        Out = output,
        Error = error,
        Log = _log,
        WorkingDirectory = Directory.Path,
        Time = TimeProvider.System,
        ReadSettings = ConfigurationFile.ReadSettings,
        Stop = _stop.Token,
    });

    public async ValueTask DisposeAsync()
    {
        foreach (TestClient client in _clients) await client.DisposeAsync();
        await StopAsync();
        _stop.Dispose();
        Directory.Dispose();
        await _log.DisposeAsync();
    }

    [GeneratedRegex(@"\blistening for (\w+) on 127\.0\.0\.1:([1-9][0-9]*)")]
    private static partial Regex Listening();
}
