using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Storage.Tests.Journal;

/// <summary>What one client has seen of one of two brokers.</summary>
internal sealed class TwinSide
{
    // What a packet identifier of the session stands for, as far as it was ever seen: a PUBREL says no more than the identifier.
    private readonly Dictionary<int, string> _known = [];

    /// <summary>The connection, or null.</summary>
    public TestClient? Connection { get; private set; }

    /// <summary>Messages received on this connection and not done with.</summary>
    public List<OpenDelivery> Open { get; } = [];

    public void Begin(TestClient connection)
    {
        if (!connection.Connack.SessionPresent) _known.Clear();
        Connection = connection;
        Open.Clear();
    }

    public TestClient End()
    {
        TestClient connection = Connection!;
        Connection = null;
        Open.Clear();
        return connection;
    }

    /// <summary>Takes what has come; looks until so many packets have, since a broker that writes to disk answers when that is done.</summary>
    public async Task<List<ReceivedPacket>> CollectAsync(int atLeast, Action runDue)
    {
        var all = new List<ReceivedPacket>();
        long began = Environment.TickCount64;
        while (true)
        {
            runDue();
            await Connection!.FenceAsync();
            await Connection.SendAsync(Packets.Pingreq());
            for (ReceivedPacket packet = await Connection.ReceiveAsync(); packet.Type != PacketType.Pingresp; packet = await Connection.ReceiveAsync())
            {
                all.Add(packet);
            }

            if (all.Count >= atLeast || Environment.TickCount64 - began > Deadline.Timeout.TotalMilliseconds / 2) break;
            await Task.Delay(1);
        }

        foreach (ReceivedPacket packet in all) Note(packet);
        return all;
    }

    /// <summary>What a packet says, apart from DUP and, unless wanted, its packet identifier.</summary>
    public string Describe(ReceivedPacket packet, bool withId)
    {
        string id = withId ? $" #{packet.PacketId}" : "";
        return packet.Type switch
        {
            PacketType.Publish => $"PUBLISH {packet.Topic} {packet.PayloadText} QoS {packet.QoS} retain {packet.Retain} ids "
            + $"{string.Join('+', packet.Properties.SubscriptionIdentifiers)} "
                + $"expiry {packet.Properties.Number(PropertyId.MessageExpiryInterval)}{id}{(withId ? $" dup {packet.Dup}" : "")}",
            PacketType.Pubrel => $"PUBREL {_known.GetValueOrDefault(packet.PacketId, "of a message never seen")}{id}",
            _ => $"{packet.Type} {packet.PacketId} {packet.Reason} {Convert.ToHexString(packet.Codes)}",
        };
    }

    private void Note(ReceivedPacket packet)
    {
        if (packet is { Type: PacketType.Publish, QoS: > 0 })
        {
            _known[packet.PacketId] = packet.PayloadText;
            Assert.DoesNotContain(Open, one => one.PacketId == packet.PacketId);
            Open.Add(new OpenDelivery(packet.PacketId, packet.PayloadText, packet.QoS));
        }
        else if (packet.Type == PacketType.Pubrel)
        {
            OpenDelivery? open = Open.Find(one => one.PacketId == packet.PacketId);
            if (open is null) Open.Add(open = new OpenDelivery(packet.PacketId, _known.GetValueOrDefault(packet.PacketId, ""), 2));
            open.IsReleased = true;
        }
    }
}

/// <summary>A message a client has received and not done with.</summary>
internal sealed class OpenDelivery(int packetId, string payload, int qos)
{
    public int PacketId => packetId;

    public string Payload => payload;

    public int QoS => qos;

    /// <summary>Whether PUBREL has come.</summary>
    public bool IsReleased { get; set; }
}
