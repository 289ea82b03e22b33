using EdgeBroker.Core;
using EdgeBroker.Core.Routing;

namespace EdgeBroker.Http;

/// <summary>
/// What a reactor is to plain connections: one at a time of those in a lane is in its turn, so that all of them share one routing context - its match cache and
/// counters -
/// instead of having one each. Turns are short and never wait.
/// </summary>
internal sealed class Lane(Broker broker)
{
    /// <summary>Held for a turn.</summary>
    public Lock Turn { get; } = new();

    /// <summary>Used within a turn.</summary>
    public RoutingContext Context { get; } = broker.CreateContext();
}
