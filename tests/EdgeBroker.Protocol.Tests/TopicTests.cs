using System.Text;
using EdgeBroker.Fuzz.Naive;

namespace EdgeBroker.Protocol.Tests;

/// <summary>The grammar of topic names, topic filters and shared subscriptions (4.7, 4.8.2).</summary>
public class TopicTests
{
    [Theory]
    [InlineData("a", true)]
    [InlineData("/", true)]
    [InlineData("//", true)]
    [InlineData("a/", true)]
    [InlineData(" ", true)]
    [InlineData("$SYS/a", true)]
    [InlineData("a b/ü/温度", true)]
    [InlineData("", false)]
    [InlineData("+", false)]
    [InlineData("#", false)]
    [InlineData("a/+/b", false)]
    [InlineData("a#b", false)]
    public void A_topic_name_has_a_character_and_no_wildcard(string topic, bool expected) => Assert.Equal(expected, TopicName.IsValid(Utf8(topic)));

    [Theory]
    [InlineData("#", "a/b", true)]
    [InlineData("+", "a", true)]
    [InlineData("+", "a/b", false)]
    [InlineData("a/#", "a", true)]
    [InlineData("a/#", "a/b/c", true)]
    [InlineData("a/#", "ab", false)]
    [InlineData("a/+", "a", false)]
    [InlineData("a/+", "a/", true)]
    [InlineData("a/+/c", "a/b/c", true)]
    [InlineData("a/+/c", "a/b/d", false)]
    [InlineData("a/b", "a/b/c", false)]
    [InlineData("a/b/c", "a/b", false)]
    [InlineData("+/+", "/a", true)]
    [InlineData("+/#", "a", true)]
    [InlineData("#", "$SYS/a", false)]
    [InlineData("+/a", "$SYS/a", false)]
    [InlineData("$SYS/#", "$SYS/a", true)]
    [InlineData("A", "a", false)]
    public void A_filter_matches_level_by_level(string filter, string topic, bool expected) =>
        Assert.Equal(expected, TopicFilter.Matches(Utf8(filter), Utf8(topic)));

    [Theory]
    [InlineData("a", 1)]
    [InlineData("/", 2)]
    [InlineData("a/b", 2)]
    [InlineData("/a//b/", 5)]
    public void Levels_are_one_more_than_separators(string topic, int levels) => Assert.Equal(levels, TopicName.CountLevels(Utf8(topic)));

    [Theory]
    [InlineData("$SYS/a", true)]
    [InlineData("$", true)]
    [InlineData("a$", false)]
    [InlineData("/$", false)]
    [InlineData("", false)]
    public void A_topic_is_reserved_when_it_begins_with_a_dollar(string topic, bool expected) => Assert.Equal(expected, TopicName.IsReserved(Utf8(topic)));

    [Theory]
    [InlineData("#")]
    [InlineData("+")]
    [InlineData("/")]
    [InlineData("/#")]
    [InlineData("a/#")]
    [InlineData("+/+")]
    [InlineData("/+")]
    [InlineData("+/a/#")]
    [InlineData("a//+/b")]
    [InlineData("$SYS/#")]
    [InlineData("$share")]
    public void A_wildcard_stands_alone_in_its_level(string filter) => Assert.True(TopicFilter.IsValid(Utf8(filter)));

    [Theory]
    [InlineData("")]
    [InlineData("#/")]
    [InlineData("a#")]
    [InlineData("#a")]
    [InlineData("##")]
    [InlineData("a/#/b")]
    [InlineData("++")]
    [InlineData("a+")]
    [InlineData("+a")]
    [InlineData("a/b+/c")]
    [InlineData("+#")]
    [InlineData("/+#")]
    public void Anything_else_is_no_filter(string filter) => Assert.False(TopicFilter.IsValid(Utf8(filter)));

    [Theory]
    [InlineData("$share/g/a", "g", "a")]
    [InlineData("$share/g/#", "g", "#")]
    [InlineData("$share/g//", "g", "/")]
    [InlineData("$share/group one/+/a/#", "group one", "+/a/#")]
    [InlineData("$share/$share/$share/x", "$share", "$share/x")]
    [InlineData("$share/g/$SYS/#", "g", "$SYS/#")]
    public void A_shared_filter_has_a_share_name_and_a_filter(string shared, string group, string filter)
    {
        Assert.True(TopicFilter.IsShared(Utf8(shared)));
        Assert.True(TopicFilter.IsValid(Utf8(shared)));
        Assert.True(TopicFilter.TrySplitShared(Utf8(shared), out ReadOnlySpan<byte> groupBytes, out ReadOnlySpan<byte> filterBytes));
        Assert.Equal(group, Encoding.UTF8.GetString(groupBytes));
        Assert.Equal(filter, Encoding.UTF8.GetString(filterBytes));
    }

    [Theory]
    [InlineData("$share/")]
    [InlineData("$share//")]
    [InlineData("$share//a")]
    [InlineData("$share/g")]
    [InlineData("$share/g/")]
    [InlineData("$share/+/a")]
    [InlineData("$share/#/a")]
    [InlineData("$share/a+/a")]
    [InlineData("$share/g/a#")]
    [InlineData("$share/g/#/a")]
    public void A_shared_filter_without_one_of_them_is_refused(string shared)
    {
        Assert.True(TopicFilter.IsShared(Utf8(shared)));
        Assert.False(TopicFilter.IsValid(Utf8(shared)));
        Assert.False(TopicFilter.TrySplitShared(Utf8(shared), out _, out _));
    }

    [Theory]
    [InlineData("$share")]
    [InlineData("$shared/g/a")]
    [InlineData("/$share/g/a")]
    [InlineData("$SHARE/g/a")]
    [InlineData("a")]
    public void Other_filters_are_not_shared(string filter)
    {
        Assert.False(TopicFilter.IsShared(Utf8(filter)));
        Assert.False(TopicFilter.TrySplitShared(Utf8(filter), out _, out _));
    }

    [Fact]
    public void Every_short_text_of_telling_characters_is_judged_as_the_oracle_does()
    {
        string[] letters = ["a", "/", "+", "#", "$share", "$"];
        for (int length = 0; length <= 6; length++)
        {
            int count = (int)Math.Pow(letters.Length, length);
            for (int n = 0; n < count; n++)
            {
                int digits = n;
                var text = new StringBuilder();
                for (int i = 0; i < length; i++, digits /= letters.Length) text.Append(letters[digits % letters.Length]);
                byte[] utf8 = Encoding.UTF8.GetBytes(text.ToString());
                if (TopicFilter.IsValid(utf8) != NaiveTopic.IsFilter(utf8)) Assert.Fail($"The oracle thinks otherwise of the filter {text}");
                if (TopicName.IsValid(utf8) != NaiveTopic.IsName(utf8)) Assert.Fail($"The oracle thinks otherwise of the name {text}");
            }
        }
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
