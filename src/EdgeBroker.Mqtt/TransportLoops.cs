using EdgeBroker.Core.Ports;
using EdgeBroker.Transport;

namespace EdgeBroker.Mqtt;

/// <summary>The transport's loops, as the core sees them.</summary>
internal sealed class TransportLoops : ILoopRequests
{
    public static readonly TransportLoops Instance = new();

    private TransportLoops()
    {
    }

    public void Begin() => LoopRequests.Begin();

    public void End() => LoopRequests.End();

    public void Defer(Action work) => LoopRequests.Defer(work);
}
