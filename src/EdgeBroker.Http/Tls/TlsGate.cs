using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using EdgeBroker.Core.Events;
using EdgeBroker.Transport.Tls;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Http.Tls;

/// <summary>
/// The TLS of one listener: a bounded number of handshakes at a time, each bounded in time, and one clear line for each that fails. Event ids 5100-5199.
/// </summary>
internal sealed partial class TlsGate
{
    private static readonly TimeSpan GoodbyePatience = TimeSpan.FromSeconds(1);

    private readonly LogBudget _failed;
    private readonly LogBudget _refused;
    private readonly string _listener;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly TlsCounters _counters;
    private volatile TlsFiles _files;
    private int _inProgress;

    public TlsGate(TlsFiles files, string listener, TimeProvider time, ILogger logger, TlsCounters counters)
    {
        _files = files;
        _listener = listener;
        _time = time;
        _logger = logger;
        _counters = counters;
        _failed = Budget("failed TLS handshakes");
        _refused = Budget("connections refused during TLS");

        LogBudget Budget(string what) =>
            new(time, each: 5, all: 100, (peer, held) => LogHeldBack(logger, listener, held, what, peer ?? "other addresses"));
    }

    /// <summary>What it shows to clients.</summary>
    public TlsFiles Files => _files;

    /// <summary>Takes other files, for handshakes that begin from here on, and ends the watch over those before.</summary>
    public void Replace(TlsFiles files)
    {
        TlsFiles former = _files;
        _files = files;
        former.Dispose();
    }

    /// <summary>Serves a connection behind its handshake.</summary>
    public async Task ServeAsync(ConnectionContext connection, string peer, ConnectionDelegate next, CancellationToken stopping)
    {
        TlsMaterial material = _files.Current;
        await using var stream = new SslStream(new TransportStream(connection.Transport), leaveInnerStreamOpen: false);
        var attempt = new Attempt(material, stream, _time);
        if (!await AuthenticateAsync(connection, attempt, peer, stopping).ConfigureAwait(false)) return;

        IDuplexPipe plain = connection.Transport;
        var session = new TlsSession(stream, attempt.Identity);
        connection.Features.Set(session);
        connection.Features.Set<ITlsConnectionFeature>(session);
        connection.Transport = session;
        try
        {
            await next(connection).ConfigureAwait(false);
        }
        finally
        {
            connection.Transport = plain;
            await SayGoodbyeAsync(stream, plain.Input).ConfigureAwait(false);
        }
    }

    /// <summary>Reports that a client refused our certificate after the handshake, as TLS 1.3 has it.</summary>
    public void ReportAlert(string peer, string cause) => Fail(peer, cause);

    private async Task<bool> AuthenticateAsync(ConnectionContext connection, Attempt attempt, string peer, CancellationToken stopping)
    {
        using var patience = new CancellationTokenSource(attempt.Material.Options.HandshakeTimeout, _time);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stopping);
        try
        {
            // Only who has said something takes one of the places.
            if (await FirstByte.PeekAsync(connection.Transport.Input, ending.Token).ConfigureAwait(false) is not { } first) return false;
            if (!FirstByte.IsTls(first))
            {
                Fail(peer, FirstByte.Explain(first));
                return false;
            }

            if (!await TryHandshakeAsync(attempt, ending.Token).ConfigureAwait(false))
            {
                Refuse(peer, attempt.Material.Options.MaxHandshakes);
                return false;
            }

            _counters.CountSucceeded();
            return true;
        }
        catch (Exception exception) when (exception is AuthenticationException or IOException or OperationCanceledException or InvalidOperationException
            or NotSupportedException)
        {
            if (!stopping.IsCancellationRequested) Fail(peer, attempt.Refusal ?? HandshakeFailure.Explain(exception));
            return false;
        }
    }

    /// <summary>False when too many are in progress. The place is free again before anyone hears how it went.</summary>
    private async Task<bool> TryHandshakeAsync(Attempt attempt, CancellationToken cancellation)
    {
        try
        {
            if (Interlocked.Increment(ref _inProgress) > attempt.Material.Options.MaxHandshakes) return false;
            await attempt.Stream.AuthenticateAsServerAsync(attempt.OnHelloAsync, null, cancellation).ConfigureAwait(false);
            return true;
        }
        finally
        {
            Interlocked.Decrement(ref _inProgress);
        }
    }

    private void Fail(string peer, string cause)
    {
        _counters.CountFailed();
        if (_failed.Admit(WebListener.HostOf(peer))) LogFailed(_logger, _listener, peer, cause);
    }

    private void Refuse(string peer, int limit)
    {
        _counters.CountRefused();
        if (_refused.Admit(WebListener.HostOf(peer))) LogRefused(_logger, _listener, peer, limit);
    }

    /// <summary>close_notify, and the peer's end awaited: closing with bytes unread would make the kernel discard what the peer has not read yet.</summary>
    private async Task SayGoodbyeAsync(SslStream stream, PipeReader input)
    {
        using var patience = new CancellationTokenSource(GoodbyePatience, _time);
        try
        {
            await stream.ShutdownAsync().WaitAsync(patience.Token).ConfigureAwait(false);
            while (true)
            {
                ReadResult rest = await input.ReadAsync(patience.Token).ConfigureAwait(false);
                input.AdvanceTo(rest.Buffer.End);
                if (rest.IsCompleted || rest.IsCanceled) return;
            }
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or InvalidOperationException or AuthenticationException
            or System.ComponentModel.Win32Exception)
        {
            // The peer is gone, or does not answer: nobody is left to be polite to.
        }
    }

    [LoggerMessage(5100, LogLevel.Warning, "{Listener}: TLS handshake with {Peer} failed: {Cause}")]
    private static partial void LogFailed(ILogger logger, string listener, string peer, string cause);

    [LoggerMessage(
        5101, LogLevel.Warning,
        "{Listener}: {Peer} refused: {Limit} TLS handshakes are in progress (listener.tls.max_handshakes)")]
    private static partial void LogRefused(ILogger logger, string listener, string peer, int limit);

    [LoggerMessage(5102, LogLevel.Warning, "{Listener}: {Count} more {What} of {Peer} within 10 s")]
    private static partial void LogHeldBack(ILogger logger, string listener, long count, string what, string peer);

    /// <summary>One handshake.</summary>
    private sealed class Attempt(TlsMaterial material, SslStream stream, TimeProvider time)
    {
        public TlsMaterial Material => material;

        public SslStream Stream => stream;

        /// <summary>The user name of the client's certificate.</summary>
        public string? Identity { get; private set; }

        /// <summary>Why we ended it; null: we did not.</summary>
        public string? Refusal { get; private set; }

        private TlsOptions Options => material.Options;

        private bool AsksForCertificate => Options.ClientAuthentication != ClientAuthentication.None;

        public ValueTask<SslServerAuthenticationOptions> OnHelloAsync(SslStream _, SslClientHelloInfo hello, object? state, CancellationToken cancellation)
        {
            SslProtocols accepted = Options.Tls13Only ? SslProtocols.Tls13 : SslProtocols.Tls12 | SslProtocols.Tls13;
            if (hello.SslProtocols != SslProtocols.None && (hello.SslProtocols & accepted) == 0)
            {
                Refusal = $"the client speaks an older TLS than {(Options.Tls13Only ? "1.3" : "1.2")} (listener.tls.min_version)";
            }

            return ValueTask.FromResult(new SslServerAuthenticationOptions
            {
                ServerCertificateContext = material.Select(hello.ServerName),
                EnabledSslProtocols = accepted,
                ClientCertificateRequired = AsksForCertificate,
                CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                CertificateChainPolicy = AsksForCertificate ? ClientCertificate.Policy(material, time.GetUtcNow()) : null,
                RemoteCertificateValidationCallback = AsksForCertificate ? Check : null,
                AllowRenegotiation = false,
            });
        }

        private bool Check(object sender, X509Certificate? presented, X509Chain? chain, SslPolicyErrors errors)
        {
            if (presented is null)
            {
                if (Options.ClientAuthentication == ClientAuthentication.Require)
                {
                    Refusal = "the client presents no certificate, and listener.tls.client_auth is \"require\"";
                }

                return Refusal is null;
            }

            var certificate = (X509Certificate2)presented;
            Refusal = ClientCertificate.Refuse(material, certificate, chain, time.GetUtcNow());
            if (Refusal is not null) return false;
            Identity = ClientCertificate.Identity(Options.Identity, certificate);
            return true;
        }
    }
}
