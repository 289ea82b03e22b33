using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

/// <summary>Shows every packet to whoever looks on.</summary>
internal readonly struct PacketTracer(MqttClientOptions options)
{
    public void Sent(ReadOnlySpan<byte> packets)
    {
        if (options.Trace is not { } trace) return;
        while (Frame.Cut(packets, int.MaxValue, out Frame frame, out _) == FrameStatus.Complete)
        {
            trace(new PacketTrace(true, frame.Type, frame.Length, PacketDetail.Of(frame, options.Version)));
            packets = packets[frame.Length..];
        }
    }

    public void Received(in Frame frame)
    {
        if (options.Trace is { } trace) trace(new PacketTrace(false, frame.Type, frame.Length, PacketDetail.Of(frame, options.Version)));
    }
}
