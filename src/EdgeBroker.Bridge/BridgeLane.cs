using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Sessions;

namespace EdgeBroker.Bridge;

/// <summary>A queue of a bridge: what goes by it does not wait for what goes by others.</summary>
public sealed record LaneOptions
{
    /// <summary>Its name, which routes give; empty: that of the routes that give none.</summary>
    public required string Name { get; init; }

    /// <summary>How what waits in it is kept.</summary>
    public required QueuePolicy Queue { get; init; }

    /// <summary>How fast what has waited in it goes out; null: as fast as it is taken.</summary>
    public RateLimit? DrainRate { get; init; }
}

/// <summary>A lane at work: a durable session, and what it takes.</summary>
/// <param name="bridge">The bridge.</param>
/// <param name="options">As configured.</param>
internal sealed class BridgeLane(BridgeState bridge, LaneOptions options) : IDeliveryFilter
{
    /// <summary>As configured.</summary>
    public LaneOptions Options => options;

    /// <summary>Whether it is the one of the routes that give none: messages of the other side are taken in its session's name.</summary>
    public bool IsMain => options.Name.Length == 0;

    /// <summary>The client id of its session.</summary>
    public string SessionId { get; } = bridge.Options.SessionOf(options.Name);

    /// <summary>Its session; null: there is none yet.</summary>
    public Session? Session => bridge.Broker.FindSession(SessionId);

    /// <inheritdoc/>
    public bool Takes(in Publication message)
    {
        // No Local knows the main lane only.
        if (!IsMain && message.Publisher?.Id == bridge.Options.SessionId) return false;
        return bridge.Carries(message, options.Name);
    }
}
