namespace EdgeBroker.Bench;

/// <summary>Messages stream from publishers to subscribers: warm up, measure, stop, wait for what is on its way, and count.</summary>
internal sealed class TrafficScenario
{
    // At most once may lose: a publisher whose window is full of lost messages goes on after so long.
    private static readonly TimeSpan WriteOffAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SetupTimeout = TimeSpan.FromSeconds(20);

    private readonly LoadRun _run;
    private readonly BenchOptions _options;
    private readonly LoadLoop _loop;
    private readonly UsageMeter _meter;
    private readonly LoadSubscriber[] _subscribers;
    private long _deliveredAtStart;

    private TrafficScenario(BenchOptions options, LoadLoop loop, uint mark, UsageMeter meter)
    {
        TrafficPlan plan = TrafficPlan.For(options, $"bench/{mark:x8}");
        _options = options;
        _loop = loop;
        _run = new LoadRun(options, loop, mark) { Ledger = plan.Ledger };
        _meter = meter;
        _subscribers = new LoadSubscriber[options.Subscribers];
        for (int i = 0; i < _subscribers.Length; i++) _subscribers[i] = new LoadSubscriber(_run, i, _run.Subscribe(plan.FiltersOf(i)));
        _run.Publishers = new LoadPublisher[options.Publishers];
        for (int i = 0; i < _run.Publishers.Length; i++)
        {
            _run.Publishers[i] = new LoadPublisher(_run, i, plan.SourceOf(i)) { DeliveriesPerMessage = plan.DeliveriesPerMessage };
            if (options.Messages > 0)
            {
                _run.Publishers[i].Remaining = (options.Messages / options.Publishers) + (i < options.Messages % options.Publishers ? 1 : 0);
            }
        }
    }

    private DeliveryTally Tally => _run.Ledger.Tally;

    private bool IsPublished => _run.Publishers.All(publisher => publisher.Remaining == 0);

    private bool IsComplete => Tally.Unique >= Tally.Expected && !_run.Publishers.Any(publisher => publisher.IsReady && publisher.Unacknowledged > 0);

    /// <summary>Runs it.</summary>
    public static BenchResult Run(BenchOptions options, LoadLoop loop, uint mark, UsageMeter meter) => new TrafficScenario(options, loop, mark, meter).Run();

    private BenchResult Run()
    {
        long before = _meter.ReadBroker()?.ResidentBytes ?? 0;
        _loop.OpenAll(_subscribers, SetupTimeout);
        _loop.OpenAll(_run.Publishers, SetupTimeout);
        _run.Pump.Start(_run.Publishers);
        if (_options.Messages == 0) PublishFor(_options.WarmUp);
        StartMeasuring();
        if (_options.Messages > 0)
        {
            PublishUntil(() => IsPublished);
            Drain();
        }
        else
        {
            PublishFor(_options.Duration);
        }

        BenchResult measured = Measure(before);
        _run.IsMeasuring = false;
        Drain();
        // Behind the PINGRESP nothing is left that could be a second copy.
        _run.Fence(_subscribers);
        BenchResult result = measured with { Sent = _run.Publishers.Sum(publisher => publisher.Sent), Broken = _loop.Broken, FirstBreak = _loop.FirstBreak };
        _run.DisconnectAll([.. _subscribers, .. _run.Publishers]);
        return result;
    }

    private void StartMeasuring()
    {
        _run.Latency.Clear();
        _run.Pump.WorstLagNs = 0;
        _deliveredAtStart = Tally.Received;
        _run.IsMeasuring = true;
        _meter.Start();
    }

    private BenchResult Measure(long residentBefore)
    {
        (double seconds, ProcessUsage generator, ProcessUsage? broker) = _meter.Read();
        return new BenchResult
        {
            Options = _options,
            Seconds = seconds,
            Done = Tally.Received - _deliveredAtStart,
            Generator = generator,
            Broker = broker,
            Tally = Tally,
            Latency = _run.Latency,
            WorstLagNs = _run.Pump.WorstLagNs,
            ResidentBytesBefore = residentBefore,
        };
    }

    private void PublishFor(TimeSpan duration)
    {
        long end = _loop.NowNs + (long)duration.TotalNanoseconds;
        PublishUntil(() => _loop.NowNs >= end);
    }

    /// <summary>Publishes until a condition holds, or nothing can come of it any more.</summary>
    private void PublishUntil(Func<bool> isDone)
    {
        TimeSpan timeout = WriteOffAfter < _options.Timeout ? WriteOffAfter : _options.Timeout;
        long movedNs = _loop.NowNs;
        while (_loop.Broken == 0)
        {
            long progress = _loop.Progress;
            if (_loop.RunUntil(isDone, timeout)) return;
            if (_loop.Progress != progress) movedNs = _loop.NowNs;
            else if (_loop.NowNs - movedNs > _options.Timeout.TotalNanoseconds) return;
            foreach (LoadPublisher publisher in _run.Publishers) publisher.WriteOff();
        }
    }

    private void Drain()
    {
        _run.Pump.Stop();
        _loop.RunUntil(() => IsComplete || _loop.Broken > 0, _options.Timeout);
    }
}
