using EdgeBroker.Core.Limits;

namespace EdgeBroker.Core.Tests.Limits;

public sealed class TokenBucketTests
{
    private static readonly RateLimit TenASecond = new(10, TimeSpan.FromSeconds(1), 3);

    [Fact]
    public void A_burst_is_there_at_once_and_then_the_rate()
    {
        var bucket = new TokenBucket();
        Assert.Equal(3, Take(ref bucket, TenASecond, 5_000, 10));
        Assert.Equal(5_100, bucket.RoomAtMs(TenASecond));
        Assert.Equal(0, Take(ref bucket, TenASecond, 5_099, 10));
        Assert.Equal(1, Take(ref bucket, TenASecond, 5_100, 10));
        Assert.Equal(2, Take(ref bucket, TenASecond, 5_300, 10));
        Assert.Equal(3, Take(ref bucket, TenASecond, 1_000_000, 10));
    }

    [Fact]
    public void What_is_larger_than_the_burst_passes_and_is_paid_for_later()
    {
        var rate = new RateLimit(1024 * 1024, TimeSpan.FromSeconds(1), 1000);
        var bucket = new TokenBucket();
        Assert.True(bucket.HasRoom(rate, 0));
        bucket.Take(rate, 1024 * 1024, 0);
        Assert.False(bucket.HasRoom(rate, 990));
        Assert.True(bucket.HasRoom(rate, 1_000));
        Assert.InRange(bucket.RoomAtMs(rate), 998, 1_000);
    }

    [Fact]
    public void Lateness_of_the_timer_is_not_the_client_s()
    {
        var one = new RateLimit(1_000, TimeSpan.FromSeconds(1), 1);
        var bucket = new TokenBucket();
        bucket.Take(one, 1, 1_000);
        Assert.Equal(1_001, bucket.RoomAtMs(one));
        int passed = 0;
        while (bucket.HasRoom(one, 1_101))
        {
            bucket.Take(one, 1, 1_101, latenessMs: 100);
            passed++;
        }

        Assert.Equal(101, passed);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1_000)]
    public void Never_more_than_burst_and_rate_in_any_time(int burst)
    {
        var random = new Random(burst);
        var rate = new RateLimit(100, TimeSpan.FromSeconds(1), burst);
        var bucket = new TokenBucket();
        var taken = new List<long>();
        long nowMs = 1;
        for (int i = 0; i < 5_000; i++)
        {
            nowMs += random.Next(20);
            if (!bucket.HasRoom(rate, nowMs)) continue;
            bucket.Take(rate, 1, nowMs);
            taken.Add(nowMs);
        }

        Assert.True(taken.Count > 1_000);
        for (int first = 0; first < taken.Count; first += 37)
        {
            for (int last = first; last < taken.Count; last += 23)
            {
                Assert.True(
                    last - first + 1 <= burst + ((taken[last] - taken[first]) / 10.0) + 0.001, $"{last - first + 1} in {taken[last] - taken[first]} ms");
            }
        }
    }

    [Fact]
    public void The_largest_and_the_slowest_rates_stay_within_their_numbers()
    {
        var slow = new RateLimit(1, TimeSpan.FromDays(1), 1_000_000_000);
        var bucket = new TokenBucket();
        bucket.Take(slow, long.MaxValue, 1_000);
        bucket.Take(slow, long.MaxValue, 1_000);
        Assert.False(bucket.HasRoom(slow, 1_000));
        Assert.True(bucket.RoomAtMs(slow) > 1_000);
        var fast = new RateLimit(1L << 40, TimeSpan.FromSeconds(1), 1L << 36);
        var other = new TokenBucket();
        other.Take(fast, 1L << 36, 0);
        Assert.True(other.HasRoom(fast, 1));
    }

    private static int Take(ref TokenBucket bucket, RateLimit rate, long nowMs, int wanted)
    {
        int got = 0;
        for (int i = 0; i < wanted && bucket.HasRoom(rate, nowMs); i++)
        {
            bucket.Take(rate, 1, nowMs);
            got++;
        }

        return got;
    }
}
