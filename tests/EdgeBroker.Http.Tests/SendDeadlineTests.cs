using System.IO.Pipelines;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Http.Tests;

/// <summary>How long a client may take nothing.</summary>
public sealed class SendDeadlineTests
{
    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 100, resumeWriterThreshold: 50, useSynchronizationContext: false));
    private readonly FakeTimeProvider _time = new();
    private readonly SendDeadline _output;
    private int _cuts;

    public SendDeadlineTests() => _output = new SendDeadline(_pipe.Writer, _time, () => TimeSpan.FromSeconds(30), Cut);

    [Fact]
    public async Task A_peer_that_takes_nothing_is_cut_off_and_whoever_writes_goes_on()
    {
        Assert.True((await _output.WriteAsync(new byte[50])) is { IsCompleted: false });
        Task<FlushResult> flush = _output.WriteAsync(new byte[100]).AsTask();
        _time.Advance(TimeSpan.FromSeconds(29.9));
        Assert.Equal((0, false), (_cuts, flush.IsCompleted));
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(1, _cuts);
        Assert.True((await flush).IsCompleted);
    }

    [Fact]
    public async Task A_peer_that_takes_something_has_the_whole_time_again()
    {
        for (int i = 0; i < 5; i++)
        {
            Task<FlushResult> flush = _output.WriteAsync(new byte[100]).AsTask();
            _time.Advance(TimeSpan.FromSeconds(20));
            ReadResult read = await _pipe.Reader.ReadAsync();
            _pipe.Reader.AdvanceTo(read.Buffer.End);
            await flush;
        }

        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(0, _cuts);
    }

    [Fact]
    public async Task Once_it_is_lifted_nobody_is_cut_off()
    {
        Task<FlushResult> before = _output.WriteAsync(new byte[100]).AsTask();
        _output.Lift();
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal((0, false), (_cuts, before.IsCompleted));
        await _pipe.Reader.CompleteAsync();
        await before;
    }

    private void Cut()
    {
        _cuts++;
        _pipe.Reader.Complete();
    }
}
