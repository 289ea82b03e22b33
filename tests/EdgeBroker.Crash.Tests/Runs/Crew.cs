using System.Diagnostics;
using EdgeBroker.Crash.Tests.Clients;
using EdgeBroker.Crash.Tests.History;
using EdgeBroker.Protocol;

namespace EdgeBroker.Crash.Tests.Runs;

/// <summary>
/// The clients of a run: publishers of QoS 1 and 2, plain and retained; subscribers of QoS 1 and 2 that are always there, come and go, stay away, change what
/// they want, and share. Half of them speak 3.1.1.
/// </summary>
public sealed class Crew : IAsyncDisposable
{
    private const int PublisherCount = 4;

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    // Reached only when something is missing. Counted in polls: while the whole machine stands still, nothing can come.
    private static readonly TimeSpan QuietIsTheEnd = TimeSpan.FromSeconds(12);
    private static readonly TimeSpan LongestSettling = TimeSpan.FromMinutes(4);

    private static readonly (string Id, ProtocolVersion Version, SubscriberPlan Plan)[] SubscriberPlans =
    [
        ("always-q1", ProtocolVersion.V5, new SubscriberPlan(1, ["t/#"])),
        ("always-q2", ProtocolVersion.V311, new SubscriberPlan(2, ["t/#"])),
        ("guest-q1", ProtocolVersion.V311, new SubscriberPlan(1, ["t/+/q1", "t/+/q2"], Attendance.ComesAndGoes)),
        ("guest-q2", ProtocolVersion.V5, new SubscriberPlan(2, ["t/#"], Attendance.ComesAndGoes, ReceiveMaximum: 10)),
        ("away-q2", ProtocolVersion.V5, new SubscriberPlan(2, ["t/+/q2", "t/0/q1"], Attendance.Away, ReceiveMaximum: 30)),
        ("away-q1", ProtocolVersion.V311, new SubscriberPlan(1, ["t/1/#"], Attendance.Away)),
        ("fickle-q2", ProtocolVersion.V5, new SubscriberPlan(2, ["d/0", "d/1", "d/2", "d/3"], Changes: true)),
        ("fickle-q1", ProtocolVersion.V311, new SubscriberPlan(1, ["d/0", "d/1", "d/2", "d/3"], Changes: true)),
        ("member-1", ProtocolVersion.V5, new SubscriberPlan(2, ["$share/group/s/#"])),
        ("member-2", ProtocolVersion.V5, new SubscriberPlan(2, ["$share/group/s/#"])),
        ("member-3", ProtocolVersion.V5, new SubscriberPlan(2, ["$share/group/s/#"], Attendance.ComesAndGoes)),
    ];

    private readonly RunHistory _history;
    private readonly Publisher[] _publishers;
    private readonly Subscriber[] _subscribers;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _running = [];

    /// <param name="history">What has happened; the clients remember it.</param>
    /// <param name="seed">Decides what they do.</param>
    public Crew(RunHistory history, int seed)
    {
        _history = history;
        _publishers = [.. Enumerable.Range(0, PublisherCount).Select(i => new Publisher(Identity(i), PlanOf(i), history, new Random(seed + i)))];
        _subscribers = [.. SubscriberPlans.Select((p, i) => new Subscriber(Identity(PublisherCount + i), p.Plan, history, new Random(seed + 100 + i)))];
    }

    /// <summary>The clients' ids by their numbers.</summary>
    public static IReadOnlyList<string> Ids { get; } =
    [
        .. Enumerable.Range(0, PublisherCount).Select(i => $"publisher-{i}"), .. SubscriberPlans.Select(p => p.Id),
    ];

    /// <summary>What stands for every topic that has retained messages.</summary>
    public static string RetainedFilter => "r/#";

    private IEnumerable<SessionClient> Clients => [.. _publishers, .. _subscribers];

    /// <summary>
    /// Lets the subscribers in, and then the publishers, so that subscriptions stand before messages come. What is subscribed already is not waited for.
    /// </summary>
    public async Task StartAsync(BrokerAddress address)
    {
        foreach (Subscriber subscriber in _subscribers) _running.Add(Task.Run(() => subscriber.RunAsync(address, _stop.Token)));
        await UntilAsync(() => _subscribers.All(s => s.IsSubscribed || s.IsSettled), "the subscribers to be subscribed");
        foreach (Publisher publisher in _publishers) _running.Add(Task.Run(() => publisher.RunAsync(address, _stop.Token)));
    }

    /// <summary>Cuts all connections: the network fails, the broker does not.</summary>
    public void CutConnections()
    {
        foreach (SessionClient client in Clients) client.CutConnection();
    }

    /// <summary>
    /// Everyone stays, nobody starts anything new, but for some last messages to each topic; returns when everything owed has come, or nothing comes any more.
    /// </summary>
    /// <param name="lastMessages">How many last messages each topic gets.</param>
    public async Task<Verdict> SettleAsync(int lastMessages)
    {
        foreach (SessionClient client in Clients) client.Drain();
        var clock = Stopwatch.StartNew();
        if (!await SettledAsync(clock)) return Judge.Of(_history);
        foreach (Publisher publisher in _publishers) await publisher.PublishToEachTopicAsync(lastMessages);
        while (await SettledAsync(clock))
        {
            int count = _history.Count;
            foreach (Subscriber subscriber in _subscribers) await subscriber.FenceAsync();
            if (!Clients.All(c => c.IsSettled)) continue;
            Verdict verdict = Judge.Of(_history);
            if (verdict.IsComplete && _history.Count == count) return verdict;
            if (!verdict.IsComplete && !await ChangedAsync(count)) return verdict;
        }

        return Judge.Of(_history);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running);
        _stop.Dispose();
    }

    /// <summary>All clients are connected and have nothing unfinished; false when that does not come.</summary>
    private async Task<bool> SettledAsync(Stopwatch clock)
    {
        int count = _history.Count;
        TimeSpan quiet = TimeSpan.Zero;
        while (!Clients.All(c => c.IsSettled))
        {
            ThrowIfBroken();
            await Task.Delay(Poll);
            quiet = _history.Count == count ? quiet + Poll : TimeSpan.Zero;
            count = _history.Count;
            if (quiet > QuietIsTheEnd || clock.Elapsed > LongestSettling) return false;
        }

        return clock.Elapsed <= LongestSettling;
    }

    private async Task<bool> ChangedAsync(int count)
    {
        for (TimeSpan quiet = TimeSpan.Zero; _history.Count == count && quiet < QuietIsTheEnd; quiet += Poll) await Task.Delay(Poll);
        return _history.Count != count;
    }

    private async Task UntilAsync(Func<bool> condition, string what)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            ThrowIfBroken();
            if (clock.Elapsed > LongestSettling) throw new TimeoutException($"waited in vain for {what}");
            await Task.Delay(Poll);
        }
    }

    /// <summary>A client that stopped found something it could not read.</summary>
    private void ThrowIfBroken()
    {
        if (_running.Find(task => task.IsFaulted) is { } broken) throw broken.Exception!.InnerException!;
    }

    private static ClientIdentity Identity(int number) =>
        new(
            number, Ids[number],
            number >= PublisherCount ? SubscriberPlans[number - PublisherCount].Version : number % 2 == 0 ? ProtocolVersion.V5 : ProtocolVersion.V311);

    private static PublisherPlan PlanOf(int publisher) => new([
        new PlannedTopic($"t/{publisher}/q1", 1), new PlannedTopic($"t/{publisher}/q2", 2), new PlannedTopic($"d/{publisher}", 1 + (publisher % 2)),
        new PlannedTopic($"s/{publisher}/q1", 1), new PlannedTopic($"s/{publisher}/q2", 2),
        new PlannedTopic($"r/{publisher}/q1", 1, Retain: true), new PlannedTopic($"r/{publisher}/q2", 2, Retain: true),
    ]);
}
