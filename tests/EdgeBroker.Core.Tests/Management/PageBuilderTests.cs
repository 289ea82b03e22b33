using EdgeBroker.Core.Management;

namespace EdgeBroker.Core.Tests.Management;

public sealed class PageBuilderTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100)]
    [InlineData(1000)]
    public void Page_after_page_is_the_whole_list_in_order(int limit)
    {
        var random = new Random(limit);
        string[] keys = [.. Enumerable.Range(0, 500).Select(_ => $"{random.Next(10_000)}-{random.Next()}").Distinct()];
        string[] sorted = [.. keys.Order(StringComparer.Ordinal)];
        var all = new List<string>();
        string? after = null;
        do
        {
            random.Shuffle(keys);
            PageBuilder<string, string> builder = after is null
                ? PageBuilder<string, string>.First(StringComparer.Ordinal, limit)
                : PageBuilder<string, string>.Behind(after, StringComparer.Ordinal, limit);
            foreach (string key in keys) builder.Add(key, key);
            Page<string> page = builder.Build(key => key, key => key);
            Assert.Equal(keys.Length, page.Total);
            Assert.Equal(sorted.Skip(all.Count).Take(limit), page.Items);
            all.AddRange(page.Items);
            after = page.Next;
        }
        while (after is not null);
        Assert.Equal(sorted, all);
    }

    [Fact]
    public void What_has_gone_meanwhile_is_left_out_and_the_next_page_begins_behind_it()
    {
        PageBuilder<string, string> builder = PageBuilder<string, string>.First(StringComparer.Ordinal, 2);
        foreach (string key in new[] { "c", "a", "b" }) builder.Add(key, key);
        Page<string> page = builder.Build(key => key == "b" ? null : key, key => key);
        Assert.Equal(["a"], page.Items);
        Assert.Equal("b", page.Next);
    }

    [Fact]
    public void A_page_that_is_just_full_is_the_last()
    {
        PageBuilder<string, string> builder = PageBuilder<string, string>.First(StringComparer.Ordinal, 2);
        foreach (string key in new[] { "b", "a" }) builder.Add(key, key);
        Assert.Null(builder.Build(key => key, key => key).Next);
    }
}
