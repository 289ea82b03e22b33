using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Security.Verification;
using EdgeBroker.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeBroker.Security.Tests.Verification;

public sealed class VerificationQueueTests
{
    private static readonly AuthenticationResult Anybody = new(ReasonCode.Success, null, Permissions.All);

    [Fact]
    public async Task Sources_take_turns_however_many_attempts_one_has_waiting()
    {
        using var queue = new VerificationQueue(1, NullLogger.Instance);
        using var begin = new ManualResetEventSlim();
        var order = new List<string>();
        var all = new List<Task<AuthenticationResult>> { Enqueue(queue, Of("flood"), () => begin.Wait()) };
        for (int i = 0; i < 10; i++) all.Add(Enqueue(queue, Of("flood"), () => order.Add("flood")));
        all.Add(Enqueue(queue, Of("one"), () => order.Add("one")));
        all.Add(Enqueue(queue, Of("two"), () => order.Add("two")));
        all.Add(Enqueue(queue, Of("one"), () => order.Add("one again")));
        begin.Set();
        await Deadline.Within(Task.WhenAll(all), "all attempts to be verified");
        // The thread may have taken the first before the second came; from then on each source is behind each other once.
        Assert.InRange(order.IndexOf("one"), 0, 1);
        Assert.InRange(order.IndexOf("two"), 1, 2);
        Assert.InRange(order.IndexOf("one again"), 2, 4);
        Assert.Equal(13, order.Count);
    }

    [Fact]
    public async Task A_source_fills_its_own_share_only()
    {
        using var queue = new VerificationQueue(1, NullLogger.Instance);
        using var begin = new ManualResetEventSlim();
        using var taken = new ManualResetEventSlim();
        var all = new List<Task<AuthenticationResult>>
        {
            Enqueue(queue, Of("flood"), () =>
            {
                taken.Set();
                begin.Wait();
            }),
        };
        Assert.True(taken.Wait(Deadline.Timeout));
        for (int i = 0; i < VerificationQueue.MaxPerSource; i++) all.Add(Enqueue(queue, Of("flood"), () => { }));
        Assert.False(queue.TryEnqueue(Of("flood"), default, () => Anybody, out _));
        all.Add(Enqueue(queue, Of("other"), () => { }));
        for (int i = 0; all.Count - 1 < VerificationQueue.MaxWaiting; i++) all.Add(Enqueue(queue, Of("source " + i), () => { }));
        Assert.False(queue.TryEnqueue(Of("yet another"), default, () => Anybody, out _));
        begin.Set();
        await Deadline.Within(Task.WhenAll(all), "all attempts to be verified");
        Assert.True(queue.TryEnqueue(Of("flood"), default, () => Anybody, out Task<AuthenticationResult> later));
        Assert.Same(Anybody, await Deadline.Within(later, "one more attempt"));
    }

    [Fact]
    public async Task A_failure_refuses_one_client_and_the_thread_goes_on()
    {
        using var queue = new VerificationQueue(1, NullLogger.Instance);
        Assert.True(queue.TryEnqueue(Of("a"), default, () => throw new InvalidOperationException("broken"), out Task<AuthenticationResult> broken));
        Assert.Equal(ReasonCode.UnspecifiedError, (await Deadline.Within(broken, "the failure")).Reason);
        Assert.True(queue.TryEnqueue(Of("a"), default, () => Anybody, out Task<AuthenticationResult> whole));
        Assert.Same(Anybody, await Deadline.Within(whole, "the next"));
    }

    [Fact]
    public async Task The_memory_of_attempts_is_known_while_they_wait_and_while_they_are_verified()
    {
        using var queue = new VerificationQueue(1, NullLogger.Instance);
        using var begin = new ManualResetEventSlim();
        using var taken = new ManualResetEventSlim();
        var cost = new VerificationCost(1_000, 1_000_000);
        Assert.True(queue.TryEnqueue(Of("a"), cost, Wait, out Task<AuthenticationResult> first));
        Assert.True(taken.Wait(Deadline.Timeout));
        Assert.InRange(queue.MemoryBytes, 1_001_000, 1_002_000);
        Assert.True(queue.TryEnqueue(Of("b"), cost, Wait, out Task<AuthenticationResult> second));
        Assert.InRange(queue.MemoryBytes, 1_002_000, 1_004_000);
        begin.Set();
        await Deadline.Within(Task.WhenAll(first, second), "both");
        Assert.Equal(0, queue.MemoryBytes);

        AuthenticationResult Wait()
        {
            taken.Set();
            begin.Wait();
            return Anybody;
        }
    }

    [Fact]
    public async Task What_waits_when_the_broker_stops_is_refused()
    {
        var queue = new VerificationQueue(1, NullLogger.Instance);
        using var begin = new ManualResetEventSlim();
        using var taken = new ManualResetEventSlim();
        Task<AuthenticationResult> first = Enqueue(queue, Of("a"), () =>
        {
            taken.Set();
            begin.Wait();
        });
        Assert.True(taken.Wait(Deadline.Timeout));
        Task<AuthenticationResult> waiting = Enqueue(queue, Of("a"), () => { });
        Task disposed = Task.Run(queue.Dispose);
        Assert.Equal(ReasonCode.ServerShuttingDown, (await Deadline.Within(waiting, "the refusal")).Reason);
        begin.Set();
        await Deadline.Within(disposed, "the threads to end");
        Assert.Same(Anybody, await first);
        Assert.Equal(0, queue.MemoryBytes);
        Assert.False(queue.TryEnqueue(Of("a"), default, () => Anybody, out _));
    }

    private static Task<AuthenticationResult> Enqueue(VerificationQueue queue, ClientNetwork source, Action work)
    {
        Assert.True(queue.TryEnqueue(source, default, () =>
        {
            work();
            return Anybody;
        }, out Task<AuthenticationResult> verdict));
        return verdict;
    }

    // A network of its own for each name.
    private static ClientNetwork Of(string name) => new(1, BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(name))));
}
