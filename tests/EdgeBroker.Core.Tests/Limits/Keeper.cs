using EdgeBroker.Core.Events;
using EdgeBroker.Core.Limits;
using EdgeBroker.Testing;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Core.Tests.Limits;

/// <summary>Limits on a clock that moves when told.</summary>
internal sealed class Keeper
{
    public Keeper(LimitOptions options)
    {
        Limits = new BrokerLimits(new BrokerClock(Time), new BrokerEvents(Events));
        Limits.Replace(options);
    }

    public FakeTimeProvider Time { get; } = new();

    public RecordedEvents Events { get; } = new();

    public BrokerLimits Limits { get; }

    public void Advance(double seconds) => Time.Advance(TimeSpan.FromSeconds(seconds));
}
