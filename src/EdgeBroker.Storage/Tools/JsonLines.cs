namespace EdgeBroker.Storage.Tools;

/// <summary>Reads lines of a stream, each as long as it may be and no longer.</summary>
/// <param name="source">Where from.</param>
internal sealed class JsonLines(Stream source)
{
    // The largest message in base64, and its receivers; an array cannot take much more.
    private const int LongestLineBytes = 1 << 30;

    private byte[] _buffer = new byte[64 * 1024];
    private int _begin;
    private int _end;
    private bool _isAtEnd;

    /// <summary>The number of the line read last, from 1.</summary>
    public long Number { get; private set; }

    /// <summary>Reads the next line, without its end; valid until the next call. False behind the last one.</summary>
    /// <exception cref="IOException">Reading failed.</exception>
    /// <exception cref="FormatException">The line is too long.</exception>
    public bool TryRead(out ReadOnlyMemory<byte> line)
    {
        int searched = 0;
        while (true)
        {
            int newline = _buffer.AsSpan(_begin + searched, _end - _begin - searched).IndexOf((byte)'\n');
            if (newline >= 0 || (_isAtEnd && _end > _begin))
            {
                int length = newline >= 0 ? searched + newline : _end - _begin;
                line = _buffer.AsMemory(_begin, length);
                _begin += newline >= 0 ? length + 1 : length;
                Number++;
                return true;
            }

            line = default;
            if (_isAtEnd) return false;
            searched = _end - _begin;
            Fill();
        }
    }

    private void Fill()
    {
        if (_begin > 0)
        {
            _buffer.AsSpan(_begin.._end).CopyTo(_buffer);
            (_begin, _end) = (0, _end - _begin);
        }

        if (_end == _buffer.Length)
        {
            if (_end >= LongestLineBytes)
            {
                Number++;
                throw new FormatException($"it is longer than {LongestLineBytes} bytes");
            }

            Array.Resize(ref _buffer, Math.Min(2 * _buffer.Length, LongestLineBytes));
        }

        int read = source.Read(_buffer.AsSpan(_end));
        _isAtEnd = read == 0;
        _end += read;
    }
}
