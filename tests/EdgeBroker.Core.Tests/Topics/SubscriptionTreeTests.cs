using System.Text;
using CsCheck;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Topics;

public sealed class SubscriptionTreeTests
{
    [Fact]
    public void Matches_as_the_specification_reads() => Steps.Of(5, 80).Sample(steps =>
    {
        var tree = new SubscriptionTree();
        var model = new Dictionary<(Session, string), Subscription>();
        var matcher = new SubscriptionMatcher();
        Session[] sessions = [Loose.Session("1"), Loose.Session("2"), Loose.Session("3")];
        foreach ((int op, int a, int b) in steps)
        {
            Session session = sessions[(a + b) % sessions.Length];
            if (op == 0) Remove(tree, model, session, Naive.Filter(a, b));
            else if (op < 4) Add(tree, model, session, Naive.Filter(a, b), b);
            else Compare(model, matcher.Match(tree.Root, Encoding.UTF8.GetBytes(Naive.Topic(a, b))), Naive.Topic(a, b));
            Assert.Equal(model.Count, tree.Count);
            Assert.Equal(model.Keys.Count(key => key.Item2[0] == '$' && key.Item2.StartsWith("$share/", StringComparison.Ordinal)), tree.SharedCount);
        }

        for (int i = 0; i < 40; i++) Compare(model, matcher.Match(tree.Root, Encoding.UTF8.GetBytes(Naive.Topic(i * 37, i))), Naive.Topic(i * 37, i));
        foreach ((Session session, string filter) in model.Keys.ToArray()) Remove(tree, model, session, filter);
        Assert.True(tree.Root.IsEmpty, "empty levels were left");
    });

    [Theory]
    [InlineData("sport/tennis/#", "sport/tennis", true)]
    [InlineData("sport/tennis/#", "sport/tennis/", true)]
    [InlineData("sport/tennis/#", "sport", false)]
    [InlineData("sport/+", "sport", false)]
    [InlineData("sport/+", "sport/", true)]
    [InlineData("+/+", "/finance", true)]
    [InlineData("/+", "/finance", true)]
    [InlineData("+", "/finance", false)]
    [InlineData("#", "$SYS/broker", false)]
    [InlineData("+/broker", "$SYS/broker", false)]
    [InlineData("$SYS/#", "$SYS", true)]
    [InlineData("$SYS/+", "$SYS/broker", true)]
    [InlineData("a/$x", "a/$x", true)]
    [InlineData("a/#", "a/$x", true)]
    [InlineData("a", "A", false)]
    [InlineData("#", "/", true)]
    [InlineData("$share/g/#", "$SYS/broker", false)]
    public void Examples_of_the_specification(string filter, string topic, bool matches)
    {
        var tree = new SubscriptionTree();
        tree.Add(Loose.Subscribe(Loose.Session("1"), filter));
        Assert.Equal(matches, !new SubscriptionMatcher().Match(tree.Root, Encoding.UTF8.GetBytes(topic)).IsEmpty);
    }

    [Fact]
    public void Each_change_has_a_version_of_its_own()
    {
        var tree = new SubscriptionTree();
        Session session = Loose.Session("1");
        var versions = new HashSet<long> { tree.Version };
        tree.Add(Loose.Subscribe(session, "a"));
        Assert.True(versions.Add(tree.Version));
        tree.Add(Loose.Subscribe(session, "a"));
        Assert.True(versions.Add(tree.Version));
        Assert.False(tree.Remove(session, "b"u8));
        Assert.False(versions.Add(tree.Version));
        Assert.True(tree.Remove(session, "a"u8));
        Assert.True(versions.Add(tree.Version));
    }

    [Fact]
    public void A_session_with_overlapping_filters_is_found_once_with_the_highest_qos_and_all_identifiers()
    {
        var tree = new SubscriptionTree();
        Session session = Loose.Session("1");
        tree.Add(Loose.Subscribe(session, "a/+", new SubscriptionOptions(QoS.AtLeastOnce), 1));
        tree.Add(Loose.Subscribe(session, "a/#", new SubscriptionOptions(QoS.ExactlyOnce, noLocal: true), 2));
        tree.Add(Loose.Subscribe(session, "a/b", new SubscriptionOptions(QoS.AtMostOnce, retainAsPublished: true)));
        Subscription one = Assert.Single(new SubscriptionMatcher().Match(tree.Root, "a/b"u8).Plain);
        Assert.Equal(QoS.ExactlyOnce, one.Options.MaximumQoS);
        Assert.True(one.Options.RetainAsPublished);
        Assert.Equal([1u, 2u], one.Identifiers!.Order());
        Assert.Same(one, one.For(Loose.Session("2")));
        Subscription own = one.For(session)!;
        Assert.Equal(QoS.AtLeastOnce, own.Options.MaximumQoS);
        Assert.Equal([1u], own.Identifiers!);
    }

    private static void Add(SubscriptionTree tree, Dictionary<(Session, string), Subscription> model, Session session, string filter, int b)
    {
        bool shared = filter.StartsWith("$share/", StringComparison.Ordinal);
        var options = new SubscriptionOptions((QoS)(b % 3), !shared && b % 5 == 0, b % 2 == 0);
        Subscription subscription = Loose.Subscribe(session, filter, options, (uint)(b % 4));
        tree.Add(subscription);
        model[(session, filter)] = subscription;
    }

    private static void Remove(SubscriptionTree tree, Dictionary<(Session, string), Subscription> model, Session session, string filter) =>
        Assert.Equal(model.Remove((session, filter)), tree.Remove(session, Encoding.UTF8.GetBytes(filter)));

    private static void Compare(Dictionary<(Session, string), Subscription> model, MatchResult match, string topic)
    {
        var plain = new List<Subscription>();
        var shared = new Dictionary<string, List<Subscription>>();
        foreach (((_, string full), Subscription one) in model)
        {
            string[] parts = full.Split('/', 3);
            bool isShared = parts[0] == "$share" && parts.Length == 3;
            if (!Naive.Matches(isShared ? parts[2] : full, topic)) continue;
            if (!isShared) plain.Add(one);
            else if (shared.TryGetValue(full, out List<Subscription>? group)) group.Add(one);
            else shared.Add(full, [one]);
        }

        Assert.Equal(
            plain.GroupBy(one => one.Receiver).Select(group => Describe(group)).Order(),
            match.Plain.Select(one => Describe([one])).Order());
        Assert.Equal(
            shared.Values.Select(Members).Order(),
            match.Groups.Select(group => Members(group.Members)).Order());
    }

    private static string Describe(IEnumerable<Subscription> several)
    {
        Subscription[] all = [.. several];
        return $"{all[0].Receiver.Id} {all.Max(one => one.Options.MaximumQoS)} {all.Any(one => one.Options.RetainAsPublished)} "
            + string.Join(',', all.SelectMany(one => one.Identifiers ?? []).Order());
    }

    private static string Members(IEnumerable<Subscription> members) =>
        string.Join(' ', members.Select(one => Encoding.UTF8.GetString(one.Filter) + Describe([one])).Order(StringComparer.Ordinal));
}
