using System.Text;
using EdgeBroker.Bridge.Loops;
using EdgeBroker.Bridge.Routes;
using EdgeBroker.Client;
using EdgeBroker.Core;
using EdgeBroker.Core.Ingress;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Routing;
using EdgeBroker.Protocol;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Bridge;

/// <summary>What of a bridge outlives its connections: how it is configured, what it counts, what went wrong last. Any thread.</summary>
internal sealed class BridgeState
{
    private readonly ILogger _log;
    private const long QuietMs = 60_000;
    private volatile BridgeFault? _fault;
    private volatile IReadOnlyList<string> _refusedFilters = [];
    private long _notCarriedAtMs = -QuietMs;

    /// <param name="options">As configured.</param>
    /// <param name="environment">What all bridges share.</param>
    /// <exception cref="FormatException">A route makes no sense; says why.</exception>
    public BridgeState(BridgeOptions options, BridgeEnvironment environment)
    {
        Options = options;
        Environment = environment;
        _log = environment.Log;
        Routes = new RouteTable(options.Routes, options.Connection.ClientId);
        Lanes = [.. options.AllLanes.Select(lane => new BridgeLane(this, lane))];
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

    /// <summary>The lanes, in the order in which they go.</summary>
    public IReadOnlyList<BridgeLane> Lanes { get; }

    /// <summary>Filters that the other side does not let this one subscribe to, by what it said last.</summary>
    public IReadOnlyList<string> RefusedFilters => _refusedFilters;

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

    /// <summary>Whether a message goes out by a lane.</summary>
    public bool Carries(in Publication message, string lane)
    {
        if (!Path.MayGoOn(message.Properties) || Routes.FindOut(message.Topic, message.Payload.Length) is not { } routed) return false;
        if (routed.Route.Lane != lane) return false;
        if (routed.Excess is null) return true;
        NoteNotCarried(message.Topic, routed.Excess);
        return false;
    }

    /// <summary>Notes what went wrong.</summary>
    public void Note(FailureLayer layer, string text) => _fault = new BridgeFault(Environment.Time.GetUtcNow(), layer, text);

    /// <summary>A message is larger than the other side takes. Under the session's lock.</summary>
    public void NoteTooLarge(ReadOnlySpan<byte> topic, int bytes) =>
        Note(FailureLayer.Mqtt, $"A message of {bytes} bytes to {Encoding.UTF8.GetString(topic)} is larger than the other side takes; it was dropped.");

    /// <summary>
    /// A message does not go because the other side would not take it: a cloud closes the connection over one, and would do so again and again.
    /// </summary>
    private void NoteNotCarried(ReadOnlySpan<byte> topic, string excess)
    {
        Counters.CountRefused();
        long nowMs = Broker.Clock.NowMs;
        long last = Interlocked.Read(ref _notCarriedAtMs);
        // Whoever publishes one publishes more of them.
        if (nowMs - last < QuietMs || Interlocked.CompareExchange(ref _notCarriedAtMs, nowMs, last) != last) return;
        string text = $"A message to {Encoding.UTF8.GetString(topic)} was not carried: {excess}. Give it a route with a shorter \"remote\", or \"exclude\" it.";
        Note(FailureLayer.Mqtt, text);
        BridgeLog.MessageRefused(_log, Options.Name, text);
    }

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

    /// <summary>The subscriptions are asked for anew.</summary>
    public void ForgetRefusedFilters() => _refusedFilters = [];

    /// <summary>The other side has refused a subscription. On the task that reads.</summary>
    public void NoteNotSubscribed(string filter, ReasonCode reason)
    {
        _refusedFilters = [.. _refusedFilters, filter];

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
