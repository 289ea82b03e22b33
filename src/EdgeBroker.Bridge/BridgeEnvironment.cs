using EdgeBroker.Bridge.Loops;
using EdgeBroker.Core;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Protocol;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Bridge;

/// <summary>What all bridges of a broker share.</summary>
/// <param name="broker">The broker.</param>
/// <param name="nodeId">A name for this broker that no other has.</param>
/// <param name="time">The clock.</param>
/// <param name="log">Event ids 14000-14019.</param>
internal sealed class BridgeEnvironment(Broker broker, string nodeId, TimeProvider time, ILogger log) : ICopyGuard
{
    private readonly MessagePath _path = new(nodeId, int.MaxValue);
    private readonly MessageIdentity _identity = new();
    private readonly IdentityWindow _identities = new();
    private readonly Lock _lock = new();

    // Contexts count for ever; those of bridges that are gone are used by others.
    private readonly Stack<RoutingContext> _free = new();

    public Broker Broker => broker;

    public string NodeId => nodeId;

    public TimeProvider Time => time;

    public ILogger Log => log;

    /// <summary>Messages without an identity that come by several ways.</summary>
    public CopyWindow Copies { get; } = new();

    /// <inheritdoc/>
    public CopyVerdict Judge(in Publication message)
    {
        if (!MessagePath.IsIn(message.Properties) || !PropertyBlock.TryRead(message.Properties, out PropertyBlock properties)) return default;
        if (_path.IsLoop(properties)) return new CopyVerdict(true, null);
        string way = message.Publisher?.Id ?? "";
        ReadOnlySpan<byte> identity = MessageIdentity.Of(properties);
        // With topic and payload, so that who guesses an identity can keep nobody else's message from anyone.
        if (!identity.IsEmpty) return _identities.Judge(Digest.Of(identity, message.Topic, message.Payload), way);
        bool isNew = Copies.IsNew(MessagePath.OriginOf(properties), way, message.Topic, message.Payload, broker.Clock.NowMs);
        return new CopyVerdict(!isNew, null);
    }

    /// <inheritdoc/>
    public byte[]? Identify(in Publication message) => MessagePath.IsIn(message.Properties) ? null : _identity.Append(message.Properties);

    /// <summary>Gives back a context.</summary>
    public void Return(RoutingContext context)
    {
        lock (_lock.Alone()) _free.Push(context);
    }

    /// <summary>Lends a context, to one task at a time.</summary>
    public RoutingContext Rent()
    {
        RoutingContext? context;
        lock (_lock.Alone()) _free.TryPop(out context);
        return context ?? broker.CreateContext();
    }
}
