using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Testing;

// What the broker shall do, and the few exchanges every test needs.
public sealed partial class TestClient
{
    /// <summary>The next packets are exactly these.</summary>
    public async Task ExpectAsync(params byte[][] packets)
    {
        foreach (byte[] expected in packets)
        {
            ReceivedPacket packet = await ReceiveAsync(ReceivedPacket.Describe(expected));
            if (packet.Bytes.AsSpan().SequenceEqual(expected)) continue;
            throw new ExpectationException($"{_name} expected {ReceivedPacket.Describe(expected)}\nand received {packet}");
        }
    }

    /// <summary>The next packet is of this type.</summary>
    public async Task<ReceivedPacket> ExpectAsync(PacketType type)
    {
        ReceivedPacket packet = await ReceiveAsync(type.ToString());
        return packet.Type == type ? packet : throw new ExpectationException($"{_name} expected {type} and received {packet}");
    }

    /// <summary>The next packet lets the client in.</summary>
    public async Task<ReceivedPacket> ExpectConnackAsync(bool? sessionPresent = null)
    {
        Connack = await ExpectAsync(PacketType.Connack);
        Require(Connack.Reason == ReasonCode.Success, "a CONNACK with 0x00", Connack);
        Require(sessionPresent is null || Connack.SessionPresent == sessionPresent, $"Session Present {sessionPresent}", Connack);
        return Connack;
    }

    /// <summary>The next packet refuses the client, and the connection is closed.</summary>
    public async Task<ReceivedPacket> ExpectRefusedAsync(ReasonCode reason)
    {
        ReceivedPacket packet = await ExpectAsync(PacketType.Connack);
        Require(packet.Reason == reason && !packet.SessionPresent, $"a CONNACK with {reason}", packet);
        await ExpectClosedAsync();
        return packet;
    }

    /// <summary>The next packet is this PUBLISH, with exactly these flags; returned for its identifier and properties.</summary>
    public async Task<ReceivedPacket> ExpectPublishAsync(string topic, string payload, int qos = 0, bool retain = false, bool dup = false)
    {
        string expected = $"PUBLISH {topic} \"{payload}\" QoS {qos} retain {retain} dup {dup}";
        ReceivedPacket packet = await ReceiveAsync(expected);
        bool same = packet.Type == PacketType.Publish && packet.Topic == topic && packet.PayloadText == payload
            && packet.QoS == qos && packet.Retain == retain && packet.Dup == dup;
        Require(same, expected, packet);
        Require(qos == 0 || packet.PacketId != 0, "a packet identifier", packet);
        return packet;
    }

    /// <summary>The next packets are PUBLISHes with these payloads, in any order.</summary>
    public async Task<List<ReceivedPacket>> ExpectPublishesInAnyOrderAsync(params string[] payloads)
    {
        var received = new List<ReceivedPacket>();
        for (int i = 0; i < payloads.Length; i++) received.Add(await ExpectAsync(PacketType.Publish));
        IEnumerable<string> got = received.Select(one => one.PayloadText).Order(StringComparer.Ordinal);
        if (got.SequenceEqual(payloads.Order(StringComparer.Ordinal))) return received;
        throw new ExpectationException(
            $"{_name} expected the payloads {string.Join(", ", payloads)} and received {string.Join(", ", received.Select(one => one.PayloadText))}");
    }

    /// <summary>The broker has closed the connection without another word.</summary>
    public async Task ExpectClosedAsync()
    {
        if (await TryReceiveAsync("the end of the connection") is { } packet)
        {
            throw new ExpectationException($"{_name} expected the connection to be closed and received {packet}");
        }

        if (_over is not null) await _over();
    }

    /// <summary>5.0: the next packet is DISCONNECT with this code. Then, as always in 3.1.1, the connection is closed.</summary>
    public async Task<ReceivedPacket?> ExpectDisconnectAsync(ReasonCode reason)
    {
        ReceivedPacket? packet = null;
        if (Version == ProtocolVersion.V5)
        {
            packet = await ExpectAsync(PacketType.Disconnect);
            Require(packet.Reason == reason, $"DISCONNECT with {reason}", packet);
        }

        await ExpectClosedAsync();
        return packet;
    }

    /// <summary>The connection lives, and nothing has come that was not asked for.</summary>
    public async Task ExpectNothingAsync()
    {
        await FenceAsync();
        if (_unread.TryDequeue(out ReceivedPacket? packet)) throw new ExpectationException($"{_name} expected nothing and received {packet}");
    }

    /// <summary>Subscribes to one filter and expects the QoS asked for to be granted.</summary>
    /// <param name="filter">The filter.</param>
    /// <param name="options">The QoS, or the whole options byte.</param>
    /// <param name="properties">Encoded properties.</param>
    public async Task SubscribeAsync(string filter, int options = 0, byte[]? properties = null)
    {
        int packetId = NextPacketId();
        await SendAsync(Packets.Subscribe(packetId, filter, options, properties));
        await ExpectAsync(Packets.Suback(packetId, options & 3));
    }

    /// <summary>Unsubscribes from one filter and expects it to have been subscribed.</summary>
    public async Task UnsubscribeAsync(string filter)
    {
        int packetId = NextPacketId();
        await SendAsync(Packets.Unsubscribe(packetId, filter));
        await ExpectAsync(Packets.Unsuback(packetId, 0));
    }

    /// <summary>
    /// Publishes and carries the exchange of its QoS to the end; when this returns, the broker has routed the message. What else comes is kept for later.
    /// </summary>
    public async Task PublishAsync(string topic, string payload = "", int qos = 0, bool retain = false, byte[]? properties = null)
    {
        int packetId = qos == 0 ? 0 : NextPacketId();
        await SendAsync(Packets.Publish(topic, Encoding.UTF8.GetBytes(payload), qos, packetId, retain, false, properties));
        switch (qos)
        {
            case 0: await FenceAsync(); break;
            case 1: await ExpectAckAsync(PacketType.Puback, packetId); break;
            default:
                await ExpectAckAsync(PacketType.Pubrec, packetId);
                await SendAsync(Packets.Pubrel(packetId));
                await ExpectAckAsync(PacketType.Pubcomp, packetId);
                break;
        }
    }

    /// <summary>Carries the exchange of a received PUBLISH to the end. What else comes is kept for later.</summary>
    public async Task AcknowledgeAsync(ReceivedPacket publish)
    {
        if (publish.QoS == 1) await SendAsync(Packets.Puback(publish.PacketId));
        if (publish.QoS != 2) return;
        await SendAsync(Packets.Pubrec(publish.PacketId));
        await ExpectAckAsync(PacketType.Pubrel, publish.PacketId);
        await SendAsync(Packets.Pubcomp(publish.PacketId));
    }

    // Success, or 0x10 where nobody subscribes. Messages that come meanwhile are kept for later.
    private async Task ExpectAckAsync(PacketType type, int packetId)
    {
        ReceivedPacket ack = await AwaitAsync(packet => packet.Type == type && packet.PacketId == packetId, $"{type} {packetId}");
        Require(ack.Reason is ReasonCode.Success or ReasonCode.NoMatchingSubscribers, $"{type} {packetId} of success", ack);
    }

    private void Require(bool met, string expected, ReceivedPacket packet)
    {
        if (!met) throw new ExpectationException($"{_name} expected {expected}\nand received {packet}");
    }
}
