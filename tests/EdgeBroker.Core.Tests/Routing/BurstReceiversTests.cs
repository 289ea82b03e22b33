using CsCheck;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Core.Topics;

namespace EdgeBroker.Core.Tests.Routing;

public sealed class BurstReceiversTests
{
    [Fact]
    public void Each_session_gets_its_runs_in_their_order() => Gen.Int[0, 99].Array[0, 40].Array[0, 30].Sample(runs =>
    {
        Session[] sessions = [.. Enumerable.Range(0, 100).Select(i => Loose.Session($"{i}"))];
        var receivers = new BurstReceivers();
        // More than once, since it keeps its memory.
        for (int time = 0; time < 2; time++)
        {
            var expected = new Dictionary<Receiver, List<int>>();
            for (int run = 0; run < runs.Length; run++)
            {
                Session[] who = [.. runs[run].Distinct().Select(i => sessions[i])];
                Assert.True(receivers.TryAdd(run, [.. who.Select(session => Loose.Subscribe(session, "t"))], publisher: null));
                foreach (Session session in who)
                {
                    if (!expected.TryGetValue(session, out List<int>? own)) expected.Add(session, own = []);
                    own.Add(run);
                }
            }

            Assert.Equal(expected.Count, receivers.Count);
            for (int i = 0; i < receivers.Count; i++)
            {
                Receiver session = receivers.Get(i, out int delivery);
                var taken = new List<int>();
                while (delivery >= 0)
                {
                    Assert.Same(session, receivers.Take(ref delivery, out int run).Receiver);
                    taken.Add(run);
                }

                Assert.Equal(expected[session], taken);
            }

            receivers.Clear();
            Assert.Equal(0, receivers.Count);
        }
    });

    [Fact]
    public void More_than_it_holds_is_refused_whole()
    {
        var receivers = new BurstReceivers();
        Subscription[] many = [.. Enumerable.Range(0, BurstReceivers.MostDeliveries - 1).Select(i => Loose.Subscribe(Loose.Session($"{i}"), "t"))];
        Subscription[] two = [Loose.Subscribe(Loose.Session("x"), "t"), Loose.Subscribe(Loose.Session("y"), "t")];
        Assert.True(receivers.TryAdd(0, many, publisher: null));
        Assert.False(receivers.TryAdd(1, two, publisher: null));
        Assert.Equal(many.Length, receivers.Count);
        Assert.True(receivers.TryAdd(1, two[..1], publisher: null));
        receivers.Clear();
        Assert.True(receivers.TryAdd(1, two, publisher: null));
    }

    [Fact]
    public void Whoever_does_not_hear_itself_receives_nothing_of_its_own()
    {
        Session publisher = Loose.Session("publisher");
        var receivers = new BurstReceivers();
        var noLocal = new Subscription(publisher, "t"u8.ToArray(), new Protocol.SubscriptionOptions(Protocol.QoS.AtMostOnce, noLocal: true), 0);
        Assert.True(receivers.TryAdd(0, [noLocal], publisher));
        Assert.Equal(0, receivers.Count);
        Assert.True(receivers.TryAdd(1, [noLocal], publisher: null));
        Assert.Equal(1, receivers.Count);
    }
}
