using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Logging;

/// <summary>
/// Makes loggers that write lines to one stream: each entry is formatted by its own thread and written by the <see cref="LogWriter"/> with a single call, so
/// that entries never mix, a line is either whole or absent, and nobody waits for the reader.
/// </summary>
internal sealed class LineLoggerFactory : ILoggerFactory
{
    // Above this a thread's buffer is given back: one huge stack trace must not stay for ever.
    private const int LargestKeptBytes = 16 * 1024;

    private static readonly TimeSpan CriticalTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(2);
    private static readonly EventId LinesLeftOut = new(9050, "LinesLeftOut");

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _line;

    private readonly ConcurrentDictionary<string, LineLogger> _loggers = new(StringComparer.Ordinal);
    private readonly LineFormat _format;
    private readonly TimeProvider _time;
    private readonly LogWriter _writer;

    /// <param name="output">Where the lines go.</param>
    /// <param name="format">How they look.</param>
    /// <param name="minimumLevel">The least severe level that is written.</param>
    /// <param name="time">The clock of the lines.</param>
    /// <param name="criticalTimeout">How long a caller waits for its critical line at most; null: 1 s.</param>
    public LineLoggerFactory(Stream output, LineFormat format, LogLevel minimumLevel, TimeProvider time, TimeSpan? criticalTimeout = null)
    {
        _format = format;
        _time = time;
        Levels = new LogAreas(time) { Configured = minimumLevel };
        _writer = new LogWriter(output, DescribeLeftOut, criticalTimeout ?? CriticalTimeout);
    }

    /// <summary>How much each area says.</summary>
    public LogAreas Levels { get; }

    /// <summary>The least severe level that is written by areas that have none of their own; may be changed while others log.</summary>
    public LogLevel MinimumLevel
    {
        get => Levels.Configured;
        set => Levels.Configured = value;
    }

    /// <summary>Keeps the last lines; null: nobody wants them.</summary>
    public LogTail? Tail { get; set; }

    public DateTimeOffset Now => _time.GetUtcNow();

    public ILogger CreateLogger(string categoryName)
    {
        if (_loggers.TryGetValue(categoryName, out LineLogger? logger)) return logger;
        return _loggers.GetOrAdd(categoryName, new LineLogger(categoryName, Levels.Of(categoryName), this));
    }

    public void AddProvider(ILoggerProvider provider) =>
        throw new NotSupportedException("There is one place log lines go to; it is given to the constructor.");

    public void Write(in LogEntry entry)
    {
        Tail?.Add(entry);
        ArrayBufferWriter<byte> line = _line ??= new ArrayBufferWriter<byte>(512);
        line.ResetWrittenCount();
        _format.Write(in entry, line);
        _writer.Write(line.WrittenSpan, entry.Level == LogLevel.Critical);
        if (line.Capacity > LargestKeptBytes) _line = null;
    }

    /// <summary>Waits until what was logged so far is written; false when that took too long.</summary>
    public bool Flush(TimeSpan timeout) => _writer.Flush(timeout);

    /// <summary>Writes what waits. The stream belongs to the process.</summary>
    public void Dispose()
    {
        Levels.Dispose();
        _writer.Stop(StopTimeout);
    }

    private byte[] DescribeLeftOut(long count)
    {
        var line = new ArrayBufferWriter<byte>(256);
        _format.Write(
            new LogEntry
            {
                Time = Now,
                Level = LogLevel.Warning,
                Event = LinesLeftOut,
                Category = "EdgeBroker.Log",
                Message = $"{count} log line(s) are missing here: the reader of the log was too slow",
                Values = [new KeyValuePair<string, object?>("Count", count)],
                Exception = null,
            },
            line);
        return line.WrittenSpan.ToArray();
    }
}
