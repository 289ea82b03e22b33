using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Security;
using EdgeBroker.Http.Access;
using EdgeBroker.Http.Health;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Http.Tests.Rig;

/// <summary>The secure and web listeners of a broker in this process, with a folder of certificates of its own.</summary>
internal sealed class WebHost : IAsyncDisposable, IAuthenticator, IHealth
{
    private readonly AnonymousAuthenticator _anonymous = new();
    private readonly List<IAsyncDisposable> _opened = [];
    private ListenerFamilies? _server;

    public WebHost()
    {
        ServerCertificate = Authority.Server();
        Folder = Directory.CreateTempSubdirectory("edgebroker-http-").FullName;
        Write("server.crt", ServerCertificate.Pem);
        Write("server.key", ServerCertificate.KeyPem);
        Write("ca.crt", Authority.Pem);
    }

    public TestAuthority Authority { get; } = new();

    public Issued ServerCertificate { get; }

    public string Folder { get; }

    public LogLines Log { get; } = new();

    public RecordedEvents Events { get; } = new();

    public Broker Broker { get; private set; } = null!;

    public ListenerFamilies Server => _server!;

    /// <summary>What HTTP listeners serve.</summary>
    public HttpSite Site { get; private set; } = null!;

    /// <summary>Who may administer the broker.</summary>
    public Replaceable<HttpOptions> Options { get; } = new(new HttpOptions { NodeName = "gw-test" });

    /// <summary>Adds endpoints before listeners start.</summary>
    public Action<WebHost>? Extend { get; init; }

    /// <summary>Who decides about clients; null: nobody is asked for a password.</summary>
    public IAuthenticator? Authenticator { get; init; }

    /// <summary>The other nodes.</summary>
    public ICluster Cluster { get; init; } = StandaloneCluster.Instance;

    /// <summary>The clock of the broker and of its listeners, but for the web framework's own.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>What is kept.</summary>
    public IJournal Journal { get; init; } = VolatileJournal.Instance;

    /// <summary>Reactors, and loops of web listeners.</summary>
    public int Loops { get; init; } = 2;

    /// <summary>What authenticators were asked.</summary>
    public ConcurrentQueue<AuthenticationRequest> Asked { get; } = new();

    public TlsOptions Tls => new() { Certificates = [new CertificateFiles(PathOf("server.crt"), PathOf("server.key"))] };

    public TlsOptions Mutual => Tls with { ClientCaFile = PathOf("ca.crt"), ClientAuthentication = ClientAuthentication.Require };

    public string PathOf(string file) => Path.Combine(Folder, file);

    public void Write(string file, string text) => File.WriteAllText(PathOf(file), text);

    /// <summary>Replaces a file as careful programs do.</summary>
    public void Replace(string file, string text)
    {
        Write(file + ".new", text);
        File.Move(PathOf(file + ".new"), PathOf(file), overwrite: true);
    }

    /// <summary>Starts one listener; returns its port.</summary>
    public async Task<int> StartAsync(
        ListenerProtocol protocol, TlsOptions? tls = null, Func<ListenerSettings, ListenerSettings>? with = null, MqttOptions? limits = null)
    {
        var options = new ListenerSettings
        {
            Protocol = protocol,
            Address = "127.0.0.1:0",
            AllowAnonymous = true,
            Tls = protocol is ListenerProtocol.Ws or ListenerProtocol.Http ? null : tls ?? Tls,
        };
        await StartAsync(limits, with?.Invoke(options) ?? options);
        return Port(0);
    }

    public async Task StartAsync(MqttOptions? limits, params ListenerSettings[] listeners)
    {
        Broker = new Broker(
            limits ?? TestBrokerOptions.Quiet, new BrokerClock(Time), Journal, new BrokerEvents(Events), "test")
        { Cluster = Cluster };
        Site = new HttpSite(Broker, this, this, Options, new AuditLog(Log, Time), Time);
        Extend?.Invoke(this);
        _server = new ListenerFamilies(Broker, this, Site, Time, Log, Loops);
        await _server.StartAsync();
        foreach (ListenerSettings settings in listeners) await (await _server.OpenAsync(settings)).BeginAsync();
    }

    public int Port(int listener) => int.Parse(Server.Listeners[listener].EndPoint.Split(':')[^1], CultureInfo.InvariantCulture);

    public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation)
    {
        Asked.Enqueue(request);
        return (Authenticator ?? _anonymous).AuthenticateAsync(request, cancellation);
    }

    AuthenticationResult IAuthenticator.Review(AuthenticationResult identity, AclSubject subject) =>
        Authenticator?.Review(identity, subject) ?? identity;

    /// <summary>What health is told.</summary>
    public List<HealthFinding> Findings { get; } = [];

    public IReadOnlyList<HealthFinding> Check() => Findings;

    public async Task<NetworkStream> TcpAsync(int port)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync("127.0.0.1", port);
        return Opened(new NetworkStream(socket, ownsSocket: true));
    }

    /// <summary>A TLS stream to the broker, perhaps behind something that comes first.</summary>
    public async Task<SslStream> TlsAsync(
        int port, Issued? client = null, SslProtocols protocols = SslProtocols.None, string host = "localhost", Action<X509Certificate2>? inspect = null,
        byte[]? first = null)
    {
        NetworkStream plain = await TcpAsync(port);
        if (first is not null) await plain.WriteAsync(first);
        SslStream stream = Opened(new SslStream(plain));
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(Authority.Certificate);
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = host,
            EnabledSslProtocols = protocols,
            CertificateChainPolicy = policy,
            ClientCertificateContext = client is null ? null : SslStreamCertificateContext.Create(client.WithKey, null, offline: true),
        }).WaitAsync(Deadline.Timeout);
        inspect?.Invoke((X509Certificate2)stream.RemoteCertificate!);
        return stream;
    }

    /// <summary>An MQTT client over a stream.</summary>
    public TestClient Mqtt(Stream stream, string name = "client", ProtocolVersion version = ProtocolVersion.V5) =>
        Opened(TestClient.Over(stream, version, name));

    /// <summary>An accepted MQTT client over TLS.</summary>
    public async Task<TestClient> ConnectAsync(int port, string clientId, Issued? client = null)
    {
        TestClient mqtt = Mqtt(await TlsAsync(port, client), clientId);
        await mqtt.SendAsync(mqtt.Packets.Connect(clientId));
        await mqtt.ExpectConnackAsync();
        return mqtt;
    }

    /// <summary>Shows that the listener came to no harm.</summary>
    public async Task StillServesAsync(int port, Issued? client = null)
    {
        TestClient mqtt = await ConnectAsync(port, "after", client);
        await mqtt.FenceAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (IAsyncDisposable one in _opened) await one.DisposeAsync();
        if (_server is not null)
        {
            await _server.StopAsync(TimeSpan.FromSeconds(3), TimeProvider.System);
            await _server.DisposeAsync();
        }

        Directory.Delete(Folder, recursive: true);
    }

    private T Opened<T>(T one)
        where T : IAsyncDisposable
    {
        lock (_opened) _opened.Add(one);
        return one;
    }
}
