using System.Text;
using CsCheck;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Topics;

/// <summary>Which topics have to be matched anew after a change: all that the filter matches, and few others.</summary>
public sealed class FilterChangesTests
{
    [Fact]
    public void Whatever_a_changed_filter_matches_is_concerned() => Steps.Of(4, 60).Sample(steps =>
    {
        var changes = new FilterChanges();
        long version = 0;
        var noted = new List<string>();
        foreach ((int op, int a, int b) in steps)
        {
            // Now and then one with more levels than are looked at.
            string filter = Naive.Filter(a, b) + (op == 3 ? string.Concat(Enumerable.Repeat("/x", a % 40)) : "");
            if (filter.Contains("#/", StringComparison.Ordinal) || TopicFilter.IsShared(Encoding.UTF8.GetBytes(filter))) continue;
            changes.Note(Encoding.UTF8.GetBytes(filter), ++version);
            noted.Add(filter);
            string topic = Naive.Topic(b, a) + (op == 2 ? string.Concat(Enumerable.Repeat("/x", b % 40)) : "");
            for (int since = 0; since <= version; since++)
            {
                bool matches = noted.Skip(since).Any(one => Naive.Matches(one, topic));
                if (matches) Assert.True(MayConcern(changes, topic, since), $"{topic} after change {since}");
            }

            Assert.False(MayConcern(changes, topic, version));
        }
    });

    [Theory]
    [InlineData("a/b", "a/b", true)]
    [InlineData("a/b", "a/c", false)]
    [InlineData("a/b", "a/b/c", false)]
    [InlineData("a/+", "a/c", true)]
    [InlineData("a/+", "b/c", false)]
    [InlineData("a/+", "a/c/d", false)]
    [InlineData("site/+/device/+/cmd", "site/1/device/2/cmd", true)]
    [InlineData("site/+/device/+/cmd", "site/1/device/2/temperature", false)]
    [InlineData("+/cmd", "device/status", false)]
    [InlineData("a/#", "a", true)]
    [InlineData("a/#", "a/b/c", true)]
    [InlineData("a/#", "b/b/c", false)]
    [InlineData("#", "any/topic", true)]
    public void Others_are_left_alone(string filter, string topic, bool concerned)
    {
        var changes = new FilterChanges();
        changes.Note(Encoding.UTF8.GetBytes(filter), 1);
        Assert.Equal(concerned, MayConcern(changes, topic, 0));
        Assert.False(MayConcern(changes, topic, 1));
    }

    [Fact]
    public void More_shapes_than_are_remembered_concern_everything_rather_than_nothing()
    {
        var changes = new FilterChanges();
        for (int i = 0; i < 32; i++) changes.Note(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("a/", i)) + "#"), i + 1);
        Assert.True(MayConcern(changes, "a", 1));
        Assert.True(MayConcern(changes, "b", 15), "a forgotten shape");
        Assert.False(MayConcern(changes, "b", 16));
        Assert.True(MayConcern(changes, string.Concat(Enumerable.Repeat("a/", 31)), 31));
    }

    [Fact]
    public void While_thousands_of_filters_come_and_go_nearly_no_topic_of_others_is_mistaken()
    {
        var changes = new FilterChanges();
        long version = 0;
        for (; version < 200_000; version++) changes.Note("long ago"u8, version + 1);
        long before = version;
        for (int i = 0; i < 10_000; i++) changes.Note(Encoding.UTF8.GetBytes($"fleet/{i}/+/position"), ++version);
        Assert.InRange(Enumerable.Range(0, 10_000).Count(i => MayConcern(changes, $"depot/{i}/x/position", before)), 0, 10);
        Assert.All(Enumerable.Range(0, 10_000), i => Assert.True(MayConcern(changes, $"fleet/{i}/x/position", before + i)));
    }

    [Fact]
    public void Nothing_is_forgotten_when_room_is_made_for_more()
    {
        var changes = new FilterChanges();
        long version = 0;
        // Two and four thousand changes make it grow; one filter again and again leaves room for all.
        for (; version < 10_000; version++)
        {
            changes.Note("once/+"u8, version + 1);
            Assert.True(MayConcern(changes, "once/x", version));
            Assert.False(MayConcern(changes, "once/x", version + 1));
            Assert.False(MayConcern(changes, "never/x", 0));
        }
    }

    [Fact]
    public void More_changes_than_are_remembered_concern_everything_rather_than_nothing()
    {
        var changes = new FilterChanges();
        long version = 0;
        for (int i = 0; i < 300_000; i++) changes.Note(Encoding.UTF8.GetBytes($"fleet/{i}/+/position"), ++version);
        for (int since = 0; since < 300_000; since += 999) Assert.True(MayConcern(changes, $"fleet/{since}/x/position", since));
        Assert.True(MayConcern(changes, "depot/1/x/position", 1));
        Assert.False(MayConcern(changes, "depot/1/x/position", version - 10_000));
    }

    private static bool MayConcern(FilterChanges changes, string topic, long since)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(topic);
        return changes.MayConcern(bytes, LevelHash.Of(bytes), since, new int[FilterShape.MostLevels]);
    }
}
