using System.Globalization;

namespace EdgeBroker.Bench;

/// <summary>Who publishes where and who subscribes to what, in a scenario of streaming messages.</summary>
/// <param name="Ledger">Judges the deliveries.</param>
/// <param name="DeliveriesPerMessage">How many a message causes, on average, rounded up.</param>
/// <param name="SourceOf">The messages of a publisher.</param>
/// <param name="FiltersOf">The filters of a subscriber.</param>
internal sealed record TrafficPlan(DeliveryLedger Ledger, long DeliveriesPerMessage, Func<int, MessageSource> SourceOf, Func<int, string[]> FiltersOf)
{
    /// <summary>Makes the plan of a scenario.</summary>
    /// <param name="options">The run's options.</param>
    /// <param name="prefix">What all its topics begin with.</param>
    public static TrafficPlan For(BenchOptions options, string prefix)
    {
        int publishers = options.Publishers, subscribers = options.Subscribers;
        var body = new MessageBody(options);
        return options.Scenario switch
        {
            Scenario.FanIn => new(
                new StreamLedger(subscribers, publishers), subscribers, i => new FixedTopicSource(body, $"{prefix}/{Show(i)}", subscribers),
                _ => [$"{prefix}/+"]),
            Scenario.FanOut => new(
                new StreamLedger(subscribers, publishers), subscribers, _ => new FixedTopicSource(body, $"{prefix}/all", subscribers), _ => [$"{prefix}/all"]),
            Scenario.Shared => new(
                new SharedLedger(subscribers, publishers), 1, i => new FixedTopicSource(body, $"{prefix}/{Show(i)}", 1),
                _ => [$"$share/{prefix.Replace('/', '-')}/{prefix}/+"]),
            Scenario.Wild => ForWild(options, prefix, body),
            _ => new(new PairLedger(publishers), 1, i => new FixedTopicSource(body, $"{prefix}/{Show(i)}", 1), i => [$"{prefix}/{Show(i)}"]),
        };
    }

    private static TrafficPlan ForWild(BenchOptions options, string prefix, MessageBody body)
    {
        var topics = new TopicTree(prefix, options.Topics);
        var filters = new string[options.Subscribers][];
        for (int i = 0; i < filters.Length; i++)
        {
            // What does not divide evenly goes to the first ones.
            int count = (options.Filters / options.Subscribers) + (i < options.Filters % options.Subscribers ? 1 : 0);
            filters[i] = topics.ChooseFilters(i, count);
        }

        long mean = Math.Max(1, (long)Math.Ceiling(topics.MeanSubscribers));
        return new TrafficPlan(new FilteredLedger(options.Subscribers, options.Publishers), mean, i => new RandomTopicSource(body, topics, i), i => filters[i]);
    }

    private static string Show(int number) => number.ToString(CultureInfo.InvariantCulture);
}
