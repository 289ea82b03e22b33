using System.Text;
using BenchmarkDotNet.Attributes;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;

namespace EdgeBroker.Benchmarks;

/// <summary>
/// Who gets a topic, among many filters: 14 of 20 without wildcard, 5 with +, 1 with #, as in the bench's scenario wild. Topics are asked for in random order:
/// in each benchmark as many as there are filters, but for the one on a single topic.
/// </summary>
[MemoryDiagnoser]
public class MatchBenchmarks
{
    private const int Clients = 100;

    private readonly SubscriptionTree _tree = new();
    private readonly SubscriptionMatcher _matcher = new();
    private MatchCache _cache = null!;
    private byte[][] _topics = [];
    private int _at;

    [Params(1_000, 50_000, 1_000_000)]
    public int Filters { get; set; }

    [GlobalSetup]
    public void Subscribe()
    {
        var random = new Random(1);
        var broker = new Broker(
            new MqttOptions { SysInterval = TimeSpan.Zero }, new BrokerClock(TimeProvider.System), VolatileJournal.Instance,
            new BrokerEvents(new SilentEvents()), "benchmark");
        RoutingContext context = broker.CreateContext();
        var sessions = new Session[Clients];
        for (int i = 0; i < Clients; i++)
        {
            sessions[i] = broker.Connect($"client-{i}", true, new SessionGrant(0, 65_535, null), context, new MemoryLink())!.Value.Session;
        }

        int width = (int)Math.Cbrt(5 * Filters);
        for (int i = 0; i < Filters; i++)
        {
            string filter = FilterOf(i % 20, random.Next(width), random.Next(width), random.Next(width));
            _tree.Add(new Subscription(sessions[i % Clients], Encoding.UTF8.GetBytes(filter), default, 0));
        }

        _topics = new byte[Filters][];
        for (int i = 0; i < Filters; i++) _topics[i] = Encoding.UTF8.GetBytes($"bench/a{random.Next(width)}/b{random.Next(width)}/c{random.Next(width)}");
        _cache = new MatchCache(_tree);
    }

    [Benchmark]
    public int Match_one_topic_again_and_again() => _matcher.Match(_tree.Root, _topics[0]).Plain.Length;

    [Benchmark]
    public int Match_any_topic() => _matcher.Match(_tree.Root, NextTopic()).Plain.Length;

    [Benchmark]
    public int Match_any_topic_through_the_cache() => _cache.Match(_matcher, NextTopic(), out _).Plain.Length;

    private static string FilterOf(int kind, int a, int b, int c) => kind switch
    {
        < 14 => $"bench/a{a}/b{b}/c{c}",
        14 or 15 => $"bench/+/b{b}/c{c}",
        16 or 17 => $"bench/a{a}/+/c{c}",
        18 => $"bench/a{a}/b{b}/+",
        _ => $"bench/a{a}/b{b}/#",
    };

    private byte[] NextTopic()
    {
        if (++_at == _topics.Length) _at = 0;
        return _topics[_at];
    }
}
