using System.Text;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Core.Topics;

namespace EdgeBroker.Core.Tests.Topics;

public sealed class ConcurrentMatchTests
{
    [Fact]
    public async Task Readers_never_miss_a_lasting_subscription_while_a_writer_churns()
    {
        const int churns = 60_000;
        var tree = new SubscriptionTree();
        Session lasting = Loose.Session("lasting");
        string[] topics = ["a/b", "a/b/c", "x/7", "x/99", "$x/a"];
        foreach (string filter in (string[])["a/b", "a/+/c", "x/#", "$x/+"]) tree.Add(Loose.Subscribe(lasting, filter));
        bool done = false;
        Task[] readers = [.. Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            var matcher = new SubscriptionMatcher();
            while (!Volatile.Read(ref done))
            {
                foreach (string topic in topics)
                {
                    MatchResult match = matcher.Match(tree.Root, Encoding.UTF8.GetBytes(topic));
                    Assert.Single(match.Plain, one => ReferenceEquals(one.Receiver, lasting));
                }
            }
        }))];

        var random = new Random(1);
        Session[] others = [.. Enumerable.Range(0, 20).Select(i => Loose.Session("other" + i))];
        for (int i = 0; i < churns; i++)
        {
            Session session = others[random.Next(others.Length)];
            string filter = random.Next(5) switch
            {
                0 => "x/" + random.Next(40),
                1 => Naive.Filter(random.Next(10_000), random.Next(10_000)),
                2 => "a/b",
                3 => "a/+/c",
                _ => "$share/g/x/#",
            };
            if (random.Next(2) == 0) tree.Add(Loose.Subscribe(session, filter));
            else tree.Remove(session, Encoding.UTF8.GetBytes(filter));
        }

        Volatile.Write(ref done, true);
        await Task.WhenAll(readers);
    }
}
