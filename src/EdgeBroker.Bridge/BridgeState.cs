using System.Text;
using EdgeBroker.Bridge.Loops;
using EdgeBroker.Bridge.Routes;
using EdgeBroker.Client;
using EdgeBroker.Core;
using EdgeBroker.Core.Ingress;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Protocol;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Bridge;

/// <summary>What of a bridge outlives its connections: how it is configured, what it counts, what went wrong last. Any thread.</summary>
internal sealed class BridgeState : IDeliveryFilter
{
    private readonly ILogger _log;
    private volatile BridgeFault? _fault;

    /// <param name="options">As configured.</param>
    /// <param name="environment">What all bridges share.</param>
    /// <exception cref="FormatException">A route makes no sense; says why.</exception>
    public BridgeState(BridgeOptions options, BridgeEnvironment environment)
    {
        Options = options;
        Environment = environment;
        _log = environment.Log;
        Routes = new RouteTable(options.Routes, options.Connection.ClientId);
        Path = new MessagePath(environment.NodeId, options.MaximumHops);
        Echoes = options.EchoWindow is { } window ? new EchoWindow(window) : null;
        ReceiveContext = environment.Rent();
        PumpContext = environment.Rent();
        NoticeContext = environment.Rent();
    }

    public BridgeOptions Options { get; }

    public BridgeEnvironment Environment { get; }

    public Broker Broker => Environment.Broker;

    public RouteTable Routes { get; }

    public BridgeCounters Counters { get; init; } = new();

    public MessagePath Path { get; }

    /// <summary>What has gone out lately; null: it is not kept.</summary>
    public EchoWindow? Echoes { get; }

    /// <summary>The routing context of the task that reads.</summary>
    public RoutingContext ReceiveContext { get; }

    /// <summary>The routing context of the task that sends, and that connects and leaves.</summary>
    public RoutingContext PumpContext { get; }

    /// <summary>The routing context of the task that tells whether the bridge is connected.</summary>
    public RoutingContext NoticeContext { get; }

    /// <summary>What went wrong last; null: nothing.</summary>
    public BridgeFault? LastFault => _fault;

    /// <inheritdoc/>
    public bool Takes(in Publication message) =>
        Path.MayGoOn(message.Properties) && Routes.FindOut(message.Topic, message.Payload.Length) is not null;

    /// <summary>Notes what went wrong.</summary>
    public void Note(FailureLayer layer, string text) => _fault = new BridgeFault(Environment.Time.GetUtcNow(), layer, text);

    /// <summary>A message is larger than the other side takes. Under the session's lock.</summary>
    public void NoteTooLarge(ReadOnlySpan<byte> topic, int bytes) =>
        Note(FailureLayer.Mqtt, $"A message of {bytes} bytes to {Encoding.UTF8.GetString(topic)} is larger than the other side takes; it was dropped.");

    /// <summary>The other side has refused a message for good.</summary>
    public void NoteRefused(ReasonCode reason)
    {
        Counters.CountRefused();
        string text = $"The other side refused a message ({reason}, 0x{(byte)reason:X2}). {ReasonAdvice.For(reason)}";
        Note(reason == ReasonCode.NotAuthorized ? FailureLayer.Permission : FailureLayer.Mqtt, text);
        BridgeLog.MessageRefused(_log, Options.Name, text);
    }

    /// <summary>A message of the other side cannot be published here.</summary>
    public void NoteNotPublished(in PublishVerdict verdict)
    {
        Counters.CountRefused();
        string text = $"A message of the other side was not published here: {verdict.Cause ?? verdict.Reason.ToString()}.";
        Note(FailureLayer.Permission, text);
        BridgeLog.MessageRefused(_log, Options.Name, text);
    }

    /// <summary>The other side has refused a subscription.</summary>
    public void NoteNotSubscribed(string filter, ReasonCode reason)
    {
        string text = $"The other side refused the subscription to {filter} ({reason}, 0x{(byte)reason:X2}). {ReasonAdvice.For(reason)}";
        Note(FailureLayer.Permission, text);
        BridgeLog.NotSubscribed(_log, Options.Name, text);
    }

    /// <summary>Gives back what the broker lends.</summary>
    public void Retire()
    {
        Environment.Return(ReceiveContext);
        Environment.Return(PumpContext);
        Environment.Return(NoticeContext);
    }
}
