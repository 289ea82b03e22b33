using EdgeBroker.Core.Security;

namespace EdgeBroker.Core.Tests.Security;

public sealed class GlobTests
{
    [Theory]
    [InlineData("*", "", true)]
    [InlineData("*", "anyone", true)]
    [InlineData("", "", true)]
    [InlineData("", "a", false)]
    [InlineData("?*", "", false)]
    [InlineData("?*", "a", true)]
    [InlineData("anna", "anna", true)]
    [InlineData("anna", "Anna", false)]
    [InlineData("anna", "anna2", false)]
    [InlineData("press-*", "press-7", true)]
    [InlineData("press-*", "press-", true)]
    [InlineData("press-*", "xpress-7", false)]
    [InlineData("*-7", "press-7", true)]
    [InlineData("*-7", "press-77", false)]
    [InlineData("a*b*c", "a-b-b-c", true)]
    [InlineData("a*b*c", "a-c-b", false)]
    [InlineData("a?c", "abc", true)]
    [InlineData("a?c", "ac", false)]
    [InlineData("**", "x", true)]
    public void Names_and_globs(string glob, string name, bool fits) => Assert.Equal(fits, Glob.Matches(glob, name));

    [Fact]
    public void A_hostile_name_costs_no_more_than_its_length_times_the_glob_s()
    {
        // A glob that backtracks naively would take longer than the universe has existed.
        string glob = string.Concat(Enumerable.Repeat("a*", 50)) + "b";
        Assert.False(Glob.Matches(glob, new string('a', 20_000)));
    }
}
