using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Reactors;
using EdgeBroker.Transport.Tests.Reactors;
using EdgeBroker.Transport.Tls;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeBroker.Transport.Tests.Tls;

/// <summary>Handlers that end their own connection, over TLS: as <see cref="FaultTests"/> has it for plain sockets.</summary>
public sealed class TlsConnectionTests : ITlsPort, ITlsUser, IDisposable
{
    // More than the pool of blocks keeps: given back, its pages are gone.
    private const int UnitBytes = 6 * 1024 * 1024;

    private readonly TemporaryDirectory _directory = new();
    private readonly ConcurrentQueue<Exception> _faults = new();
    private readonly TaskCompletionSource<Ender> _handler = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _thumbprint;
    private bool _throws;

    public TlsConnectionTests()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        _thumbprint = certificate.Thumbprint;
        string certificateFile = Path.Combine(_directory.Path, "server.crt"), keyFile = Path.Combine(_directory.Path, "server.key");
        File.WriteAllText(certificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
        Material = TlsMaterial.Load(new TlsOptions { Certificates = [new CertificateFiles(certificateFile, keyFile)] });
    }

    public TlsMaterial Material { get; }

    public HandshakeSlots Slots { get; } = new(TimeProvider.System);

    public TimeProvider Time => TimeProvider.System;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_a_handler_was_given_stays_until_it_returns_also_when_it_ends_the_connection(bool throws)
    {
        _throws = throws;
        using var reactor = new Reactor(0, TimeProvider.System, (exception, _) => _faults.Enqueue(exception), NullLogger<Reactor>.Instance);
        ReactorListener listener = ReactorListener.Open(
            Transport.Linux.SocketAddress.Parse("127.0.0.1:0"),
            [reactor],
            maxConnections: 10,
            accepted => new TlsConnection(accepted, this, this),
            _ => { },
            NullLogger<ReactorListener>.Instance);
        listener.Start();
        reactor.Start();
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPEndPoint.Parse(listener.EndPoint));
        await using var stream = new SslStream(new NetworkStream(socket));
        await Deadline.Within(
            stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.GetCertHashString() == _thumbprint,
            }),
            "the handshake");
        byte[] unit = new byte[UnitBytes];
        unit.AsSpan().Fill(7);
        Task sent = stream.WriteAsync(unit).AsTask().ContinueWith(_ => { }, TaskScheduler.Default);
        Ender handler = await Deadline.Within(_handler.Task, "the handler");
        await Deadline.Within(_ended.Task, "the end");
        await Deadline.Until(() => listener.OpenCount == 0 && handler.Sum > 0 && (!throws || !_faults.IsEmpty), "the handler to return");
        await sent;
        Assert.Equal((7L * UnitBytes, 1), (handler.Sum, handler.ClosedCount));
        Assert.Equal(throws ? [typeof(InvalidTimeZoneException)] : [], _faults.Select(fault => fault.GetType()));
    }

    void ITlsPort.OnSucceeded()
    {
    }

    void ITlsPort.OnFailed(string peer, string cause) => _handler.TrySetException(new InvalidOperationException(cause));

    void ITlsPort.OnRefused(string peer) => _handler.TrySetException(new InvalidOperationException("refused"));

    public IConnectionHandler Serve(TlsConnection connection, string? identity)
    {
        var handler = new Ender(connection, UnitBytes, _throws);
        _handler.TrySetResult(handler);
        return handler;
    }

    void ITlsUser.OnEnded(TlsConnection connection) => _ended.TrySetResult();

    public void Dispose() => _directory.Dispose();
}
