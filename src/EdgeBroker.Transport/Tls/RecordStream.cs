using System.Buffers;
using System.Net.Security;
using System.Threading.Tasks.Sources;

namespace EdgeBroker.Transport.Tls;

/// <summary>
/// <see cref="SslStream"/> in a <see cref="TlsConnection"/>, and what it reads from and writes to: records that the connection hands it, one at a time, so that
/// it never holds more than it is asked to decrypt. A read into nothing waits, as any read, until there is one.
/// </summary>
internal sealed unsafe class RecordStream : Stream, IValueTaskSource<int>
{
    /// <summary>The record had no content; there is no more to it.</summary>
    public const int Nothing = -1;

    private readonly TlsConnection _connection;
    private readonly Lock _lock = new();
    private ManualResetValueTaskSourceCore<int> _core = new() { RunContinuationsAsynchronously = true };

    // Records of the handshake, copied, since another thread reads them.
    private byte[]? _copied;

    // The one record being decrypted, on the thread that offers it.
    private byte* _offered;
    private int _end;
    private int _position;
    private int _recordEnd;
    private Memory<byte> _target;
    private ValueTask<int> _read;
    private bool _isWaiting;
    private bool _hasEnded;

    /// <param name="connection">Gets what is written, and is told when a record is wanted that is not there.</param>
    public RecordStream(TlsConnection connection)
    {
        _connection = connection;
        Tls = new SslStream(this, leaveInnerStreamOpen: true);
    }

    /// <summary>The one that reads the records.</summary>
    public SslStream Tls { get; }

    /// <summary>Whether it waits for a record into the buffer that it was given last.</summary>
    public bool IsReadPending { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>How many bytes of what was given last have been read.</summary>
    public int ConsumedBytes => _position;

    /// <summary>Gives whole records to another thread that reads them, or will. None of those given before may be left.</summary>
    public void Give(ReadOnlySpan<byte> records)
    {
        byte[] copied = ArrayPool<byte>.Shared.Rent(records.Length);
        records.CopyTo(copied);
        lock (_lock.Alone())
        {
            _copied = copied;
            (_position, _end, _recordEnd) = (0, records.Length, 0);
        }

        Complete();
    }

    /// <summary>Takes back what <see cref="Give"/> gave.</summary>
    public void TakeBack()
    {
        lock (_lock.Alone())
        {
            if (_copied is not null) ArrayPool<byte>.Shared.Return(_copied);
            _copied = null;
            _position = _end = _recordEnd = 0;
        }
    }

    /// <summary>From here on, one thread offers records and reads them.</summary>
    public void BecomeSingleThreaded() => _core.RunContinuationsAsynchronously = false;

    /// <summary>Decrypts one whole record; one thread does so, always into the same buffer.</summary>
    /// <returns>How many bytes of content it had; 0: the peer has said goodbye; or <see cref="Nothing"/>.</returns>
    public int Decrypt(ReadOnlySpan<byte> record, byte[] plain)
    {
        fixed (byte* start = record)
        {
            _offered = start;
            (_position, _end, _recordEnd) = (0, record.Length, record.Length);
            // A record without content leaves the read waiting; the next one completes it, before this returns.
#pragma warning disable CA2012 // It is read once, when it has been completed.
            if (IsReadPending) Complete();
            else _read = Tls.ReadAsync(plain);
#pragma warning restore CA2012
            IsReadPending = !_read.IsCompleted;
            _offered = null;
            _position = _end = _recordEnd = 0;
            return IsReadPending ? Nothing : _read.GetAwaiter().GetResult();
        }
    }

    /// <summary>Encrypts and writes; on the same thread.</summary>
    public void Encrypt(ReadOnlyMemory<byte> plain) => Finish(Tls.WriteAsync(plain));

    /// <summary>Writes close_notify.</summary>
    public void SayGoodbye()
    {
        try
        {
            Finish(new ValueTask(Tls.ShutdownAsync()));
        }
        catch (Exception exception) when (ServerHandshake.IsExpected(exception))
        {
            // Who has broken TLS off is not said goodbye to.
        }
    }

    /// <summary>There are no more records. Whoever waits finds the end.</summary>
    public void End()
    {
        lock (_lock.Alone()) _hasEnded = true;
        Complete();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        lock (_lock.Alone())
        {
            if (_position < _end || _hasEnded) return ValueTask.FromResult(Copy(buffer));
            _core.Reset();
            _target = buffer;
            _isWaiting = true;
        }

        _connection.OnRecordWanted();
        return new ValueTask<int>(this, _core.Version);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _connection.Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    // What SslStream writes where it does not wait: alerts.
    public override void Write(byte[] buffer, int offset, int count) => _connection.Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer) => _connection.Write(buffer);

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("asynchronous only");

    protected override void Dispose(bool disposing)
    {
        if (disposing) Tls.Dispose();
        base.Dispose(disposing);
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    int IValueTaskSource<int>.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    // Nothing that it waits for takes time: the bytes go into a buffer.
    private static void Finish(ValueTask written)
    {
        if (!written.IsCompleted) throw new InvalidOperationException("TLS waits where it only has to compute");
        written.GetAwaiter().GetResult();
    }

    private void Complete()
    {
        int count;
        lock (_lock.Alone())
        {
            if (!_isWaiting) return;
            _isWaiting = false;
            count = Copy(_target);
            _target = default;
        }

        _core.SetResult(count);
    }

    // Nothing at the end.
    private int Copy(Memory<byte> buffer)
    {
        if (_position >= _end) return 0;
        var all = _copied is not null ? new ReadOnlySpan<byte>(_copied, 0, _end) : new ReadOnlySpan<byte>(_offered, _end);
        if (_position >= _recordEnd) _recordEnd = _position + TlsRecord.LengthOf(all[_position..]);
        int count = Math.Min(buffer.Length, _recordEnd - _position);
        all.Slice(_position, count).CopyTo(buffer.Span);
        _position += count;
        return count;
    }
}
