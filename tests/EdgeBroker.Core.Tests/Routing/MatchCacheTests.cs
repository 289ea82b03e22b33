using System.Text;
using CsCheck;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Core.Tests.Topics;
using EdgeBroker.Core.Topics;

namespace EdgeBroker.Core.Tests.Routing;

[Collection(Alone.Name)]
public sealed class MatchCacheTests
{
    [Fact]
    public void Always_answers_as_the_tree_does() => Steps.Of(6, 300).Sample(steps =>
    {
        var tree = new SubscriptionTree();
        var cache = new MatchCache(tree);
        var matcher = new SubscriptionMatcher();
        Session[] sessions = [Loose.Session("1"), Loose.Session("2")];
        foreach ((int op, int a, int b) in steps)
        {
            byte[] filter = Encoding.UTF8.GetBytes(Naive.Filter(a, b));
            if (op == 0) tree.Add(new Subscription(sessions[b % 2], filter, default, 0));
            else if (op == 1) tree.Remove(sessions[b % 2], filter);
            byte[] topic = Encoding.UTF8.GetBytes(Naive.Topic(b, a) + (op == 5 ? a : ""));
            MatchResult cached = cache.Match(matcher, topic, out byte[]? owned);
            MatchResult direct = new SubscriptionMatcher().Match(tree.Root, topic);
            Assert.Equal(topic, owned);
            Assert.Equal(Ids(direct), Ids(cached));
            Assert.Equal(direct.Groups, cached.Groups);
        }
    });

    [Fact]
    public void A_topic_that_repeats_is_matched_and_copied_once()
    {
        var tree = new SubscriptionTree();
        tree.Add(Loose.Subscribe(Loose.Session("1"), "#"));
        var cache = new MatchCache(tree);
        var matcher = new SubscriptionMatcher();
        MatchResult first = cache.Match(matcher, "a/b"u8, out byte[]? owned);
        Assert.Same(first, cache.Match(matcher, "a/b"u8, out byte[]? again));
        Assert.Same(owned, again);
    }

    [Fact]
    public void It_grows_until_a_working_set_of_thousands_of_topics_stays()
    {
        var tree = new SubscriptionTree();
        tree.Add(Loose.Subscribe(Loose.Session("1"), "#"));
        var cache = new MatchCache(tree);
        var matcher = new SubscriptionMatcher();
        byte[][] topics = [.. Enumerable.Range(0, 3_000).Select(i => Encoding.UTF8.GetBytes("sensor/" + i))];
        for (int round = 0; round < 60; round++)
        {
            foreach (byte[] topic in topics) cache.Match(matcher, topic, out _);
        }

        var kept = new Dictionary<byte[], byte[]>();
        foreach (byte[] topic in topics)
        {
            cache.Match(matcher, topic, out byte[]? owned);
            kept[topic] = owned!;
        }

        int hits = topics.Count(topic =>
        {
            cache.Match(matcher, topic, out byte[]? owned);
            return ReferenceEquals(owned, kept[topic]);
        });
        Assert.InRange(hits, 2_000, 3_000);
    }

    [Fact]
    public void Of_fifty_thousand_topics_in_any_order_most_are_found()
    {
        var tree = new SubscriptionTree();
        tree.Add(Loose.Subscribe(Loose.Session("1"), "#"));
        var cache = new MatchCache(tree);
        var matcher = new SubscriptionMatcher();
        byte[][] topics = [.. Enumerable.Range(0, 50_000).Select(i => Encoding.UTF8.GetBytes("sensor/" + i))];
        var latest = new byte[topics.Length][];
        var random = new Random(1);
        int hits = 0;
        for (int i = 0; i < 1_000_000; i++)
        {
            int topic = random.Next(topics.Length);
            cache.Match(matcher, topics[topic], out byte[]? owned);
            // Warm by then: the table has grown to its full size.
            if (i >= 500_000 && ReferenceEquals(owned, latest[topic])) hits++;
            latest[topic] = owned!;
        }

        Assert.InRange(hits / 500_000.0, 0.85, 1);
    }

    [Fact]
    public void Topics_and_filters_of_a_client_s_choice_do_not_decide_what_it_weighs()
    {
        var tree = new SubscriptionTree();
        for (int i = 0; i < 500; i++) tree.Add(Loose.Subscribe(Loose.Session("s" + i), "#"));
        tree.Add(Loose.Subscribe(Loose.Session("overlapping"), "+/#"));
        var cache = new MatchCache(tree);
        var matcher = new SubscriptionMatcher();
        long before = GC.GetTotalMemory(true);
        for (int round = 0; round < 2; round++)
        {
            for (int i = 0; i < 20_000; i++) cache.Match(matcher, Encoding.UTF8.GetBytes("short/" + i), out _);
            for (int i = 0; i < 20_000; i++) cache.Match(matcher, Encoding.UTF8.GetBytes(i.ToString("D2000", null)), out _);
        }

        long held = GC.GetTotalMemory(true) - before;
        GC.KeepAlive(cache);
        Assert.InRange(held, long.MinValue, 10_000_000);
    }

    private static IEnumerable<string> Ids(MatchResult match) => match.Plain.Select(one => one.Session.ClientId).Order();
}
