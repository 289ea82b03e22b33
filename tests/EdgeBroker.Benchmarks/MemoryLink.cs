using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Benchmarks;

/// <summary>A connection that encodes into memory as a real one does, and forgets it at once.</summary>
internal sealed class MemoryLink : ISessionLink
{
    private readonly byte[] _output = new byte[64 * 1024];

    /// <summary>The identifier of the latest PUBLISH.</summary>
    public ushort LastPacketId { get; private set; }

    public bool HasRoom => true;

    public void RequestPumpWhenDrained()
    {
    }

    public void Prepare(Session session)
    {
    }

    public void SendConnack(bool sessionPresent)
    {
    }

    public SendOutcome SendPublish(in OutgoingPublish publish, RoutingContext context, bool fanOut)
    {
        LastPacketId = publish.PacketId;
        if (fanOut)
        {
            context.FanOut.Get(publish, ProtocolVersion.V311, out int packetIdAt).CopyTo(_output);
            if (packetIdAt != 0) (_output[packetIdAt], _output[packetIdAt + 1]) = ((byte)(publish.PacketId >> 8), (byte)publish.PacketId);
        }
        else
        {
            publish.Write(_output, ProtocolVersion.V311);
        }

        return SendOutcome.Sent;
    }

    public bool TrySendBurst(PublishBurst burst, RoutingContext context)
    {
        burst.Encoded(ProtocolVersion.V311, out _).CopyTo(_output);
        return true;
    }

    public void SendPubrel(ushort packetId)
    {
    }

    public void RequestPump()
    {
    }

    public void Close(ReasonCode reason)
    {
    }
}
