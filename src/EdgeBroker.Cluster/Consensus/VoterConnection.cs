using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace EdgeBroker.Cluster.Consensus;

/// <summary>A connection between two voters, as the Raft library wants it.</summary>
internal sealed class VoterConnection : ConnectionContext
{
    private const int BlockBytes = 65_536;

    private readonly Socket _socket;
    private readonly Stream _stream;
    private readonly Action<VoterConnection>? _ended;
    private readonly CancellationTokenSource _closed = new();
    private int _isDisposed;

    /// <param name="socket">The connection.</param>
    /// <param name="stream">What is read and written: TLS over it, or it itself.</param>
    /// <param name="ended">Is told of its end once.</param>
    public VoterConnection(Socket socket, Stream stream, Action<VoterConnection>? ended)
    {
        _socket = socket;
        _stream = stream;
        _ended = ended;
        RemoteEndPoint = socket.RemoteEndPoint;
        LocalEndPoint = socket.LocalEndPoint;
        ConnectionClosed = _closed.Token;
        Transport = new Duplex(
            PipeReader.Create(new EndingStream(stream), new StreamPipeReaderOptions(bufferSize: BlockBytes, leaveOpen: true)),
            PipeWriter.Create(stream, new StreamPipeWriterOptions(minimumBufferSize: BlockBytes, leaveOpen: true)));
    }

    /// <inheritdoc/>
    public override IDuplexPipe Transport { get; set; }

    /// <inheritdoc/>
    public override string ConnectionId { get; set; } = "";

    /// <inheritdoc/>
    public override IFeatureCollection Features { get; } = new FeatureCollection();

    /// <inheritdoc/>
    public override IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>();

    /// <inheritdoc/>
    public override EndPoint? RemoteEndPoint { get; set; }

    /// <inheritdoc/>
    public override EndPoint? LocalEndPoint { get; set; }

    /// <inheritdoc/>
    public override CancellationToken ConnectionClosed { get; set; }

    /// <inheritdoc/>
    public override void Abort(ConnectionAbortedException abortReason) => _socket.Dispose();

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0) return;
        await base.DisposeAsync().ConfigureAwait(false);
        // The socket first: nobody who ends a connection waits for the other side to take a last word.
        _socket.Dispose();
        await _closed.CancelAsync().ConfigureAwait(false);
        await _stream.DisposeAsync().ConfigureAwait(false);
        _closed.Dispose();
        _ended?.Invoke(this);
    }

    private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }

    /// <summary>
    /// Its end is an error. The library asks again and again for the rest of a message that was cut off by the end of its connection, as a killed leader leaves
    /// it, and never lets go of the processor.
    /// </summary>
    private sealed class EndingStream(Stream inner) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int read = await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            return read > 0 || buffer.IsEmpty ? read : throw new ConnectionResetException("the other voter has ended the connection");
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count)
        {
            int read = inner.Read(buffer, offset, count);
            return read > 0 || count == 0 ? read : throw new ConnectionResetException("the other voter has ended the connection");
        }

        public override void Flush()
        {
            // Nothing is written here.
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
