using EdgeBroker.Core.Sys;

namespace EdgeBroker.Core.Tests.Sys;

public sealed class LoadAverageTests
{
    [Fact]
    public void A_steady_rate_is_approached_in_the_window_s_time()
    {
        var load = new LoadAverage();
        long total = 0;
        for (int second = 10; second <= 60; second += 10) load.Update(total += 100, TimeSpan.FromSeconds(10));
        // After one time constant about 1 - 1/e of the way, in the longer windows less.
        Assert.InRange(load[0], 600 * 0.60, 600 * 0.64);
        Assert.InRange(load[1], 600 * 0.17, 600 * 0.19);
        Assert.InRange(load[2], 600 * 0.06, 600 * 0.07);
        for (int second = 0; second < 7_200; second += 10) load.Update(total += 100, TimeSpan.FromSeconds(10));
        for (int window = 0; window < 3; window++) Assert.InRange(load[window], 599, 601);
    }

    [Theory]
    [InlineData(0.001)]
    [InlineData(10)]
    [InlineData(60)]
    [InlineData(3_600)]
    [InlineData(1_000_000)]
    public void What_was_before_counts_less_the_longer_ago_it_is(double seconds)
    {
        var load = new LoadAverage();
        load.Update(1_000, TimeSpan.FromSeconds(seconds));
        double perMinute = 1_000 / (seconds / 60);
        for (int window = 0; window < 3; window++)
        {
            double minutes = window == 0 ? 1 : window == 1 ? 5 : 15;
            Assert.Equal(seconds / 60 / (minutes + (seconds / 60)), load[window] / perMinute, tolerance: 1e-9);
        }
    }

    [Fact]
    public void Without_time_there_is_no_rate()
    {
        var load = new LoadAverage();
        load.Update(100, TimeSpan.Zero);
        Assert.Equal(0, load[0]);
    }
}
