using EdgeBroker.Webhooks.Delivery;

namespace EdgeBroker.Webhooks.Tests;

/// <summary>When a receiver that fails is tried again.</summary>
public sealed class DeliveryScheduleTests
{
    [Fact]
    public void It_waits_longer_each_time_then_opens_and_doubles_up_to_five_minutes()
    {
        var schedule = default(DeliverySchedule);
        var waits = new List<double>();
        for (int i = 0; i < 11; i++)
        {
            waits.Add(Math.Round(schedule.Failed(null, 0.5).TotalSeconds, 6));
            Assert.Equal(i < 4 ? CircuitState.Closed : CircuitState.Open, schedule.State);
            schedule.Retry();
            Assert.Equal(i < 4 ? CircuitState.Closed : CircuitState.HalfOpen, schedule.State);
        }

        Assert.Equal([1, 2, 4, 8, 30, 60, 120, 240, 300, 300, 300], waits);
        schedule.Answered();
        Assert.Equal((CircuitState.Closed, 0), (schedule.State, schedule.Failures));
        Assert.Equal(1, schedule.Failed(null, 0.5).TotalSeconds, 6);
    }

    [Theory]
    [InlineData(0, 0.8)]
    [InlineData(1, 1.2)]
    public void Chance_moves_it_by_a_fifth(double jitter, double seconds) =>
        Assert.Equal(seconds, default(DeliverySchedule).Failed(null, jitter).TotalSeconds, 6);

    [Theory]
    [InlineData(90, 90)]
    [InlineData(0, 1)]
    [InlineData(86_400, 300)]
    public void What_the_receiver_asks_for_is_kept_up_to_five_minutes(int asked, int seconds) =>
        Assert.Equal(seconds, default(DeliverySchedule).Failed(TimeSpan.FromSeconds(asked), 0.5).TotalSeconds, 6);
}
