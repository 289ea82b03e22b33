using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using EdgeBroker.Transport.Tls;
using Microsoft.AspNetCore.Http.Features;

namespace EdgeBroker.Http.Tls;

/// <summary>A connection whose handshake is done: its decrypted bytes, and who the client has proved to be.</summary>
internal sealed class TlsSession : IDuplexPipe, ITlsConnectionFeature
{
    // A TLS record's worth, so that a large flush does not become many small records.
    private const int RecordBytes = 16 * 1024;

    private readonly SslStream _stream;

    /// <param name="stream">Authenticated.</param>
    /// <param name="identity">The user name the client's certificate stands for; null: none.</param>
    /// <param name="certificate">What that certificate is worth from now on; null: there is none.</param>
    public TlsSession(SslStream stream, string? identity, CertificateStanding? certificate)
    {
        _stream = stream;
        Identity = identity;
        Certificate = certificate;
        Input = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: RecordBytes, minimumReadSize: 1024, leaveOpen: true, useZeroByteReads: true));
        Output = PipeWriter.Create(stream, new StreamPipeWriterOptions(minimumBufferSize: RecordBytes, leaveOpen: true));
    }

    /// <summary>The user name the client's certificate stands for; null: none.</summary>
    public string? Identity { get; }

    /// <summary>What the client's certificate is worth by now; null: it has shown none.</summary>
    public CertificateStanding? Certificate { get; }

    /// <inheritdoc/>
    public PipeReader Input { get; }

    /// <inheritdoc/>
    public PipeWriter Output { get; }

    /// <inheritdoc/>
    X509Certificate2? ITlsConnectionFeature.ClientCertificate
    {
        get => _stream.RemoteCertificate as X509Certificate2;
        set => throw new NotSupportedException("the client's certificate is what it presented");
    }

    /// <inheritdoc/>
    Task<X509Certificate2?> ITlsConnectionFeature.GetClientCertificateAsync(CancellationToken cancellationToken) =>
        Task.FromResult(_stream.RemoteCertificate as X509Certificate2);
}
