using EdgeBroker.Transport;

namespace EdgeBroker.Mqtt.Tests.Rig;

/// <summary>A connection whose bytes a test takes out of the output by hand.</summary>
internal sealed class MemoryTransport : TransportConnection
{
    public override string RemoteEndPoint => "memory";

    public override long NowMs => 0;

    public bool TurnRequested { get; set; }

    public override void RequestFlush()
    {
    }

    public override void RequestTurn() => TurnRequested = true;

    public override void Post(Action work) => work();

    public override void PauseReading()
    {
    }

    public override void ResumeReading()
    {
    }

    public override void SetDeadline(long dueMs)
    {
    }

    /// <summary>As if the socket had taken everything.</summary>
    public int Flush()
    {
        lock (Output.Gate)
        {
            int sent = Output.Length;
            Output.Clear();
            return sent;
        }
    }
}
