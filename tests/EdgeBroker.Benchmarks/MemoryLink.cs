using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Benchmarks;

/// <summary>A connection that encodes into memory, each message anew, and forgets it at once.</summary>
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

    public SendOutcome Send(in Delivery delivery, in Publication message, RoutingContext context)
    {
        LastPacketId = delivery.PacketId;
        Write(message, delivery);
        return SendOutcome.Sent;
    }

    public bool TrySend(in MessageSegment segment, Subscription subscription, RoutingContext context)
    {
        if (segment.TryGetPackets(ProtocolVersion.V311, out ReadOnlySpan<byte> packets, out _))
        {
            packets.CopyTo(_output);
            return true;
        }

        for (int i = 0; i < segment.Count; i++) Write(segment[i], default);
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

    private void Write(in Publication message, in Delivery delivery) => new OutgoingPublish
    {
        Topic = message.Topic,
        Payload = message.Payload,
        ForwardedProperties = message.Properties,
        QoS = delivery.QoS,
        PacketId = delivery.PacketId,
    }.Write(_output, ProtocolVersion.V311);
}
