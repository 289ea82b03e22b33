using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Logging;

/// <summary>
/// Makes loggers that write lines to one stream: each entry is formatted on its own thread and written with a single call, so that entries never
/// mix and a line is either whole or absent.
/// </summary>
internal sealed class LineLoggerFactory(Stream output, LineFormat format, LogLevel minimumLevel, TimeProvider time) : ILoggerFactory
{
    // Above this a thread's buffer is given back: one huge stack trace must not stay for ever.
    private const int LargestKeptBytes = 16 * 1024;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _line;

    private readonly ConcurrentDictionary<string, LineLogger> _loggers = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    private volatile LogLevel _minimumLevel = minimumLevel;

    /// <summary>The least severe level that is written; may be changed while others log.</summary>
    public LogLevel MinimumLevel
    {
        get => _minimumLevel;
        set => _minimumLevel = value;
    }

    public DateTimeOffset Now => time.GetUtcNow();

    public ILogger CreateLogger(string categoryName)
    {
        if (_loggers.TryGetValue(categoryName, out LineLogger? logger)) return logger;
        return _loggers.GetOrAdd(categoryName, new LineLogger(categoryName, this));
    }

    public void AddProvider(ILoggerProvider provider) =>
        throw new NotSupportedException("There is one place log lines go to; it is given to the constructor.");

    public void Write(in LogEntry entry)
    {
        ArrayBufferWriter<byte> line = _line ??= new ArrayBufferWriter<byte>(512);
        line.ResetWrittenCount();
        format.Write(in entry, line);
        try
        {
            lock (_gate) output.Write(line.WrittenSpan);
        }
        catch (IOException)
        {
            // Whoever read the log is gone. A broker must not stop for that.
        }

        if (line.Capacity > LargestKeptBytes) _line = null;
    }

    /// <summary>Nothing is buffered, and the stream belongs to the process.</summary>
    public void Dispose()
    {
    }
}
