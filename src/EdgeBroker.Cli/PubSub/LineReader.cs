namespace EdgeBroker.Cli.PubSub;

/// <summary>Cuts a byte stream into lines, without the line feed; bytes behind the last one are a line too.</summary>
internal sealed class LineReader(Stream stream)
{
    private byte[] _buffer = new byte[64 << 10];
    private int _start;
    private int _end;
    private bool _isAtEnd;

    /// <summary>The next line as a copy of its own; null at the end.</summary>
    public async ValueTask<byte[]?> ReadAsync(CancellationToken cancellationToken)
    {
        int searched = 0;
        while (true)
        {
            int feed = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
            if (feed >= 0) return Take(searched + feed, 1);
            searched = _end - _start;
            if (_isAtEnd) return searched == 0 ? null : Take(searched, 0);
            MakeRoom();
            // A terminal's read cannot be cancelled; giving up the wait can.
            int read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken).AsTask().WaitAsync(cancellationToken);
            _end += read;
            _isAtEnd = read == 0;
        }
    }

    private byte[] Take(int length, int feed)
    {
        byte[] line = _buffer.AsSpan(_start, length).ToArray();
        _start += length + feed;
        if (_start == _end) _start = _end = 0;
        return line;
    }

    private void MakeRoom()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length) Array.Resize(ref _buffer, 2 * _buffer.Length);
    }
}
