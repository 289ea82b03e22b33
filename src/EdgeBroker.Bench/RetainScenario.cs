namespace EdgeBroker.Bench;

/// <summary>Retained messages are set, whoever subscribes gets all of them, and they are removed again.</summary>
internal static class RetainScenario
{
    private static readonly TimeSpan SetupTimeout = TimeSpan.FromSeconds(20);

    /// <summary>Runs it.</summary>
    public static BenchResult Run(BenchOptions options, LoadLoop loop, uint mark, UsageMeter meter)
    {
        var run = new LoadRun(options, loop, mark) { Ledger = new RetainedLedger(options.Subscribers, options.Retained) };
        var publisher = new LoadPublisher(run, 0, new EachTopicSource(new MessageBody(options, retain: true), run.TopicPrefix, options.Retained))
        {
            Remaining = options.Retained,
        };
        run.Publishers = [publisher];
        long before = meter.ReadBroker()?.ResidentBytes ?? 0;
        loop.OpenAll(run.Publishers, SetupTimeout);
        PublishAll(run, publisher);
        double? each = meter.ReadBroker() is { } after ? (after.ResidentBytes - before) / (double)options.Retained : null;

        var subscribers = new LoadSubscriber[options.Subscribers];
        for (int i = 0; i < subscribers.Length; i++) subscribers[i] = new LoadSubscriber(run, i, run.Subscribe([$"{run.TopicPrefix}/#"]));
        DeliveryTally tally = run.Ledger.Tally;
        tally.Expected = (long)options.Subscribers * options.Retained;
        meter.Start();
        loop.OpenAll(subscribers, SetupTimeout);
        loop.RunUntil(() => tally.Unique >= tally.Expected || loop.Broken > 0, options.Timeout);
        (double seconds, ProcessUsage generator, ProcessUsage? broker) = meter.Read();
        run.Fence(subscribers);
        var result = new BenchResult
        {
            Options = options,
            Seconds = seconds,
            Done = tally.Received,
            Generator = generator,
            Broker = broker,
            Sent = publisher.Sent,
            Tally = tally,
            Broken = loop.Broken,
            FirstBreak = loop.FirstBreak,
            ResidentBytesBefore = before,
            BytesEach = each,
        };
        run.DisconnectAll(subscribers);
        Remove(options, loop, run);
        return result;
    }

    private static void PublishAll(LoadRun run, LoadPublisher publisher)
    {
        run.Pump.Start([publisher]);
        bool done = run.Loop.RunUntil(() => (publisher.Remaining == 0 && publisher.Unacknowledged == 0) || run.Loop.Broken > 0, run.Options.Timeout);
        run.Pump.Stop();
        if (run.Loop.Broken > 0) throw new BenchException(run.Loop.FirstBreak!);
        if (!done || !run.Fence([publisher]))
        {
            throw new BenchException(
                $"Of {run.Options.Retained} retained messages the broker took {publisher.Sent - publisher.Unacknowledged} and then no more.");
        }
    }

    /// <summary>An empty payload removes what is retained [MQTT-3.3.1-6]: a broker in use is left as it was.</summary>
    private static void Remove(BenchOptions options, LoadLoop loop, LoadRun run)
    {
        BenchOptions empty = options with { PayloadBytes = 0 };
        var removal = new LoadRun(empty, loop, run.Mark) { Ledger = new RetainedLedger(0, 0) };
        var publisher = new LoadPublisher(removal, 1, new EachTopicSource(new MessageBody(empty, retain: true), run.TopicPrefix, options.Retained))
        {
            Remaining = options.Retained,
        };
        loop.OpenAll([publisher], SetupTimeout);
        PublishAll(removal, publisher);
        removal.DisconnectAll([publisher, .. run.Publishers]);
    }
}
