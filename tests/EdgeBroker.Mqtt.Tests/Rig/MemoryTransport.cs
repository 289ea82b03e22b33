using EdgeBroker.Core.Routing;
using EdgeBroker.Mqtt.Connections;
using EdgeBroker.Transport;
using EdgeBroker.Transport.Buffers;

namespace EdgeBroker.Mqtt.Tests.Rig;

/// <summary>A connection whose bytes a test takes out of the output by hand.</summary>
internal class MemoryTransport : TransportConnection
{
    public override string RemoteEndPoint => "memory";

    public override long NowMs => 0;

    public bool CallbackRequested { get; set; }

    public override void RequestFlush()
    {
    }

    public override void RequestCallback() => CallbackRequested = true;

    public override void Post(Action work) => work();

    public override void Drain(Action done) => done();

    public override void Abort() => Take();

    public override void PauseReading()
    {
    }

    public override void ResumeReading()
    {
    }

    public override long DeadlineMs => long.MaxValue;

    public override void SetDeadline(long dueMs)
    {
    }

    /// <summary>Has a client connect over this; returns what serves it from CONNACK on.</summary>
    public MqttConnection Connect(MqttEndpoint endpoint, RoutingContext context, byte[] connect)
    {
        Handler = new Handshake(endpoint, this, context);
        Handler.Receive(connect, out _);
        return Assert.IsType<MqttConnection>(Handler);
    }

    /// <summary>Takes the output as the peer would get it.</summary>
    public byte[] Take()
    {
        var bytes = new List<byte>(Output.Length);
        for (OutputBuffer.Chunk? chunk = Output.First; chunk is not null; chunk = chunk.Next)
        {
            bytes.AddRange(chunk.Bytes.AsSpan(chunk.Start, chunk.End - chunk.Start));
        }

        Flush();
        return [.. bytes];
    }

    /// <summary>As if the socket had taken everything.</summary>
    public int Flush()
    {
        lock (Output.SyncRoot)
        {
            int sent = Output.Length;
            Output.Clear();
            return sent;
        }
    }
}
