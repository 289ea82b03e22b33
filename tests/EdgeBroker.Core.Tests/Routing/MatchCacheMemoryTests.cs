using System.Text;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Core.Topics;

namespace EdgeBroker.Core.Tests.Routing;

/// <summary>What the cache weighs. Measures the process's memory, and therefore runs alone.</summary>
[Collection(Alone.Name)]
public sealed class MatchCacheMemoryTests
{
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
}
