using EdgeBroker.Core.Events;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Core.Tests.Events;

public sealed class LogThrottleTests
{
    [Fact]
    public void Lets_a_burst_through_counts_the_rest_and_tells_the_number_with_the_next_line()
    {
        var time = new FakeTimeProvider();
        var throttle = new LogThrottle(time, burst: 3);
        for (int i = 0; i < 3; i++) Assert.True(throttle.Admit(out long none) && none == 0);
        for (int i = 0; i < 7; i++) Assert.False(throttle.Admit(out _));
        time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.False(throttle.Admit(out _));
        time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.True(throttle.Admit(out long kept));
        Assert.Equal(8, kept);
        Assert.True(throttle.Admit(out kept));
        Assert.Equal(0, kept);
    }
}
