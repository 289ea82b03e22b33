using System.Text;

namespace EdgeBroker.Tests.Reloading;

/// <summary>Keeps what a broker logs, for a test to read while it goes on.</summary>
internal sealed class LogStream : Stream
{
    private readonly MemoryStream _bytes = new();
    private readonly Lock _lock = new();
    private volatile Stream? _elsewhere;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public string Text
    {
        get
        {
            lock (_lock) return Encoding.UTF8.GetString(_bytes.GetBuffer(), 0, (int)_bytes.Length);
        }
    }

    /// <summary>From here on what is written goes to another stream.</summary>
    public void Redirect(Stream stream) => _elsewhere = stream;

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (_elsewhere is { } elsewhere)
        {
            elsewhere.Write(buffer);
            return;
        }

        lock (_lock) _bytes.Write(buffer);
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
