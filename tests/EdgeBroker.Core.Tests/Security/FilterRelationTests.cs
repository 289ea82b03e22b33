using System.Text;
using CsCheck;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Security;

/// <summary>
/// Filters as sets of topics, against the sets themselves: every topic up to a depth beyond what the filters name, of levels they name and one they do not.
/// </summary>
public sealed class FilterRelationTests
{
    private static readonly string[] Levels = ["", "a", "b", "$S", "other"];

    // The empty name is no topic, but one level all the same: "/#" and "+" count as meeting there.
    private static readonly byte[][] Topics = [[], .. AllTopics(4)];

    public static readonly Gen<string> Filter = Gen.Select(
        Rules.OneOf("a", "b", "+", "", "$S", "+").Array[0, 3], Rules.OneOf("a", "+", "#", "b", ""),
        (levels, last) => string.Join('/', [.. levels, last])).Where(filter => TopicFilter.IsValid(Encoding.UTF8.GetBytes(filter)));

    [Theory]
    [InlineData("#", "a/b", true)]
    [InlineData("#", "#", true)]
    [InlineData("#", "$SYS/x", false)]
    [InlineData("#", "$SYS/#", false)]
    [InlineData("$SYS/#", "$SYS/broker/+", true)]
    [InlineData("a/#", "a", true)]
    [InlineData("a/#", "a/#", true)]
    [InlineData("a/#", "a/+/b/#", true)]
    [InlineData("a/+", "a/#", false)]
    [InlineData("a/+/#", "a/#", false)]
    [InlineData("a/+", "a/+", true)]
    [InlineData("a/b", "a/+", false)]
    [InlineData("+/#", "#", true)]
    [InlineData("+", "#", false)]
    [InlineData("+/+", "/", true)]
    [InlineData("a/#", "ab", false)]
    public void What_covers_what(string wide, string narrow, bool covers) => Assert.Equal(covers, FilterRelation.Covers(Bytes(wide), Bytes(narrow)));

    [Theory]
    [InlineData("a/+", "+/b", true)]
    [InlineData("a/b", "a/c", false)]
    [InlineData("a/#", "a", true)]
    [InlineData("a", "a/#", true)]
    [InlineData("a/+", "a", false)]
    [InlineData("+/#", "$SYS/x", false)]
    [InlineData("#", "$SYS/#", false)]
    [InlineData("#", "+/+/+", true)]
    public void What_meets_what(string one, string other, bool overlaps) => Assert.Equal(overlaps, FilterRelation.Overlaps(Bytes(one), Bytes(other)));

    [Fact]
    public void Both_say_what_the_sets_of_topics_say() => Gen.Select(Filter, Filter).Sample((first, second) =>
    {
        byte[] one = Bytes(first);
        byte[] other = Bytes(second);
        bool covers = Topics.All(topic => !TopicFilter.Matches(other, topic) || TopicFilter.Matches(one, topic));
        bool overlaps = Topics.Any(topic => TopicFilter.Matches(one, topic) && TopicFilter.Matches(other, topic));
        return FilterRelation.Covers(one, other) == covers
            && FilterRelation.Overlaps(one, other) == overlaps && FilterRelation.Overlaps(other, one) == overlaps;
    }, iter: 5_000);

    /// <summary>Every topic of up to one level more.</summary>
    public static IEnumerable<byte[]> AllTopics(int depth)
    {
        List<string> longest = [.. Levels];
        var all = new List<string>(longest);
        for (int i = 1; i <= depth; i++)
        {
            longest = [.. longest.SelectMany(topic => Levels.Select(level => topic + "/" + level))];
            all.AddRange(longest);
        }

        return all.Where(topic => topic.Length > 0).Select(Bytes);
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
