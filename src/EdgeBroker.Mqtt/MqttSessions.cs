using System.Collections.Concurrent;
using System.IO.Pipelines;
using EdgeBroker.Core;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Routing;
using EdgeBroker.Mqtt.Connections;
using EdgeBroker.Transport.Pipes;

namespace EdgeBroker.Mqtt;

/// <summary>
/// MQTT connections over pipes, for servers that carry MQTT in something else: each runs in one of a few loops, and all are told when the broker stops.
/// </summary>
public sealed class MqttSessions
{
    // From the socket to the pipe bytes go through several tasks, between which nobody sees them.
    private static readonly TimeSpan ArrivalTime = TimeSpan.FromMilliseconds(50);

    private readonly (PipeLoop Loop, RoutingContext Context)[] _loops;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<PipeConnection, MqttEndpoint> _open = new();
    private int _next;
    private volatile bool _isStopping;

    /// <param name="broker">The broker.</param>
    /// <param name="loopCount">Loops that run at once; one a core. The connections of one share a routing context.</param>
    /// <param name="time">The clock.</param>
    public MqttSessions(Broker broker, int loopCount, TimeProvider time)
    {
        _time = time;
        _loops = [.. Enumerable.Range(0, loopCount).Select(_ => Make(broker))];
    }

    /// <summary>Whether goodbye is being said.</summary>
    public bool IsStopping => _isStopping;

    /// <summary>Connections that speak, or may come to speak, MQTT.</summary>
    public int Count => _open.Count;

    /// <summary>Speaks MQTT until the connection is over.</summary>
    /// <param name="endpoint">What the listener's connections share.</param>
    /// <param name="pipe">The bytes.</param>
    /// <param name="peer">The client.</param>
    /// <param name="identity">The name the transport has proved to be the client's; null: none.</param>
    /// <param name="admission">What the limits of connections said to the connection.</param>
    /// <returns>What broke the connection; null: it was closed.</returns>
    public async Task<Exception?> ServeAsync(MqttEndpoint endpoint, IDuplexPipe pipe, PipePeer peer, string? identity, Admission admission)
    {
        (PipeLoop loop, RoutingContext context) = _loops[(uint)Interlocked.Increment(ref _next) % (uint)_loops.Length];
        var transport = new PipeConnection(pipe, peer, _time, loop, ArrivalTime);
        Handshake handshake;
        using (loop.Enter()) transport.Handler = handshake = new Handshake(endpoint, transport, context, identity, admission);
        _open.TryAdd(transport, endpoint);
        if (_isStopping) transport.Post(handshake.Shutdown);
        else if (endpoint.IsRemoved) transport.Post(handshake.LoseListener);
        try
        {
            await transport.RunAsync(handshake).ConfigureAwait(false);
            return transport.Failure;
        }
        finally
        {
            _open.TryRemove(transport, out _);
        }
    }

    /// <summary>Says goodbye to every client (5.0: DISCONNECT 0x8B), present and to come.</summary>
    public void Stop()
    {
        _isStopping = true;
        foreach (PipeConnection transport in _open.Keys) transport.Post(() => HandlerOf(transport).Shutdown());
    }

    /// <summary>Says goodbye to the clients of a listener that is no more (5.0: DISCONNECT 0x98), present and to come.</summary>
    public void Leave(MqttEndpoint endpoint)
    {
        endpoint.IsRemoved = true;
        foreach ((PipeConnection transport, MqttEndpoint served) in _open)
        {
            if (served == endpoint) transport.Post(() => HandlerOf(transport).LoseListener());
        }
    }

    /// <summary>Judges every client by the users and rules now in force.</summary>
    /// <returns>How many were disconnected.</returns>
    public int Review()
    {
        int disconnected = 0;
        foreach (PipeConnection transport in _open.Keys)
        {
            transport.RunInIteration(() =>
            {
                if (HandlerOf(transport).Review()) disconnected++;
            });
        }

        return disconnected;
    }

    private static IMqttHandler HandlerOf(PipeConnection transport) => (IMqttHandler)transport.Handler;

    private static (PipeLoop Loop, RoutingContext Context) Make(Broker broker)
    {
        RoutingContext context = broker.CreateContext(new MessageBatch());
        return (new PipeLoop(broker.ReportFault) { IterationEnded = () => broker.Deliver(context.Batch, context) }, context);
    }
}
