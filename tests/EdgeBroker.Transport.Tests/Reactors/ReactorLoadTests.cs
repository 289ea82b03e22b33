using EdgeBroker.Transport.Reactors;

namespace EdgeBroker.Transport.Tests.Reactors;

public sealed class ReactorLoadTests
{
    private const long Microsecond = TimeSpan.TicksPerMicrosecond;
    private readonly ReactorLoad _load = new();

    [Theory]
    [InlineData(0, true)]
    [InlineData(90, true)]
    [InlineData(110, false)]
    [InlineData(1_000, false)]
    public void Is_busy_as_long_as_it_seldom_waits(int waitedMicroseconds, bool isBusy)
    {
        for (int i = 0; i < 200; i++) Add(0, waitedMicroseconds, 200);
        Assert.Equal(isBusy, _load.IsBusy);
    }

    [Fact]
    public void A_few_turns_in_succession_do_not_make_it_busy()
    {
        for (int i = 0; i < 20_000; i++)
        {
            Add(0, i % 8 == 0 ? 2_000 : 0, 200);
            Assert.False(_load.IsBusy);
        }
    }

    [Theory]
    [InlineData(0, 650, true)]
    [InlineData(0, 750, false)]
    [InlineData(400, 250, true)]
    [InlineData(400, 350, false)]
    public void May_pause_with_an_eighth_of_the_time_spent_on_work(int pausedMicroseconds, int waitedMicroseconds, bool mayPause)
    {
        for (int i = 0; i < 200; i++) Add(pausedMicroseconds, waitedMicroseconds, 100);
        Assert.Equal(mayPause, _load.MayPause);
    }

    [Fact]
    public void Everything_is_counted_and_pauses_as_the_work_they_are()
    {
        Add(0, 30, 100);
        Add(400, 0, 100);
        Assert.Equal((2, 2_000, 205 * Microsecond), (_load.Turns, _load.Received, _load.Worked));
    }

    private void Add(int pausedMicroseconds, int waitedMicroseconds, int workedMicroseconds) =>
        _load.Add(pausedMicroseconds * Microsecond, waitedMicroseconds * Microsecond, workedMicroseconds * Microsecond, 1_000);
}
