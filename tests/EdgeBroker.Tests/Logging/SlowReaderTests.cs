using System.IO.Pipes;
using System.Text;
using EdgeBroker.Logging;
using EdgeBroker.Testing;
using EdgeBroker.Tests.Reloading;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Tests.Logging;

/// <summary>A reader of the log that is slow, or does not read at all: nobody waits for it, and what matters most is written all the same.</summary>
public sealed class SlowReaderTests : IDisposable
{
    private readonly HeldStream _output = new();

    public void Dispose() => _output.Dispose();

    [Fact]
    public async Task Lines_without_room_are_counted_in_their_place()
    {
        using LineLoggerFactory factory = Factory();
        ILogger log = factory.CreateLogger("Test");
        log.LogInformation("first");
        // Taken from the queue, and not written.
        await Deadline.Until(() => _output.IsHolding, "the first write");
        const int TooMany = 7;
        // On a thread that would wait for ever if it waited.
        await Deadline.Within(Task.Run(() => Fill(log, LogWriter.MaxLines + TooMany)), "lines that nobody reads");
        _output.Release();
        Assert.True(factory.Flush(Deadline.Timeout));
        log.LogInformation("last");
        Assert.True(factory.Flush(Deadline.Timeout));
        string[] lines = _output.Lines;
        Assert.Equal(1 + LogWriter.MaxLines + 1 + 1, lines.Length);
        Assert.EndsWith(" first", lines[0], StringComparison.Ordinal);
        for (int i = 0; i < LogWriter.MaxLines; i++) Assert.EndsWith($" line {i}", lines[1 + i], StringComparison.Ordinal);
        Assert.EndsWith($"warning  9050 {TooMany} log line(s) are missing here: the reader of the log was too slow", lines[^2], StringComparison.Ordinal);
        Assert.EndsWith(" last", lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Long_lines_do_not_pile_up_either()
    {
        using LineLoggerFactory factory = Factory();
        ILogger log = factory.CreateLogger("Test");
        log.LogInformation("first");
        await Deadline.Until(() => _output.IsHolding, "the first write");
        string topic = new('\n', 60_000);
        for (int i = 0; i < 100; i++) log.LogInformation("{Topic}", topic);
        _output.Release();
        Assert.True(factory.Flush(Deadline.Timeout));
        await Deadline.Until(() => _output.Lines[^1].Contains(" are missing here", StringComparison.Ordinal), "the count");
        Assert.InRange(_output.Bytes, 120_000, 1024 * 1024 + 1024);
    }

    [Fact]
    public async Task A_critical_line_and_all_before_it_are_written_when_its_caller_goes_on()
    {
        using LineLoggerFactory factory = Factory(Timeout.InfiniteTimeSpan);
        ILogger log = factory.CreateLogger("Test");
        log.LogInformation("first");
        await Deadline.Until(() => _output.IsHolding, "the first write");
        Fill(log, LogWriter.MaxLines);
        string[]? seen = null;
        Task caller = Task.Run(() =>
        {
            log.LogCritical("the end");
            seen = _output.Lines;
        });
        Assert.NotSame(caller, await Task.WhenAny(caller, Task.Run(() => _output.IsHolding)));
        _output.Release();
        await Deadline.Within(caller, "the critical line");
        // It has room where others have none.
        Assert.Equal(1 + LogWriter.MaxLines + 1, seen!.Length);
        Assert.EndsWith("critical 0000 the end", seen[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_critical_line_that_nobody_reads_holds_its_caller_for_a_while_only()
    {
        using LineLoggerFactory factory = Factory(TimeSpan.FromMilliseconds(20));
        await Deadline.Within(Task.Run(() => factory.CreateLogger("Test").LogCritical("the end")), "the caller");
        Assert.Empty(_output.Lines);
        _output.Release();
        Assert.True(factory.Flush(Deadline.Timeout));
        Assert.Single(_output.Lines);
    }

    [Fact]
    public void What_waits_when_the_log_is_closed_is_written_and_a_late_line_too()
    {
        _output.Release();
        LineLoggerFactory factory = Factory();
        ILogger log = factory.CreateLogger("Test");
        Fill(log, 500);
        factory.Dispose();
        Assert.Equal(500, _output.Lines.Length);
        log.LogInformation("late");
        Assert.True(factory.Flush(Deadline.Timeout));
        Assert.EndsWith("late", _output.Lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broker_whose_log_nobody_reads_serves_its_clients()
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        await using BrokerInProcess broker =
            await BrokerInProcess.StartAsync("[[listener]]\nprotocol = \"mqtt\"\naddress = \"127.0.0.1:0\"\n[log]\nlevel = \"debug\"\n");
        TestClient other = await broker.ConnectAsync("other");
        broker.RedirectLog(pipe);
        TestClient noisy = await broker.ConnectAsync("noisy");
        // A pipe holds 64 KB, and each filter is a line of 2 KB.
        for (int i = 0; i < 200; i++) await noisy.SubscribeAsync($"{i}/{new string('x', 2_000)}");
        await other.FenceAsync();
    }

    [Theory]
    [InlineData("fail-fast")]
    [InlineData("unhandled")]
    public async Task What_a_process_has_to_say_before_it_fails_is_seen(string how)
    {
        (int exitCode, string[] lines) = await LastWords.RunAsync(how);
        Assert.NotEqual(0, exitCode);
        int critical = Array.FindIndex(lines, line => line.Contains("critical", StringComparison.Ordinal));
        Assert.True(critical >= LastWords.LinesBefore, string.Join('\n', lines));
        for (int i = 0; i < LastWords.LinesBefore; i++) Assert.EndsWith($" line {i}", lines[critical - LastWords.LinesBefore + i], StringComparison.Ordinal);
    }

    private static void Fill(ILogger log, int count)
    {
        for (int i = 0; i < count; i++) log.LogInformation("line {Number}", i);
    }

    private LineLoggerFactory Factory(TimeSpan? criticalTimeout = null) =>
        new(_output, new TextFormat(forJournal: false, coloured: false), LogLevel.Debug, TimeProvider.System, criticalTimeout);

    /// <summary>Takes nothing until it is released.</summary>
    private sealed class HeldStream : MemoryStream
    {
        private readonly ManualResetEventSlim _released = new();
        private readonly Lock _lock = new();
        private readonly MemoryStream _bytes = new();
        private volatile bool _isHolding;

        public bool IsHolding => _isHolding;

        public int Bytes
        {
            get
            {
                lock (_lock) return (int)_bytes.Length;
            }
        }

        public string[] Lines
        {
            get
            {
                lock (_lock) return Encoding.UTF8.GetString(_bytes.GetBuffer(), 0, (int)_bytes.Length).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            }
        }

        public void Release() => _released.Set();

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            _isHolding = true;
            _released.Wait();
            _isHolding = false;
            lock (_lock) _bytes.Write(buffer);
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        protected override void Dispose(bool disposing)
        {
            // A writer that is still held must not outlive the test.
            _released.Set();
            base.Dispose(disposing);
        }
    }
}
