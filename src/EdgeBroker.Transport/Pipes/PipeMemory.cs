using EdgeBroker.Transport.Buffers;

namespace EdgeBroker.Transport.Pipes;

/// <summary>Counts, with those of all connections, the bytes that lie in the pipe of one.</summary>
internal struct PipeMemory
{
    private long _receivedBytes;
    private bool _hasLoggedIn;
    private int _outputBytes;

    /// <summary>Bytes received and not consumed.</summary>
    public readonly int ReceivedBytes => (int)_receivedBytes;

    /// <summary>So many were received and not consumed.</summary>
    public void SetReceived(long bytes, bool hasLoggedIn)
    {
        if (_receivedBytes == 0 && bytes == 0) return;
        BufferMemory.AddReceived(_hasLoggedIn, -_receivedBytes);
        (_receivedBytes, _hasLoggedIn) = (bytes, hasLoggedIn);
        BufferMemory.AddReceived(hasLoggedIn, bytes);
    }

    /// <summary>So many wait to be sent.</summary>
    public void SetOutput(int bytes)
    {
        if (_outputBytes == 0 && bytes == 0) return;
        BufferMemory.AddOutput(bytes - _outputBytes);
        _outputBytes = bytes;
    }

    /// <summary>The pipe is no more.</summary>
    public void Clear()
    {
        SetReceived(0, false);
        SetOutput(0);
    }
}
