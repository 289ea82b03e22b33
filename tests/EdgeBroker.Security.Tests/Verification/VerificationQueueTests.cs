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
        var all = new List<Task<AuthenticationResult>> { Enqueue(queue, "flood", () => begin.Wait()) };
        for (int i = 0; i < 10; i++) all.Add(Enqueue(queue, "flood", () => order.Add("flood")));
        all.Add(Enqueue(queue, "one", () => order.Add("one")));
        all.Add(Enqueue(queue, "two", () => order.Add("two")));
        all.Add(Enqueue(queue, "one", () => order.Add("one again")));
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
            Enqueue(queue, "flood", () =>
            {
                taken.Set();
                begin.Wait();
            }),
        };
        Assert.True(taken.Wait(Deadline.Patience));
        for (int i = 0; i < VerificationQueue.MaxPerSource; i++) all.Add(Enqueue(queue, "flood", () => { }));
        Assert.False(queue.TryEnqueue("flood", () => Anybody, out _));
        all.Add(Enqueue(queue, "other", () => { }));
        for (int i = 0; all.Count - 1 < VerificationQueue.MaxWaiting; i++) all.Add(Enqueue(queue, "source " + i, () => { }));
        Assert.False(queue.TryEnqueue("yet another", () => Anybody, out _));
        begin.Set();
        await Deadline.Within(Task.WhenAll(all), "all attempts to be verified");
        Assert.True(queue.TryEnqueue("flood", () => Anybody, out Task<AuthenticationResult> later));
        Assert.Same(Anybody, await Deadline.Within(later, "one more attempt"));
    }

    [Fact]
    public async Task A_failure_refuses_one_client_and_the_thread_goes_on()
    {
        using var queue = new VerificationQueue(1, NullLogger.Instance);
        Assert.True(queue.TryEnqueue("a", () => throw new InvalidOperationException("broken"), out Task<AuthenticationResult> broken));
        Assert.Equal(ReasonCode.UnspecifiedError, (await Deadline.Within(broken, "the failure")).Reason);
        Assert.True(queue.TryEnqueue("a", () => Anybody, out Task<AuthenticationResult> whole));
        Assert.Same(Anybody, await Deadline.Within(whole, "the next"));
    }

    [Fact]
    public async Task What_waits_when_the_broker_stops_is_refused()
    {
        var queue = new VerificationQueue(1, NullLogger.Instance);
        using var begin = new ManualResetEventSlim();
        using var taken = new ManualResetEventSlim();
        Task<AuthenticationResult> first = Enqueue(queue, "a", () =>
        {
            taken.Set();
            begin.Wait();
        });
        Assert.True(taken.Wait(Deadline.Patience));
        Task<AuthenticationResult> waiting = Enqueue(queue, "a", () => { });
        Task disposed = Task.Run(queue.Dispose);
        Assert.Equal(ReasonCode.ServerShuttingDown, (await Deadline.Within(waiting, "the refusal")).Reason);
        begin.Set();
        await Deadline.Within(disposed, "the threads to end");
        Assert.Same(Anybody, await first);
        Assert.False(queue.TryEnqueue("a", () => Anybody, out _));
    }

    [Theory]
    [InlineData("192.0.2.1:1883", "192.0.2.1")]
    [InlineData("[::ffff:192.0.2.1]:1883", "192.0.2.1")]
    [InlineData("[2001:db8:1:2:3:4:5:6]:99", "20010DB800010002")]
    [InlineData("[2001:db8:1:2:ffff::1]:98", "20010DB800010002")]
    [InlineData("unix:/run/x.sock", "unix")]
    [InlineData("client 7", "client 7")]
    public void Who_counts_as_one_source(string remote, string source) => Assert.Equal(source, RemoteSource.Of(remote));

    private static Task<AuthenticationResult> Enqueue(VerificationQueue queue, string source, Action work)
    {
        Assert.True(queue.TryEnqueue(source, () =>
        {
            work();
            return Anybody;
        }, out Task<AuthenticationResult> verdict));
        return verdict;
    }
}
