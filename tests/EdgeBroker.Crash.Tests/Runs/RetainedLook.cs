using EdgeBroker.Crash.Tests.Clients;
using EdgeBroker.Crash.Tests.History;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Crash.Tests.Runs;

/// <summary>A client without a session that looks once at the retained messages.</summary>
internal static class RetainedLook
{
    /// <summary>Records what is there; nothing when the broker dies meanwhile.</summary>
    public static async Task TakeAsync(RunHistory history, int port, CancellationToken cancellation)
    {
        using MqttLink? link = await MqttLink.TryOpenAsync(port, ProtocolVersion.V5, cancellation);
        if (link is null) return;
        history.Add(EventKind.RetainedLook, -1);
        Packets packets = link.Packets;
        // Three answers to pings: what a session owes may come just after the first.
        byte[] request = [.. packets.Connect("look"), .. packets.Subscribe(1, Crew.RetainedFilter), .. Packets.Pingreq()];
        int pings = 3;
        if (!await link.TrySendAsync(request)) return;
        while (true)
        {
            IReadOnlyList<ReceivedPacket> received = await link.ReceiveAsync(cancellation);
            if (received.Count == 0) return;
            foreach (ReceivedPacket packet in received)
            {
                if (packet.Type == PacketType.Publish && packet.Retain)
                {
                    history.Add(EventKind.RetainedSeen, -1, message: history.Find(packet.Topic, packet.Payload), text: packet.Topic);
                }

                if (packet.Type != PacketType.Pingresp) continue;
                if (--pings == 0)
                {
                    history.Add(EventKind.RetainedLooked, -1);
                    return;
                }

                if (!await link.TrySendAsync(Packets.Pingreq())) return;
            }
        }
    }
}
