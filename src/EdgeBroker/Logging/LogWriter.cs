namespace EdgeBroker.Logging;

/// <summary>
/// Carries log lines to a stream on a thread of its own, so that no caller waits for the reader of the log. The queue is bounded: lines that find no room are
/// counted, and a line with their number is written in their place. A critical line is written before its caller goes on.
/// </summary>
/// <param name="output">Where the lines go; one call for each line.</param>
/// <param name="leftOutLine">Makes the line that stands for lines left out.</param>
/// <param name="criticalTimeout">How long a caller waits for a critical line at most. A process that is to end must end, also when nobody reads its
/// log.</param>
internal sealed class LogWriter(Stream output, Func<long, byte[]> leftOutLine, TimeSpan criticalTimeout)
{
    /// <summary>Lines that may wait.</summary>
    public const int MaxLines = 1_024;

    // A line holds what clients send, escaped: up to several hundred kilobytes.
    private const int MaxBytes = 1024 * 1024;
    private const int StackBytes = 256 * 1024;

    private readonly object _lock = new();
    private readonly Queue<Entry> _waiting = new();
    private long _waitingBytes;
    private long _leftOut;
    private long _added;
    private long _written;
    private bool _isStopping;
    private Thread? _thread;

    /// <summary>Takes a line, or counts it as left out. Never waits, unless the line is critical.</summary>
    public void Write(ReadOnlySpan<byte> line, bool isCritical)
    {
        long number;
        lock (_lock)
        {
            if (!isCritical && !HasRoom(line.Length))
            {
                _leftOut++;
                return;
            }

            _waiting.Enqueue(new Entry(line.ToArray(), _leftOut));
            _waitingBytes += line.Length;
            _leftOut = 0;
            number = ++_added;
            if (_thread is null) Start();
            Monitor.PulseAll(_lock);
        }

        if (isCritical) WaitFor(number, criticalTimeout);
    }

    /// <summary>Waits until everything taken so far is written; false when that took too long.</summary>
    public bool Flush(TimeSpan timeout) => WaitFor(Interlocked.Read(ref _added), timeout);

    /// <summary>Writes what waits and ends the thread. What cannot be written in time is abandoned.</summary>
    public void Stop(TimeSpan timeout)
    {
        lock (_lock)
        {
            _isStopping = true;
            Monitor.PulseAll(_lock);
        }

        Flush(timeout);
    }

    private bool HasRoom(int bytes) => _waiting.Count == 0 || (_waiting.Count < MaxLines && _waitingBytes + bytes <= MaxBytes);

    // Under the lock. A line that comes after Stop starts the thread once more.
    private void Start()
    {
        _thread = new Thread(Run, StackBytes) { Name = "log", IsBackground = true };
        _thread.Start();
    }

    private bool WaitFor(long number, TimeSpan timeout)
    {
        // The monitor waits in real time, whatever clock the lines carry.
        long began = TimeProvider.System.GetTimestamp();
        lock (_lock)
        {
            while (_written < number)
            {
                TimeSpan left = timeout == Timeout.InfiniteTimeSpan ? timeout : timeout - TimeProvider.System.GetElapsedTime(began);
                if (left <= TimeSpan.Zero && left != Timeout.InfiniteTimeSpan) return false;
                Monitor.Wait(_lock, left);
            }
        }

        return true;
    }

    private void Run()
    {
        while (TryTake(out Entry entry))
        {
            if (entry.LeftOut > 0) Output(leftOutLine(entry.LeftOut));
            if (entry.Line is null) continue;
            Output(entry.Line);
            lock (_lock)
            {
                _written++;
                Monitor.PulseAll(_lock);
            }
        }
    }

    /// <summary>Waits for the next line. False: the thread ends.</summary>
    private bool TryTake(out Entry entry)
    {
        lock (_lock)
        {
            while (true)
            {
                if (_waiting.TryDequeue(out entry))
                {
                    _waitingBytes -= entry.Line!.Length;
                    return true;
                }

                if (_leftOut > 0)
                {
                    entry = new Entry(null, _leftOut);
                    _leftOut = 0;
                    return true;
                }

                if (_isStopping)
                {
                    _thread = null;
                    return false;
                }

                Monitor.Wait(_lock);
            }
        }
    }

    private void Output(byte[] line)
    {
        try
        {
            output.Write(line);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // The reader of the log is gone. A broker must not stop for that.
        }
    }

    /// <summary>A line that waits.</summary>
    /// <param name="Line">Its bytes; null: only a number is to be written.</param>
    /// <param name="LeftOut">Lines left out before it.</param>
    private readonly record struct Entry(byte[]? Line, long LeftOut);
}
