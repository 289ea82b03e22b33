using EdgeBroker.Core.Events;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Core.Tests.Events;

public sealed class LogBudgetTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<(string? Subject, long Held)> _told = [];

    [Fact]
    public void A_noisy_client_has_its_lines_and_hides_nobody_else()
    {
        LogBudget budget = Budget(each: 3, all: 100);
        Assert.Equal(3, Enumerable.Range(0, 1000).Count(_ => budget.Admit("noisy")));
        Assert.True(budget.Admit("quiet"));
    }

    [Fact]
    public void What_was_held_back_is_told_when_the_time_is_over_by_itself_and_nothing_where_there_was_nothing()
    {
        LogBudget budget = Budget(each: 3, all: 100);
        for (int i = 0; i < 10; i++) budget.Admit("noisy");
        budget.Admit("quiet");
        _time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.Empty(_told);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal([("noisy", 7L)], _told);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Single(_told);
        Assert.True(budget.Admit("noisy"));
    }

    [Fact]
    public void A_new_time_begins_with_the_first_line_after_the_one_before()
    {
        LogBudget budget = Budget(each: 1, all: 100);
        budget.Admit("a");
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(budget.Admit("a"));
        Assert.False(budget.Admit("a"));
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal([("a", 1L)], _told);
    }

    [Fact]
    public void All_together_are_bounded_and_those_with_most_are_named()
    {
        LogBudget budget = Budget(each: 3, all: 10);
        Assert.Equal(10, Enumerable.Range(0, 5000).Count(i => budget.Admit("made up " + i)));
        for (int i = 0; i < 50; i++) budget.Admit("made up 4");
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(21, _told.Count);
        Assert.Equal(("made up 4", 50L), _told[0]);
        Assert.Null(_told[^1].Subject);
        Assert.Equal(5050 - 10, _told.Sum(one => one.Held));
    }

    private LogBudget Budget(int each, int all) => new(_time, each, all, (subject, held) => _told.Add((subject, held)));
}
