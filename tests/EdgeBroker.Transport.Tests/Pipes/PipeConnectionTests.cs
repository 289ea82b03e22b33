using System.IO.Pipelines;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Pipes;
using EdgeBroker.Transport.Tests.Reactors;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Transport.Tests.Pipes;

public sealed class PipeConnectionTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly Pipe _in = new(new PipeOptions(pauseWriterThreshold: 0, minimumSegmentSize: 16));
    private readonly Pipe _out = new(new PipeOptions(pauseWriterThreshold: 1024, resumeWriterThreshold: 512));
    private readonly PipeConnection _connection;

    private readonly List<Exception> _faults = [];

    public PipeConnectionTests() => _connection = new PipeConnection(new Duplex(_in.Reader, _out.Writer), new PipePeer("test"), _time, Loop());

    [Fact]
    public async Task A_unit_in_many_segments_comes_in_one_piece_and_is_handed_when_it_is_whole()
    {
        var handler = new UnitHandler(_connection);
        Task served = _connection.RunAsync(handler);
        for (int i = 0; i < 3; i++)
        {
            await _in.Writer.WriteAsync(new byte[] { 100 });
            for (int at = 0; at < 99; at += 9) await _in.Writer.WriteAsync(new byte[9]);
        }

        await _in.Writer.CompleteAsync();
        await served.WaitAsync(Deadline.Timeout);
        Assert.Equal(3, handler.Units);
        Assert.InRange(handler.Calls, 1, 6);
        Assert.Equal("the peer closed the connection", handler.Closed);
    }

    [Fact]
    public async Task Reading_goes_on_after_a_pause_with_what_had_come()
    {
        var handler = new TestHandler(_connection);
        Task served = _connection.RunAsync(handler);
        _connection.Post(_connection.PauseReading);
        await PostedAsync();
        await _in.Writer.WriteAsync(new byte[] { 1, 2, 3 });
        await PostedAsync();
        Assert.Equal(0, handler.ReceivedBytes);
        _connection.Post(_connection.ResumeReading);
        await Deadline.Until(() => handler.ReceivedBytes == 3, "what had come");
        await _in.Writer.CompleteAsync();
        await served.WaitAsync(Deadline.Timeout);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task The_end_of_the_peer_is_noticed_in_a_pause_unless_something_is_to_be_read_first(int unread)
    {
        var handler = new TestHandler(_connection);
        Task served = _connection.RunAsync(handler);
        _connection.Post(_connection.PauseReading);
        await PostedAsync();
        await _in.Writer.WriteAsync(new byte[unread]);
        await _in.Writer.CompleteAsync();
        if (unread > 0)
        {
            await PostedAsync();
            Assert.Equal(0, handler.ClosedCount);
            _connection.Post(_connection.ResumeReading);
        }

        await served.WaitAsync(Deadline.Timeout);
        Assert.Equal((unread, "the peer closed the connection"), (handler.ReceivedBytes, handler.Closed));
    }

    [Fact]
    public async Task Closing_lets_pending_output_through()
    {
        var handler = new TestHandler(_connection);
        Task served = _connection.RunAsync(handler);
        _connection.Post(() => handler.Write(new byte[10_000], close: true));
        long total = 0;
        while (true)
        {
            ReadResult result = await _out.Reader.ReadAsync();
            total += result.Buffer.Length;
            _out.Reader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted) break;
        }

        Assert.Equal(10_000, total);
        await served.WaitAsync(Deadline.Timeout);
        Assert.Equal(1, handler.ClosedCount);
    }

    [Fact]
    public async Task Posted_work_runs_in_order()
    {
        Task served = _connection.RunAsync(new TestHandler(_connection));
        var order = new List<int>();
        for (int i = 0; i < 500; i++)
        {
            int number = i;
            _connection.Post(() => order.Add(number));
        }

        await PostedAsync();
        Assert.Equal(Enumerable.Range(0, 500), order);
        await _in.Writer.CompleteAsync();
        await served.WaitAsync(Deadline.Timeout);
    }

    [Fact]
    public async Task A_peer_that_never_reads_does_not_keep_deadlines_from_coming()
    {
        var handler = new TestHandler(_connection);
        Task served = _connection.RunAsync(handler);
        _connection.Post(() =>
        {
            handler.Write(new byte[100_000]);
            _connection.SetDeadline(_connection.NowMs + 5_000);
        });
        await PostedAsync();
        _time.Advance(TimeSpan.FromSeconds(6));
        await Deadline.Until(() => handler.Deadlines == 1, "the deadline");
        _connection.Post(() => handler.Write([1], close: true));
        await PostedAsync();
        // Nor from being cut when its time to take the last bytes is up.
        await Deadline.Until(
            () =>
            {
                _time.Advance(TimeSpan.FromMilliseconds(400));
                return served.IsCompleted;
            },
            "the end");
        Assert.Equal(1, handler.ClosedCount);
    }

    [Fact]
    public async Task A_deadline_may_be_farther_away_than_any_timer()
    {
        var time = new FakeTimeProvider();
        // The system's own timers refuse what is too long; those of the fake clock do not.
        var real = new PipeConnection(new Duplex(_in.Reader, _out.Writer), new PipePeer("test"), TimeProvider.System, Loop());
        real.SetDeadline(real.NowMs + (long)TimeSpan.FromDays(36_500).TotalMilliseconds);
        real.SetDeadline(long.MaxValue);

        var connection = new PipeConnection(new Duplex(_in.Reader, _out.Writer), new PipePeer("test"), time, Loop());
        var handler = new TestHandler(connection);
        Task served = connection.RunAsync(handler);
        connection.Post(() => connection.SetDeadline(connection.NowMs + (long)TimeSpan.FromDays(60).TotalMilliseconds));
        await PostedAsync(connection);
        for (int day = 1; day < 60; day++)
        {
            time.Advance(TimeSpan.FromDays(1));
            await PostedAsync(connection);
        }

        Assert.Equal(0, handler.Deadlines);
        time.Advance(TimeSpan.FromDays(1));
        await Deadline.Until(() => handler.Deadlines == 1, "the deadline");
        connection.Post(() => handler.Write([], close: true));
        await Deadline.Within(served, "the end");
    }

    [Fact]
    public async Task A_close_during_a_pause_ends_the_connection()
    {
        var handler = new TestHandler(_connection);
        Task served = _connection.RunAsync(handler);
        _connection.Post(_connection.PauseReading);
        await PostedAsync();
        await _in.Writer.WriteAsync(new byte[] { 1, 2, 3 });
        _connection.Post(() => handler.Write([], close: true));
        await served.WaitAsync(Deadline.Timeout);
        Assert.Equal(1, handler.ClosedCount);
    }

    [Fact]
    public async Task A_peer_that_goes_during_a_pause_is_noticed_when_something_is_sent()
    {
        var handler = new TestHandler(_connection);
        Task served = _connection.RunAsync(handler);
        _connection.Post(_connection.PauseReading);
        await PostedAsync();
        await _in.Writer.WriteAsync(new byte[] { 1 });
        await _out.Reader.CompleteAsync();
        _connection.Post(() => handler.Write([1]));
        await served.WaitAsync(Deadline.Timeout);
        Assert.Equal(1, handler.ClosedCount);
    }

    [Fact]
    public async Task A_timer_that_is_a_little_early_loses_neither_a_deadline_nor_the_cut()
    {
        var time = new EarlyTimers();
        var connection = new PipeConnection(new Duplex(_in.Reader, _out.Writer), new PipePeer("test"), time, Loop());
        var handler = new TestHandler(connection);
        Task served = connection.RunAsync(handler);
        connection.Post(() =>
        {
            handler.Write(new byte[100_000]);
            connection.SetDeadline(connection.NowMs + 5_000);
        });
        await PostedAsync(connection);
        time.Advance(TimeSpan.FromMilliseconds(4_999));
        await PostedAsync(connection);
        Assert.Equal(0, handler.Deadlines);
        time.Advance(TimeSpan.FromMilliseconds(1));
        await Deadline.Until(() => handler.Deadlines == 1, "the deadline");

        connection.Post(() => handler.Write([1], close: true));
        // The second comes behind what the first iteration had to do.
        await PostedAsync(connection);
        await PostedAsync(connection);
        time.Advance(TimeSpan.FromMilliseconds(999));
        await PostedAsync(connection);
        await PostedAsync(connection);
        Assert.False(served.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        await Deadline.Within(served, "the end");
    }

    [Theory]
    [InlineData(nameof(TestHandler.Receive))]
    [InlineData(nameof(TestHandler.OnCallback))]
    [InlineData(nameof(TestHandler.OnDeadline))]
    [InlineData("posted work")]
    public async Task An_exception_of_the_handler_ends_the_connection(string where)
    {
        var handler = new TestHandler(_connection) { ThrowsIn = where };
        Task served = _connection.RunAsync(handler);
        // Half a unit, perhaps: it does not go out.
        _connection.Post(() => handler.Write([1, 2, 3]));
        await _out.Reader.ReadAtLeastAsync(3);
        _connection.Post(() =>
        {
            if (where == nameof(TestHandler.OnDeadline)) _connection.SetDeadline(_connection.NowMs);
            if (where == nameof(TestHandler.OnCallback))
            {
                lock (_connection.Output.SyncRoot) _connection.RequestCallback();
            }

            if (where == "posted work") throw new InvalidTimeZoneException("a bug");
        });
        if (where == nameof(TestHandler.Receive)) await _in.Writer.WriteAsync(new byte[] { 1 });
        await Deadline.Within(served, "the end");
        Assert.Equal((true, "an internal error of the broker", 1), (handler.IsFaulted, handler.Closed, handler.ClosedCount));
        Assert.IsType<InvalidTimeZoneException>(Assert.Single(_faults));
    }

    [Fact]
    public async Task An_exception_in_the_last_call_is_reported_and_the_connection_ends()
    {
        var handler = new TestHandler(_connection) { ThrowsIn = nameof(TestHandler.OnClosed) };
        Task served = _connection.RunAsync(handler);
        await _in.Writer.CompleteAsync();
        await Deadline.Within(served, "the end");
        Assert.Equal(1, handler.ClosedCount);
        Assert.Single(_faults);
    }

    [Fact]
    public async Task A_pipe_that_fails_in_its_own_way_ends_the_connection_and_is_reported()
    {
        var handler = new TestHandler(_connection);
        Task served = _connection.RunAsync(handler);
        await _in.Writer.CompleteAsync(new InvalidTimeZoneException("a bug"));
        await Deadline.Within(served, "the end");
        Assert.Equal((false, "the connection broke: a bug", 1), (handler.IsFaulted, handler.Closed, handler.ClosedCount));
        Assert.Single(_faults);
    }

    private PipeLoop Loop() => new((exception, _) => _faults.Add(exception));

    private Task PostedAsync() => PostedAsync(_connection);

    private static Task PostedAsync(PipeConnection connection)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        connection.Post(done.SetResult);
        return done.Task.WaitAsync(Deadline.Timeout);
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    /// <summary>A clock whose timers go off two milliseconds before their time, but for those that are set to so little.</summary>
    private sealed class EarlyTimers : FakeTimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            new Early(base.CreateTimer(callback, state, dueTime, period));

        private sealed class Early(ITimer timer) : ITimer
        {
            private static readonly TimeSpan By = TimeSpan.FromMilliseconds(2);

            public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(dueTime > By ? dueTime - By : dueTime, period);

            public void Dispose() => timer.Dispose();

            public ValueTask DisposeAsync() => timer.DisposeAsync();
        }
    }

    /// <summary>Units that say their length in their first byte.</summary>
    private sealed class UnitHandler(TransportConnection connection) : TestHandler(connection)
    {
        public int Units { get; private set; }

        public int Calls { get; private set; }

        public override int Receive(ReadOnlySpan<byte> bytes, out int announcedBytes)
        {
            Calls++;
            int consumed = 0;
            while (consumed < bytes.Length && bytes.Length - consumed >= bytes[consumed])
            {
                consumed += bytes[consumed];
                Units++;
            }

            announcedBytes = consumed < bytes.Length ? bytes[consumed] : 0;
            return consumed;
        }
    }
}
