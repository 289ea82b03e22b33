using System.Text;
using CsCheck;
using EdgeBroker.Core.Messages;
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
            if (owned is null) Assert.True(direct.IsEmpty);
            else Assert.Equal(topic, owned);
            Assert.Equal(Ids(direct), Ids(cached));
            Assert.Equal(direct.Groups, cached.Groups);
        }
    });

    [Fact]
    public void Answers_for_a_batch_as_for_its_messages() => Steps.Of(4, 300).Array[1, 6].Sample(batches =>
    {
        var tree = new SubscriptionTree();
        var cache = new MatchCache(tree);
        var matcher = new SubscriptionMatcher();
        var batch = new MessageBatch();
        Session[] sessions = [Loose.Session("1"), Loose.Session("2")];
        foreach ((int, int, int)[] steps in batches)
        {
            var topics = new List<byte[]>();
            foreach ((int op, int a, int b) in steps)
            {
                byte[] filter = Encoding.UTF8.GetBytes(Naive.Filter(a, b));
                if (op == 0) tree.Add(new Subscription(sessions[b % 2], filter, default, 0));
                if (op == 1) tree.Remove(sessions[b % 2], filter);
                // Now and then a topic of which few are kept, and payloads of all lengths a length is written in.
                byte[] topic = Encoding.UTF8.GetBytes(Naive.Topic(b, a) + (op == 3 ? new string('x', a) : ""));
                if (!batch.TryAdd(new Publication { Topic = topic, Payload = new byte[a] })) break;
                topics.Add(topic);
            }

            cache.Match(matcher, batch);
            for (int i = 0; i < topics.Count; i++)
            {
                MatchResult direct = new SubscriptionMatcher().Match(tree.Root, topics[i]);
                Assert.True(batch.TopicOf(i).SequenceEqual(topics[i]));
                Assert.Equal(Ids(direct), Ids(batch.Matches[i]));
                Assert.Equal(direct.Groups, batch.Matches[i].Groups);
            }

            batch.Clear();
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
    public void A_long_topic_that_thousands_of_overlapping_filters_match_is_matched_once()
    {
        const int levels = 10;
        var tree = new SubscriptionTree();
        Session session = Loose.Session("1");
        string[] names = [.. Enumerable.Range(0, levels).Select(level => new string((char)('a' + level), 40))];
        for (int filter = 0; filter < 1 << levels; filter++)
        {
            tree.Add(Loose.Subscribe(session, string.Join('/', names.Select((name, level) => (filter & (1 << level)) == 0 ? name : "+"))));
        }

        byte[] topic = Encoding.UTF8.GetBytes(string.Join('/', names));
        Assert.True(topic.Length > 256);
        var cache = new MatchCache(tree);
        var matcher = new SubscriptionMatcher();
        MatchResult first = cache.Match(matcher, topic, out byte[]? owned);
        Assert.Single(first.Plain);
        Assert.Equal(topic, owned);
        Assert.Same(first, cache.Match(matcher, topic, out byte[]? again));
        Assert.Same(owned, again);
        tree.Remove(session, Encoding.UTF8.GetBytes(string.Join('/', Enumerable.Repeat("+", levels))));
        MatchResult changed = cache.Match(matcher, topic, out _);
        Assert.NotSame(first, changed);
        Assert.Same(changed, cache.Match(matcher, topic, out _));
        // Others like it take the place in the end: there are not many.
        for (int i = 0; i < 8; i++) cache.Match(matcher, Encoding.UTF8.GetBytes(string.Join('/', names[1..].Prepend("x" + i))), out _);
        Assert.Equal(changed.Plain.Length, cache.Match(matcher, topic, out _).Plain.Length);
    }

    [Fact]
    public void Filters_that_come_and_go_elsewhere_leave_a_match_alone()
    {
        var tree = new SubscriptionTree();
        Session session = Loose.Session("1");
        tree.Add(Loose.Subscribe(session, "a/#"));
        tree.Add(Loose.Subscribe(session, "a/+"));
        var cache = new MatchCache(tree);
        var matcher = new SubscriptionMatcher();
        MatchResult last = cache.Match(matcher, "a/b"u8, out _);
        int anew = 0;
        for (int i = 0; i < 1_000; i++)
        {
            tree.Add(Loose.Subscribe(session, "b/" + i));
            tree.Add(Loose.Subscribe(session, "b/+/" + i));
            tree.Add(Loose.Subscribe(session, "a/" + i));
            tree.Remove(session, Encoding.UTF8.GetBytes("b/" + i));
            MatchResult now = cache.Match(matcher, "a/b"u8, out _);
            if (!ReferenceEquals(now, last)) anew++;
            last = now;
        }

        // Not none: two filters may share a stamp.
        Assert.InRange(anew, 0, 50);
        tree.Remove(session, "a/+"u8);
        Assert.NotSame(last, cache.Match(matcher, "a/b"u8, out _));
    }

    [Fact]
    public async Task While_a_writer_churns_it_neither_misses_a_subscription_nor_keeps_one_that_is_gone()
    {
        const int churns = 60_000;
        var tree = new SubscriptionTree();
        Session lasting = Loose.Session("lasting"), changing = Loose.Session("changing"), churning = Loose.Session("churning");
        string[] topics = ["a/b", "a/b/c", "x/7", "x/99", "$x/a"];
        foreach (string filter in (string[])["a/b", "a/+/c", "x/#", "$x/+"]) tree.Add(Loose.Subscribe(lasting, filter));
        // Of each four: 0, one of the subscribers of y/7 is not there; 2, it is; else it changes just now.
        long phase = 0;
        bool done = false;
        Task[] readers = [.. Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            var cache = new MatchCache(tree);
            var matcher = new SubscriptionMatcher();
            while (!Volatile.Read(ref done))
            {
                foreach (string topic in topics)
                {
                    Assert.Contains(cache.Match(matcher, Encoding.UTF8.GetBytes(topic), out byte[]? _).Plain, one => ReferenceEquals(one.Receiver, lasting));
                }

                long before = Volatile.Read(ref phase);
                bool found = Array.Exists(cache.Match(matcher, "y/7"u8, out byte[]? _).Plain, one => ReferenceEquals(one.Receiver, changing));
                if (before == Volatile.Read(ref phase) && before % 2 == 0) Assert.Equal(before % 4 == 2, found);
            }
        }))];

        var random = new Random(1);
        for (int i = 0; i < churns; i++)
        {
            if (i % 8 == 0)
            {
                byte[] filter = Encoding.UTF8.GetBytes((i / 32 % 3) switch { 0 => "y/7", 1 => "y/+", _ => "y/7/#" });
                Volatile.Write(ref phase, phase + 1);
                if (phase % 4 == 1) tree.Add(new Subscription(changing, filter, default, 0));
                else Assert.True(tree.Remove(changing, filter));
                Volatile.Write(ref phase, phase + 1);
            }

            string other = Naive.Filter(random.Next(10_000), random.Next(10_000));
            if (random.Next(2) == 0) tree.Add(Loose.Subscribe(churning, other));
            else tree.Remove(churning, Encoding.UTF8.GetBytes(other));
        }

        Volatile.Write(ref done, true);
        await Task.WhenAll(readers);
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

    private static IEnumerable<string> Ids(MatchResult match) => match.Plain.Select(one => one.Receiver.Id).Order();
}
