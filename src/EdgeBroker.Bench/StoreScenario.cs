namespace EdgeBroker.Bench;

/// <summary>
/// Publishers wait for acknowledgements of messages that have to be stored: queued for a subscriber that is away, which fetches them in the end, or retained.
/// </summary>
internal static class StoreScenario
{
    /// <summary>Topics whose values are set, with <see cref="BenchOptions.RetainEach"/>.</summary>
    private const int Values = 100;

    private static readonly TimeSpan SetupTimeout = TimeSpan.FromSeconds(20);

    /// <summary>Runs it.</summary>
    public static BenchResult Run(BenchOptions options, LoadLoop loop, uint mark, UsageMeter meter)
    {
        long before = meter.ReadBroker()?.ResidentBytes ?? 0;
        var run = new LoadRun(options, loop, mark) { Ledger = new StreamLedger(1, options.Publishers) };
        if (!options.RetainEach) Attend(run, keepsSession: true);
        var body = new MessageBody(options, options.RetainEach);
        run.Publishers = new LoadPublisher[options.Publishers];
        for (int i = 0; i < run.Publishers.Length; i++)
        {
            run.Publishers[i] = new LoadPublisher(run, i, SourceOf(run, body, i)) { Remaining = RemainingOf(options, i) };
        }

        loop.OpenAll(run.Publishers, SetupTimeout);
        run.Pump.Start(run.Publishers);
        if (options.Messages == 0) PublishFor(loop, options.WarmUp);
        long acknowledged = Acknowledged(run);
        meter.Start();
        if (options.Messages == 0) PublishFor(loop, options.Duration);
        else loop.RunUntil(() => loop.Broken > 0 || run.Publishers.All(IsDone), options.Timeout);
        (double seconds, ProcessUsage generator, ProcessUsage? broker) = meter.Read();
        long done = Acknowledged(run) - acknowledged;
        run.Pump.Stop();
        loop.RunUntil(() => loop.Broken > 0 || run.Publishers.All(publisher => publisher.Unacknowledged == 0), options.Timeout);
        long sent = run.Publishers.Sum(publisher => publisher.Sent);
        if (options.RetainEach) Remove(run);
        else Fetch(run, sent);
        run.DisconnectAll(run.Publishers);
        return new BenchResult
        {
            Options = options,
            Seconds = seconds,
            Done = done,
            Generator = generator,
            Broker = broker,
            Sent = sent,
            Tally = run.Ledger.Tally,
            Broken = loop.Broken,
            FirstBreak = loop.FirstBreak,
            ResidentBytesBefore = before,
        };
    }

    private static MessageSource SourceOf(LoadRun run, MessageBody body, int publisher)
    {
        string topic = $"{run.TopicPrefix}/{publisher}";
        return run.Options.RetainEach ? new EachTopicSource(body, topic, Values) : new FixedTopicSource(body, topic, subscribers: 0);
    }

    private static void PublishFor(LoadLoop loop, TimeSpan duration) =>
        loop.RunUntilTime(loop.NowNs + (long)duration.TotalNanoseconds, () => loop.Broken > 0);

    private static long RemainingOf(BenchOptions options, int publisher) =>
        options.Messages == 0 ? long.MaxValue : (options.Messages / options.Publishers) + (publisher < options.Messages % options.Publishers ? 1 : 0);

    private static bool IsDone(LoadPublisher publisher) => publisher.Remaining == 0 && publisher.Unacknowledged == 0;

    private static long Acknowledged(LoadRun run) => run.Publishers.Sum(publisher => publisher.Sent - publisher.Unacknowledged);

    /// <summary>The subscriber comes and goes; its session stays, or ends.</summary>
    private static void Attend(LoadRun run, bool keepsSession)
    {
        LoadSubscriber subscriber = SubscriberOf(run, keepsSession);
        run.Loop.OpenAll([subscriber], SetupTimeout);
        run.DisconnectAll([subscriber]);
    }

    private static LoadSubscriber SubscriberOf(LoadRun run, bool keepsSession) =>
        new(run, 0, run.Subscribe([$"{run.TopicPrefix}/+"])) { KeepsSession = keepsSession };

    /// <summary>The subscriber comes back for everything that was acknowledged, and its session ends.</summary>
    private static void Fetch(LoadRun run, long sent)
    {
        DeliveryTally tally = run.Ledger.Tally;
        tally.Expected = sent;
        LoadSubscriber subscriber = SubscriberOf(run, keepsSession: true);
        run.Loop.OpenAll([subscriber], SetupTimeout);
        run.Loop.RunUntil(() => tally.Unique >= sent || run.Loop.Broken > 0, run.Options.Timeout);
        run.Fence([subscriber]);
        run.DisconnectAll([subscriber]);
        Attend(run, keepsSession: false);
    }

    /// <summary>An empty payload removes what is retained [MQTT-3.3.1-6]: a broker in use is left as it was.</summary>
    private static void Remove(LoadRun run)
    {
        var removal = new LoadRun(run.Options with { PayloadBytes = 0 }, run.Loop, run.Mark) { Ledger = new RetainedLedger(0, 0) };
        var body = new MessageBody(removal.Options, retain: true);
        var publishers = new LoadPublisher[run.Publishers.Length];
        for (int i = 0; i < publishers.Length; i++)
        {
            publishers[i] = new LoadPublisher(removal, run.Publishers.Length + i, new EachTopicSource(body, $"{run.TopicPrefix}/{i}", Values))
            {
                Remaining = Values,
            };
        }

        removal.Loop.OpenAll(publishers, SetupTimeout);
        removal.Pump.Start(publishers);
        removal.Loop.RunUntil(() => removal.Loop.Broken > 0 || publishers.All(IsDone), removal.Options.Timeout);
        removal.Pump.Stop();
        removal.DisconnectAll(publishers);
    }
}
