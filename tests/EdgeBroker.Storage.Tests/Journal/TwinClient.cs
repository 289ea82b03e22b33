using EdgeBroker.Testing;

namespace EdgeBroker.Storage.Tests.Journal;

/// <summary>A client that does the same on two brokers: one that keeps its sessions in memory and one that keeps them on disk.</summary>
internal sealed class TwinClient(string id)
{
    // QoS 2 publishes that PUBREC came for and PUBREL is owed, by packet identifier; apart from those the connections count from 1.
    private readonly List<(int PacketId, byte[] Repetition)> _unreleased = [];
    private int _lastUnreleased = 60_000;

    public string Id => id;

    public TwinSide Memory { get; } = new();

    public TwinSide Stored { get; } = new();

    public bool IsConnected => Memory.Connection is not null;

    public async Task ConnectAsync(TestBroker memory, TestBroker stored, bool cleanStart, uint expirySeconds, int receiveMaximum)
    {
        byte[] properties = [.. Prop.SessionExpiry(expirySeconds), .. Prop.ReceiveMaximum(receiveMaximum)];
        TestClient one = await memory.ConnectAsync(id, cleanStart: cleanStart, properties: properties);
        TestClient other = await stored.ConnectAsync(id, cleanStart: cleanStart, properties: properties);
        Assert.Equal(one.Connack.SessionPresent, other.Connack.SessionPresent);
        Assert.Equal(Convert.ToHexString(one.Connack.Bytes), Convert.ToHexString(other.Connack.Bytes));
        if (!one.Connack.SessionPresent) _unreleased.Clear();
        if (IsConnected)
        {
            // Both have been taken over.
            await Memory.End().DisposeAsync();
            await Stored.End().DisposeAsync();
        }

        Memory.Begin(one);
        Stored.Begin(other);
    }

    /// <summary>Goes without a word on the broker in memory, and on the other one as well unless that has ended.</summary>
    public async Task DropAsync(bool storedToo = true)
    {
        if (!IsConnected) return;
        await Memory.End().DropAsync();
        if (storedToo) await Stored.End().DropAsync();
        else await Stored.End().DisposeAsync();
    }

    public async Task DisconnectAsync(byte[]? properties)
    {
        if (!IsConnected) return;
        await Memory.End().DisconnectAsync(properties: properties);
        await Stored.End().DisconnectAsync(properties: properties);
    }

    /// <summary>Sends the same on both; the answers are compared with all else that comes.</summary>
    public async Task SendAsync(Func<Packets, int, byte[]> packet, int times = 1)
    {
        for (int i = 0; i < times; i++)
        {
            int packetId = Memory.Connection!.NextPacketId();
            Assert.Equal(packetId, Stored.Connection!.NextPacketId());
            await Memory.Connection.SendAsync(packet(Packets.V5, packetId));
            await Stored.Connection.SendAsync(packet(Packets.V5, packetId));
        }
    }

    public async Task PublishAsync(string topic, string payload, int qos, bool retain, byte[]? properties)
    {
        await Memory.Connection!.PublishAsync(topic, payload, qos, retain, properties);
        await Stored.Connection!.PublishAsync(topic, payload, qos, retain, properties);
    }

    /// <summary>Sends a QoS 2 PUBLISH and leaves the exchange open.</summary>
    public async Task BeginPublishAsync(string topic, string payload)
    {
        int packetId = ++_lastUnreleased;
        await SendAsync((packets, _) => packets.Publish(topic, payload, 2, packetId));
        _unreleased.Add((packetId, Packets.V5.Publish(topic, payload, 2, packetId, dup: true)));
    }

    /// <summary>Sends one of those left open again, which must bring nobody anything, or releases it.</summary>
    public async Task GoOnPublishingAsync(bool release)
    {
        if (_unreleased.Count == 0) return;
        (int packetId, byte[] repetition) = _unreleased[0];
        await SendAsync((packets, _) => release ? packets.Pubrel(packetId) : repetition);
        if (release) _unreleased.RemoveAt(0);
    }

    /// <summary>Answers one of the open messages on both.</summary>
    public async Task AcknowledgeAsync(int which)
    {
        if (!IsConnected || Memory.Open.Count == 0) return;
        OpenDelivery one = Memory.Open[which % Memory.Open.Count];
        // A shared and an ordinary subscription bring the same message twice: the same place among the same.
        int place = Memory.Open.Where(open => IsLike(open, one)).TakeWhile(open => open != one).Count();
        OpenDelivery other = Stored.Open.Where(open => IsLike(open, one)).ElementAt(place);
        await AnswerAsync(Memory, one);
        await AnswerAsync(Stored, other);
    }

    /// <summary>Carries the exchange of a message on the broker in memory to the end.</summary>
    public async Task FinishInMemoryAsync(OpenDelivery open)
    {
        await AnswerAsync(Memory, open);
        if (open.QoS == 2 && !open.IsReleased)
        {
            await Memory.Connection!.ExpectAsync(Packets.V5.Pubrel(open.PacketId));
            open.IsReleased = true;
            await AnswerAsync(Memory, open);
        }

        await Memory.Connection!.ExpectNothingAsync();
    }

    private static bool IsLike(OpenDelivery one, OpenDelivery other) => (one.Payload, one.QoS, one.IsReleased) == (other.Payload, other.QoS, other.IsReleased);

    private static async Task AnswerAsync(TwinSide side, OpenDelivery open)
    {
        Packets packets = Packets.V5;
        byte[] answer = open.QoS == 1 ? packets.Puback(open.PacketId) : open.IsReleased ? packets.Pubcomp(open.PacketId) : packets.Pubrec(open.PacketId);
        await side.Connection!.SendAsync(answer);
        if (open.QoS == 1 || open.IsReleased) side.Open.Remove(open);
    }
}
