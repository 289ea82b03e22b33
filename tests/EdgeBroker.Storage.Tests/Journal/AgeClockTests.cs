using EdgeBroker.Core;
using EdgeBroker.Core.Messages;
using EdgeBroker.Storage.Journal;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Storage.Tests.Journal;

public sealed class AgeClockTests
{
    private static readonly DateTimeOffset Believable = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("2026-05-01T12:00:00Z", 0)]
    [InlineData("2026-05-01T12:00:07Z", 7)]
    [InlineData("2026-05-02T12:00:00Z", 86_400)]
    [InlineData("2027-05-02T12:00:00Z", 31_622_400)]
    // Backwards, and further on than a pause lasts: one of the two is wrong.
    [InlineData("2026-05-01T11:59:59Z", 0)]
    [InlineData("1970-01-01T00:00:05Z", 0)]
    [InlineData("2027-05-02T12:00:01Z", 0)]
    [InlineData("9999-01-01T00:00:00Z", 0)]
    public void A_pause_counts_where_the_wall_clock_is_to_be_believed(string now, long seconds)
    {
        long nowMs = DateTimeOffset.Parse(now, System.Globalization.CultureInfo.InvariantCulture).ToUnixTimeMilliseconds();
        Assert.Equal(5_000 + (seconds * 1000), AgeClock.AgeAfterPause(5_000, Believable.ToUnixTimeMilliseconds(), nowMs));
    }

    [Theory]
    [InlineData("1970-01-01T00:00:05Z", "1970-01-01T00:01:05Z")]
    [InlineData("1970-01-01T00:00:05Z", "2026-05-01T12:00:00Z")]
    [InlineData("2024-12-31T23:59:59Z", "2025-01-01T00:00:09Z")]
    public void A_clock_that_had_not_been_set_says_nothing_about_the_pause(string noted, string now)
    {
        static long Ms(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture).ToUnixTimeMilliseconds();
        Assert.Equal(5_000, AgeClock.AgeAfterPause(5_000, Ms(noted), Ms(now)));
    }

    [Fact]
    public void Times_go_there_and_back_and_never_stays_never()
    {
        var time = new FakeTimeProvider();
        var age = new AgeClock(new BrokerClock(time), 1_000_000);
        Assert.Equal(1_000_000, age.NowMs);
        time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(1_003_000, age.NowMs);
        foreach (long brokerMs in (long[])[0, 1, 3_000, -999_999, -5_000_000, 1L << 50])
        {
            Assert.Equal(brokerMs + 1_000_000, age.ToAge(brokerMs));
            Assert.Equal(brokerMs, age.ToBroker(age.ToAge(brokerMs)));
        }

        Assert.Equal((Message.Never, Message.Never), (age.ToAge(Message.Never), age.ToBroker(Message.Never)));
    }
}
