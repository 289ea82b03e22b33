using EdgeBroker.Crash.Tests.Clients;
using EdgeBroker.Crash.Tests.History;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Crash.Tests.Runs;

/// <summary>
/// A subscriber that is away and two publishers, 5.0 and 3.1.1, that send it messages of QoS 1 and 2: every message has to be kept. For tests that put the disk
/// to the test.
/// </summary>
public sealed class QueueRig : IAsyncDisposable
{
    private const int Away = 2;

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);

    private readonly BrokerAddress _address = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _running = [];
    private readonly Publisher[] _publishers;
    private readonly Subscriber _subscriber;

    /// <param name="history">What has happened; the clients remember it.</param>
    /// <param name="largestBytes">Payloads are up to this long.</param>
    public QueueRig(RunHistory history, int largestBytes = 2000)
    {
        History = history;
        string away = history.Clients[Away];
        _publishers = [.. Enumerable.Range(0, 2).Select(i => new Publisher(
            new ClientIdentity(i, history.Clients[i], i == 0 ? ProtocolVersion.V5 : ProtocolVersion.V311),
            new PublisherPlan(
                [new PlannedTopic($"{away}/{i}/q1", 1), new PlannedTopic($"{away}/{i}/q2", 2)], LargestBytes: largestBytes,
                LongestPause: TimeSpan.FromMilliseconds(5)),
            history, new Random(i)))];
        _subscriber = new Subscriber(
            new ClientIdentity(Away, away, ProtocolVersion.V5), new SubscriberPlan(2, [$"{away}/#"], Attendance.Away), history, new Random(Away));
    }

    /// <summary>What has happened.</summary>
    public RunHistory History { get; }

    /// <summary>How many messages have been acknowledged.</summary>
    public int Acknowledged => History.Events.Count(e => e.Kind is EventKind.Acknowledged or EventKind.Received);

    private int Connections => History.Events.Count(e => e.Kind == EventKind.Connected && e.Client == Away);

    /// <summary>A history for a rig.</summary>
    /// <param name="diskPosition">How far the disk's log has come.</param>
    /// <param name="subscriber">The client id of the subscriber, and the first level of all topics: rigs with different ones have nothing to do with each
    /// other.</param>
    public static RunHistory NewHistory(Func<long> diskPosition, string subscriber = "away") =>
        new([$"{subscriber}-v5", $"{subscriber}-v311", subscriber], diskPosition);

    /// <summary>Lets everyone in: the subscriber subscribes and leaves, the publishers begin.</summary>
    public async Task StartAsync(int port)
    {
        _address.Set(port);
        _running.Add(Task.Run(() => _subscriber.RunAsync(_address, _stop.Token)));
        await UntilAsync(() => _subscriber.IsSubscribed, "the subscription");
        foreach (Publisher publisher in _publishers) _running.Add(Task.Run(() => publisher.RunAsync(_address, _stop.Token)));
    }

    /// <summary>Waits until this many messages more have been acknowledged.</summary>
    public Task MoreAcknowledgedAsync(int count)
    {
        int wanted = Acknowledged + count;
        return UntilAsync(() => Acknowledged >= wanted, $"{count} more acknowledgements");
    }

    /// <summary>The broker is about to go.</summary>
    public void BrokerGoes() => _address.Clear();

    /// <summary>The publishers finish what they have begun and begin nothing new.</summary>
    public async Task FinishPublishingAsync()
    {
        foreach (Publisher publisher in _publishers) publisher.Drain();
        await UntilAsync(() => _publishers.All(p => p.IsSettled), "the publishers to finish");
    }

    /// <summary>The subscriber comes back; returns when everything the broker still had for it has come.</summary>
    public async Task<Verdict> SettleAsync()
    {
        await FinishPublishingAsync();
        _subscriber.Drain();
        while (!await TryReachEndAsync())
        {
        }

        int count;
        do
        {
            count = History.Count;
            await _subscriber.FenceAsync();
        }
        while (History.Count != count || !_subscriber.IsSettled);
        return Judge.Of(History);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running);
        _stop.Dispose();
    }

    /// <summary>
    /// Publishes a last message to each topic and waits until these have come: each topic's others came before them [MQTT-4.6.0-6]. An answered ping would say
    /// less, since a broker that reads a queue back from its disk answers meanwhile. False: the connection was lost on the way, and the last messages perhaps
    /// with it.
    /// </summary>
    private async Task<bool> TryReachEndAsync()
    {
        await UntilAsync(() => _subscriber.IsSettled, "the subscriber to come back");
        int connections = Connections;
        int first = History.Messages.Count;
        foreach (Publisher publisher in _publishers)
        {
            await UntilAsync(() => publisher.IsSettled, "a publisher to come back");
            if (!await publisher.PublishToEachTopicAsync(1)) return false;
        }

        await FinishPublishingAsync();
        int last = History.Messages.Count;
        await UntilAsync(() => Connections != connections || (HasAll(first, last) && _subscriber.IsSettled), "the last messages");
        return Connections == connections;
    }

    private bool HasAll(int first, int last)
    {
        HashSet<int> came = [.. History.Events.Where(e => e.Kind == EventKind.Delivered).Select(e => e.Message)];
        return Enumerable.Range(first, last - first).All(came.Contains);
    }

    private async Task UntilAsync(Func<bool> condition, string what)
    {
        int count = History.Count;
        for (TimeSpan waited = TimeSpan.Zero; !condition(); waited += Poll)
        {
            if (_running.Find(task => task.IsFaulted) is { } broken) throw broken.Exception!.InnerException!;
            if (waited > Deadline.Timeout) throw new TimeoutException($"waited in vain for {what}");
            await Task.Delay(Poll);
            // As long as something happens it is slow, and not in vain.
            if (History.Count != count) waited = TimeSpan.Zero;
            count = History.Count;
        }
    }
}
