using System.Buffers;
using System.IO.Pipelines;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Buffers;
using EdgeBroker.Transport.Pipes;
using EdgeBroker.Transport.Tests.Reactors;

namespace EdgeBroker.Transport.Tests.Buffers;

/// <summary>The counts are the process's, so these tests share it with no other.</summary>
[Collection(Name)]
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class BufferMemoryTests
{
    private const string Name = "buffer memory";

    private readonly long _output = BufferMemory.OutputBytes;
    private readonly long _received = BufferMemory.ReceivedBytes;
    private readonly long _unauthenticated = BufferMemory.UnauthenticatedBytes;

    private (long Output, long Received, long Unauthenticated) More =>
        (BufferMemory.OutputBytes - _output, BufferMemory.ReceivedBytes - _received, BufferMemory.UnauthenticatedBytes - _unauthenticated);

    [Fact]
    public void Output_counts_its_chunks_while_it_has_them()
    {
        var output = new OutputBuffer();
        using Lock.Scope held = output.SyncRoot.EnterScope();
        output.Write(new byte[100]);
        Assert.Equal((2_048, 0, 0), More);
        output.Write(new byte[100_000]);
        Assert.InRange(More.Output, 100_100, 103_000);
        output.Consume(100);
        Assert.InRange(More.Output, 100_000, 101_000);
        output.Clear();
        Assert.Equal((0, 0, 0), More);
    }

    [Fact]
    public void What_is_kept_of_a_peer_counts_as_such_from_its_login_on()
    {
        var received = default(ReceivedBytes);
        received.Keep(new byte[3_000], 0, hasLoggedIn: false);
        Assert.InRange(More.Unauthenticated, 3_001, 4_096);
        received.Keep(new byte[2_000], 0, hasLoggedIn: true);
        Assert.InRange(More.Received, 3_001, 4_096);
        Assert.Equal(0, More.Unauthenticated);
        received.Keep(new byte[20_000], 0, hasLoggedIn: true);
        Assert.InRange(More.Received, 20_001, 32_768);
        received.Keep([], 0, hasLoggedIn: true);
        Assert.Equal((0, 0, 0), More);
    }

    [Fact]
    public async Task A_pipe_counts_what_lies_in_it_each_way()
    {
        var toBroker = new Pipe();
        var fromBroker = new Pipe(new PipeOptions(pauseWriterThreshold: 1_024, resumeWriterThreshold: 512));
        var loop = new PipeLoop((exception, _) => Assert.Fail(exception.Message));
        var connection = new PipeConnection(new Duplex(toBroker.Reader, fromBroker.Writer), new PipePeer("test"), TimeProvider.System, loop);
        var handler = new KeepingHandler(connection);
        Task served = connection.RunAsync(handler);
        await toBroker.Writer.WriteAsync(new byte[5_000]);
        await Deadline.Until(() => More == (0, 0, 5_000), "half a packet");
        handler.HasLoggedIn = true;
        await toBroker.Writer.WriteAsync(new byte[1_000]);
        await Deadline.Until(() => More == (0, 6_000, 0), "the rest");
        connection.Post(() => handler.Write(new byte[50_000]));
        await Deadline.Until(() => More.Output >= 50_000, "output that nobody reads");
        await toBroker.Writer.CompleteAsync();
        await fromBroker.Reader.CompleteAsync();
        await Deadline.Within(served, "the end");
        Assert.Equal((0, 0, 0), More);
    }

    /// <summary>Consumes nothing.</summary>
    private sealed class KeepingHandler(TransportConnection connection) : TestHandler(connection)
    {
        public override int Receive(ReadOnlySpan<byte> bytes, out int announcedBytes)
        {
            announcedBytes = 0;
            return 0;
        }
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
