using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Mqtt.Tests.Rig;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Mqtt.Tests.Limits;

/// <summary>What connections make grow is accounted, and released when they go. Buffers are counted for the whole process.</summary>
[Collection(Alone.Name)]
public sealed class MemoryLedgerTests : IDisposable
{
    private readonly Server _server = new();
    private readonly Dictionary<MemoryKind, long> _before;

    public MemoryLedgerTests() => _before = Enum.GetValues<MemoryKind>().ToDictionary(kind => kind, kind => Ledger.Bytes(kind));

    private MemoryLedger Ledger => _server.Broker.Limits.Ledger;

    [Fact]
    public async Task Half_packets_are_accounted_before_the_login_and_after_it()
    {
        using Peer peer = await Peer.OpenAsync(_server);
        byte[] connect = peer.Packets.Connect("client", will: new TestWill("will", new string('w', 20_000)));
        await peer.SendAsync(connect.AsMemory(0, 15_000));
        await UntilAsync(MemoryKind.UnauthenticatedBuffers, 15_000, 32_768);
        await peer.SendAsync(connect.AsMemory(15_000));
        await peer.ExpectAsync(PacketType.Connack);
        await UntilAsync(MemoryKind.UnauthenticatedBuffers, 0, 0);
        byte[] publish = peer.Packets.Publish("topic", new byte[50_000]);
        await peer.SendAsync(publish.AsMemory(0, 40_000));
        await UntilAsync(MemoryKind.ReceiveBuffers, 40_000, 131_072);
        Assert.Equal(0, More(MemoryKind.UnauthenticatedBuffers));
        peer.Dispose();
        await UntilAsync(MemoryKind.ReceiveBuffers, 0, 0);
    }

    [Fact]
    public async Task Output_that_a_client_does_not_read_is_accounted()
    {
        using Peer deaf = await Peer.ConnectAsync(_server, "deaf", receiveBufferBytes: 4_096), publisher = await Peer.ConnectAsync(_server, "publisher");
        await deaf.SubscribeAsync("topic", 0);
        for (int i = 0; i < 100; i++) await publisher.SendAsync(publisher.Packets.Publish("topic", new byte[100_000]));
        await publisher.PingAsync();
        Assert.InRange(More(MemoryKind.Output), 200_000, 20_000_000);
        deaf.Dispose();
        await UntilAsync(MemoryKind.Output, 0, 0);
    }

    [Fact]
    public async Task A_session_that_has_ended_holds_no_messages_whoever_still_refers_to_it()
    {
        using Peer receiver = await Peer.ConnectAsync(_server, "receiver"), publisher = await Peer.ConnectAsync(_server, "publisher");
        await receiver.SubscribeAsync("topic", 1);
        for (int id = 1; id <= 3; id++) await publisher.SendAsync(publisher.Packets.Publish("topic", "message", qos: 1, packetId: id));
        for (int id = 1; id <= 3; id++) await receiver.ExpectAsync(PacketType.Publish);
        Session session = _server.Broker.FindSession("receiver")!;
        Assert.Equal(3, session.PendingMessages);
        receiver.Dispose();
        await Deadline.Until(() => session.HasEnded, "the end of the session");
        Assert.Equal(0, session.PendingMessages);
    }

    [Fact]
    public async Task Aliases_are_accounted_each_way()
    {
        // Topic Alias Maximum 10.
        using Peer subscriber = await Peer.ConnectAsync(_server, "subscriber", properties: [0x22, 0, 10]);
        using Peer publisher = await Peer.ConnectAsync(_server, "publisher");
        await subscriber.SubscribeAsync("#", 0);
        for (int i = 1; i <= 9; i++)
        {
            byte[] alias = [0x23, 0, (byte)i];
            await publisher.SendAsync(publisher.Packets.Publish(i + new string('t', 999), properties: alias));
            await subscriber.ExpectAsync(PacketType.Publish);
            await publisher.SendAsync(publisher.Packets.Publish("", properties: alias));
            await subscriber.ExpectAsync(PacketType.Publish);
        }

        Assert.InRange(More(MemoryKind.Aliases), 18_000, 22_000);
        subscriber.Dispose();
        await UntilAsync(MemoryKind.Aliases, 9_000, 11_000);
        publisher.Dispose();
        await UntilAsync(MemoryKind.Aliases, 0, 0);
    }

    [Fact]
    public async Task Nothing_is_left_when_all_clients_have_left_and_their_sessions_have_ended()
    {
        // Session Expiry Interval 60, Receive Maximum 10, Topic Alias Maximum 5.
        byte[] lasting = [0x11, 0, 0, 0, 60, 0x21, 0, 10, 0x22, 0, 5];
        var peers = new List<Peer>();
        for (int i = 0; i < 6; i++)
        {
            Peer peer = await Peer.OpenAsync(_server);
            var will = new TestWill("plant/will/" + i, new string('w', 1_000), QoS: 1);
            await peer.SendAsync(peer.Packets.Connect("client" + i, properties: i % 2 == 0 ? lasting : null, will: will));
            await peer.ExpectAsync(PacketType.Connack);
            await peer.SubscribeAsync("plant/#", i % 3);
            peers.Add(peer);
        }

        // Two are away, and messages wait for one of them.
        peers[2].Dispose();
        peers[3].Dispose();
        await Deadline.Until(() => _server.Broker.ConnectedCount == 4, "two to be away");
        Peer publisher = peers[0];
        for (int i = 0; i < 50; i++)
        {
            byte[]? alias = i % 10 < 5 ? [0x23, 0, (byte)((i % 5) + 1)] : null;
            string topic = $"plant/{i % 10}/{new string('t', 200)}";
            await publisher.SendAsync(publisher.Packets.Publish(topic, new byte[2_000], i % 3, i + 1, retain: i % 7 == 0, properties: alias));
        }

        await peers[5].SendAsync(peers[5].Packets.Publish("plant/half", new byte[3_000]).AsMemory(0, 2_000));
        using Peer halfway = await Peer.OpenAsync(_server);
        await halfway.SendAsync(halfway.Packets.Connect("halfway").AsMemory(0, 9));
        foreach (MemoryKind kind in new[]
        {
            MemoryKind.ReceiveBuffers, MemoryKind.UnauthenticatedBuffers, MemoryKind.Queues, MemoryKind.Inflight, MemoryKind.Retained, MemoryKind.Sessions,
            MemoryKind.Wills, MemoryKind.Filters, MemoryKind.Aliases,
        })
        {
            await UntilAsync(kind, 1, 1_000_000);
        }

        halfway.Dispose();
        foreach (Peer peer in peers) peer.Dispose();
        await Deadline.Until(() => _server.Broker.ConnectedCount == 0, "all to be away");
        using Peer last = await Peer.ConnectAsync(_server, "last");
        for (int i = 0; i < 10; i++) await last.SendAsync(last.Packets.Publish($"plant/{i}/{new string('t', 200)}", retain: true));
        await last.PingAsync();
        last.Dispose();
        // Whoever comes with Clean Start and leaves at once ends what is kept under the name.
        for (int i = 0; i < 6; i++) (await Peer.ConnectAsync(_server, "client" + i)).Dispose();
        await Deadline.Until(() => _server.Broker.SessionCount == 0, "all sessions to end");
        foreach (MemoryKind kind in Enum.GetValues<MemoryKind>()) await UntilAsync(kind, 0, 0);
    }

    public void Dispose() => _server.Dispose();

    private long More(MemoryKind kind) => Ledger.Bytes(kind) - _before[kind];

    private Task UntilAsync(MemoryKind kind, long least, long most) =>
        Deadline.Until(() => More(kind) is var bytes && bytes >= least && bytes <= most, $"{kind} bytes");
}
