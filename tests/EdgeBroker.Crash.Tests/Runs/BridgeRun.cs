using EdgeBroker.Crash.Tests.Clients;
using EdgeBroker.Crash.Tests.Disk;
using EdgeBroker.Crash.Tests.History;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Crash.Tests.Runs;

/// <summary>
/// A bridge under faults: two publishers, 5.0 and 3.1.1, publish at QoS 1 and 2 to one broker, whose bridge carries that to another one, where a subscriber
/// takes it. Either broker dies, and the link between them fails, again and again. What the first broker has acknowledged comes to the subscriber, in order for
/// each topic, and at QoS 2 once.
/// </summary>
public sealed class BridgeRun : IDisposable
{
    private const int Far = 2;
    private const int Link = 3;
    private const int OperationsUnderLoad = 300;
    private const int OperationsOfCommits = 50;
    private const int ShortestCutBytes = 200;
    private const int LongestCutBytes = 20_000;

    private static readonly string[] Clients = ["near-v5", "near-v311", "far", "link"];
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan WaitForOperation = TimeSpan.FromMilliseconds(1200);
    private static readonly TimeSpan SlowLink = TimeSpan.FromMilliseconds(30);

    private readonly RunOptions _options;
    private readonly Random _random;
    private readonly FaultyProxy _link;
    private readonly Upstream _upstream;
    private readonly BrokerUnderTest _local;
    private readonly DiskShim _shim;
    private readonly RunHistory _history;
    private readonly BrokerAddress _near = new();
    private readonly BrokerAddress _far = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Publisher[] _publishers;
    private readonly Subscriber _subscriber;
    private readonly List<Task> _running = [];
    private readonly Dictionary<BridgeFault, int> _faults = [];
    private TimeSpan _clockAhead;
    private string? _smallDisk;

    private BridgeRun(RunOptions options, FaultyProxy link, Upstream upstream, BrokerUnderTest local, DiskShim shim)
    {
        _options = options;
        _random = new Random(options.Seed);
        (_link, _upstream, _local, _shim) = (link, upstream, local, shim);
        _history = new RunHistory(Clients, () => 0);
        link.Observer = new LinkRecord(_history, Link).Observe;
        _publishers = [.. Enumerable.Range(0, Far).Select(i => new Publisher(
            new ClientIdentity(i, Clients[i], i == 0 ? ProtocolVersion.V5 : ProtocolVersion.V311),
            new PublisherPlan(
                [new PlannedTopic($"t/{i}/q1", 1), new PlannedTopic($"t/{i}/q2", 2), new PlannedTopic($"a/{i}/q1", 1), new PlannedTopic($"a/{i}/q2", 2)],
                LargestBytes: 1000, LongestPause: Poll),
            _history, new Random(options.Seed + i)))];
        _subscriber = new Subscriber(
            new ClientIdentity(Far, Clients[Far], ProtocolVersion.V5), new SubscriberPlan(2, ["t/#", "a/#"]), _history, new Random(options.Seed + Far));
    }

    private int Acknowledged => _history.CountOf(EventKind.Acknowledged) + _history.CountOf(EventKind.Received);

    private int Delivered => _history.CountOf(EventKind.Delivered);

    // A message that goes over the link again and again gets nobody anywhere.
    private int Happened => _history.Count - _history.CountOf(EventKind.Forwarded) - _history.CountOf(EventKind.ForwardAcknowledged);

    /// <summary>Runs it.</summary>
    /// <param name="options">How many faults, and which schedule.</param>
    /// <param name="upstream">The broker on the other side, by its name.</param>
    /// <param name="kinds">Faults to choose from; in the first round each of them once.</param>
    /// <param name="smallDisk">A directory alone on a small disk, which is filled up; null: writes are made to fail as on a full one.</param>
    public static async Task<RunReport> RunAsync(RunOptions options, string upstream, IReadOnlyList<BridgeFault> kinds, string? smallDisk = null)
    {
        using var link = new FaultyProxy();
        using Upstream other = Upstream.Create(upstream);
        // Seconds are the least that can be configured.
        using BrokerUnderTest local = BrokerUnderTest.Create(options.Profile, $"""

            [[bridge]]
            name = "up"
            addresses = ["127.0.0.1:{link.Port}"]
            client_id = "bridge"
            retry = "1s"
            max_retry = "1s"
            keep_alive = "1s"
              [[bridge.route]]
              local = "t/#"
              qos = 2
              [[bridge.route]]
              local = "a/#"
              qos = 2

            """, smallDisk is null ? null : Directory.CreateDirectory(Path.Combine(smallDisk, $"bridge-{options.Seed}")).FullName);
        using DiskShim shim = await DiskShim.CreateAsync(local.DataDirectory, local.Scratch, records: false);
        using var run = new BridgeRun(options, link, other, local, shim) { _smallDisk = smallDisk };
        return await run.RunAsync(kinds);
    }

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();

    private async Task<RunReport> RunAsync(IReadOnlyList<BridgeFault> kinds)
    {
        Verdict verdict;
        try
        {
            await StartUpstreamAsync();
            await StartLocalAsync();
            await StartClientsAsync();
            for (int round = 1; round <= _options.Count; round++)
            {
                BridgeFault fault = round <= kinds.Count ? kinds[round - 1] : kinds[_random.Next(kinds.Count)];
                await BefallAsync(fault);
                _faults[fault] = _faults.GetValueOrDefault(fault) + 1;
                await MoreAsync(() => Delivered, 20, $"messages to come after {fault}");
                if (round % 10 == 0) _options.Report($"{round} faults, {_history.Messages.Count} messages");
            }

            verdict = await SettleAsync();
        }
        catch (BrokerFailedException failure)
        {
            _history.Add(EventKind.BrokerFailed, -1, text: failure.Message);
            verdict = Judge.Of(_history);
        }
        catch (TimeoutException failure)
        {
            _history.Add(EventKind.BrokerFailed, -1, text: failure.Message);
            verdict = Judge.Of(_history);
        }
        finally
        {
            await _stop.CancelAsync();
            await Task.WhenAll(_running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        string faults = string.Join(", ", _faults.Select(fault => $"{fault.Value} {fault.Key}"));
        string title = $"bridge to {_upstream.Name}: {_options.Profile}, {_options.Count} faults, --seed {_options.Seed}; {faults}";
        string said = $"{_local.Said}\n\nthe other broker last said:\n{_upstream.Said}";
        return RunReport.Of(title, $"bridge-{_upstream.Name}-{_options.Seed}", _history, verdict, said);
    }

    private async Task StartClientsAsync()
    {
        _running.Add(Task.Run(() => _subscriber.RunAsync(_far, _stop.Token)));
        await UntilAsync(() => _subscriber.IsSubscribed, "the subscription");
        foreach (Publisher publisher in _publishers) _running.Add(Task.Run(() => publisher.RunAsync(_near, _stop.Token)));
        await MoreAsync(() => Delivered, 50, "the first messages to come");
    }

    private async Task BefallAsync(BridgeFault fault)
    {
        switch (fault)
        {
            case BridgeFault.LocalKilled:
                await KillLocalAsync();
                await StartLocalAsync();
                break;
            case BridgeFault.LocalKilledAtOperation:
                _shim.KillAt(_shim.Operations + _random.Next(1, OperationsUnderLoad));
                await KillLocalAtOperationAsync();
                await StartLocalAsync();
                break;
            case BridgeFault.UpstreamEnds:
                await EndUpstreamAsync();
                await MoreAsync(() => Acknowledged, _random.Next(1, 100), "publishers to go on while the other broker is away");
                await StartUpstreamAsync();
                break;
            case BridgeFault.BothEnd:
                await EndUpstreamAsync();
                await MoreAsync(() => Acknowledged, _random.Next(1, 100), "publishers to go on while the other broker is away");
                await KillLocalAsync();
                await StartUpstreamAsync();
                await StartLocalAsync();
                break;
            case BridgeFault.Reset:
                _link.CutAll();
                break;
            case BridgeFault.CutOutward or BridgeFault.CutBack:
                int cuts = _link.Cuts;
                if (fault == BridgeFault.CutOutward) _link.CutAfter(_random.Next(ShortestCutBytes, LongestCutBytes));
                else _link.CutBackAfter(_random.Next(ShortestCutBytes / 10, LongestCutBytes / 10));
                await UntilAsync(() => _link.Cuts > cuts, "the cut");
                break;
            case BridgeFault.HalfOpen:
                int connections = _link.Connections;
                _link.IsSilent = true;
                await UntilAsync(() => _link.Connections > connections, "the bridge to notice that nothing comes through");
                _link.IsSilent = false;
                // What was swallowed is missing in the middle of a stream.
                _link.CutAll();
                break;
            case BridgeFault.Slow:
                _link.Delay = SlowLink;
                await MoreAsync(() => Delivered, 100, "messages to come over a slow link");
                _link.Delay = TimeSpan.Zero;
                break;
            case BridgeFault.Away:
                _link.Target = 0;
                _link.CutAll();
                await MoreAsync(() => Acknowledged, _random.Next(100, 600), "publishers to go on while the other broker is away");
                _link.Target = await _far.PortAsync(_stop.Token);
                break;
            case BridgeFault.DiskFull:
                await FillDiskAsync();
                break;
            default:
                // As where the clock is wrong from the start until the network tells the time.
                _clockAhead += TimeSpan.FromDays(_random.Next(-400, 400));
                long operations = _shim.Operations;
                _shim.SetClock(_clockAhead);
                // Killed at the same moment it could only take the jump for a pause, and what waits for too old.
                await UntilAsync(() => _shim.Operations > operations + OperationsOfCommits, "the broker to write after a clock's jump");
                await KillLocalAsync();
                await StartLocalAsync();
                break;
        }
    }

    private async Task FillDiskAsync()
    {
        if (_smallDisk is null)
        {
            long faults = _shim.Faults;
            _shim.Fail(DiskFault.Write, Errno.NoSpace);
            await UntilAsync(() => _shim.Faults > faults, "a write that fails");
            _shim.Heal();
            return;
        }

        string ballast = Path.Combine(_smallDisk, "ballast");
        int before = CountFull();
        try
        {
            await using var file = new FileStream(ballast, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
            byte[] block = new byte[4096];
            // As much as there is: the file system says when.
            while (true) await file.WriteAsync(block);
        }
        catch (IOException)
        {
            await UntilAsync(() => CountFull() > before, "the broker to say that the disk is full");
        }

        File.Delete(ballast);
    }

    private int CountFull() => _local.Said.Split('\n').Count(line => line.Contains("the store cannot be written", StringComparison.Ordinal));

    private async Task StartUpstreamAsync()
    {
        int port = await StartAsync(_upstream.StartAsync);
        _link.Target = port;
        _far.Set(port);
    }

    private async Task EndUpstreamAsync()
    {
        _far.Clear();
        _link.Target = 0;
        await _upstream.EndAsync();
        _link.CutAll();
    }

    private async Task StartLocalAsync()
    {
        _shim.KillAt(0);
        _near.Set(await StartAsync(() => _local.StartAsync(_shim.Environment)));
    }

    private static async Task<int> StartAsync(Func<Task<int>> start)
    {
        try
        {
            return await start();
        }
        catch (InvalidOperationException exception)
        {
            throw new BrokerFailedException($"it does not start: {exception.Message}");
        }
    }

    private async Task KillLocalAsync()
    {
        _near.Clear();
        bool ran = _local.Kill();
        await _local.Process.ExitAsync();
        if (!ran && !_shim.Killed) throw new BrokerFailedException($"it ended by itself: {_local.Said}");
        _history.Add(EventKind.BrokerKilled, -1);
    }

    private async Task KillLocalAtOperationAsync()
    {
        try
        {
            await _local.Process.ExitAsync(WaitForOperation);
        }
        catch (TimeoutException)
        {
            // No operation came.
        }

        await KillLocalAsync();
    }

    /// <summary>Everything published comes to its end; what is acknowledged has come when the last message of each topic has.</summary>
    private async Task<Verdict> SettleAsync()
    {
        await FinishPublishingAsync();
        int first = _history.Messages.Count;
        foreach (Publisher publisher in _publishers)
        {
            do await UntilAsync(() => publisher.IsSettled, "a publisher to be there");
            while (!await publisher.PublishToEachTopicAsync(1));
        }

        await FinishPublishingAsync();
        int last = _history.Messages.Count;
        await UntilAsync(() => HasAll(first, last) && _subscriber.IsSettled, "the last messages");
        return Judge.Of(_history);
    }

    private async Task FinishPublishingAsync()
    {
        foreach (Publisher publisher in _publishers) publisher.Drain();
        await UntilAsync(() => _publishers.All(publisher => publisher.IsSettled), "the publishers to finish");
    }

    private bool HasAll(int first, int last)
    {
        HashSet<int> came = [.. _history.Events.Where(e => e.Kind == EventKind.Delivered && e.Message >= first).Select(e => e.Message)];
        return Enumerable.Range(first, last - first).All(came.Contains);
    }

    private Task MoreAsync(Func<int> counter, int count, string what)
    {
        int wanted = counter() + count;
        return UntilAsync(() => counter() >= wanted, what);
    }

    private async Task UntilAsync(Func<bool> condition, string what)
    {
        int count = Happened;
        for (TimeSpan waited = TimeSpan.Zero; !condition(); waited += Poll)
        {
            if (_running.Find(task => task.IsFaulted) is { } broken) throw broken.Exception!.InnerException!;
            if (waited > Deadline.Timeout) throw new TimeoutException($"waited in vain for {what}");
            await Task.Delay(Poll);
            // As long as something happens it is slow, and not in vain.
            if (Happened != count) waited = TimeSpan.Zero;
            count = Happened;
        }
    }
}
