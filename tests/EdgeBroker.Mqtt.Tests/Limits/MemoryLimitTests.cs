using EdgeBroker.Core.Limits;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Mqtt.Tests.Limits;

/// <summary>What the stages of memory pressure do to clients.</summary>
public sealed class MemoryLimitTests
{
    [Theory]
    [InlineData(ProtocolVersion.V311, (ReasonCode)0x03)]
    [InlineData(ProtocolVersion.V5, ReasonCode.ServerBusy)]
    public async Task First_new_connections_are_refused_and_those_that_are_there_go_on(ProtocolVersion version, ReasonCode told)
    {
        await using var broker = new TestBroker(new TestBrokerOptions());
        TestClient client = await broker.ConnectAsync("c");
        broker.Broker.Limits.Memory.Update(82, 100);
        TestClient refused = await broker.OpenAsync(version);
        await refused.SendAsync(refused.Packets.Connect("d"));
        await refused.ExpectRefusedAsync(told);
        await client.PublishAsync("t", "x", 1);
        broker.Broker.Limits.Memory.Update(70, 100);
        await broker.ConnectAsync("d", version);
        Assert.Equal(1, broker.Broker.Limits.Counters[LimitKind.MaxMemory, LimitAction.Refused]);
    }

    [Fact]
    public async Task Then_publishers_are_read_slowly_while_acknowledgements_come_through()
    {
        await using var broker = new TestBroker(new TestBrokerOptions());
        TestClient subscriber = await broker.ConnectAsync("s");
        await subscriber.SubscribeAsync("#", 1);
        TestClient publisher = await broker.ConnectAsync("p");
        await publisher.PublishAsync("t", "before", 1);
        ReceivedPacket before = await subscriber.ExpectPublishAsync("t", "before", 1);
        broker.Broker.Limits.Memory.Update(90, 100);
        await publisher.SendAsync(publisher.Packets.Publish("t", "1", 1, 11), publisher.Packets.Publish("t", "2", 1, 12), Packets.Pingreq());
        await broker.Events.WaitForAsync(one => one is { Kind: BrokerEventKind.Limited, ClientId: "p" }, "the publisher to be held up");
        await subscriber.AcknowledgeAsync(before);
        await subscriber.ExpectNothingAsync();
        Assert.Equal(0, broker.Broker.FindSession("s")!.PendingMessages);
        await broker.AdvanceUntilAsync(publisher.ExpectAsync(publisher.Packets.Puback(11)));
        await broker.AdvanceUntilAsync(publisher.ExpectAsync(publisher.Packets.Puback(12)));
        await publisher.ExpectAsync(Packets.Pingresp());
        Assert.True(broker.Broker.Clock.NowMs >= 2_000);
        broker.Broker.Limits.Memory.Update(10, 100);
        for (int i = 0; i < 10; i++) await publisher.PublishAsync("t", "after", 1);
    }

    [Fact]
    public async Task Of_a_long_packet_no_more_is_taken_while_memory_is_short()
    {
        await using var broker = new TestBroker(new TestBrokerOptions());
        TestClient publisher = await broker.ConnectAsync("p");
        TestClient other = await broker.ConnectAsync("o");
        broker.Broker.Limits.Memory.Update(90, 100);
        byte[] packet = publisher.Packets.Publish("t", new byte[400_000], 1, 11);
        // A part of it first: what comes as a whole is complete, and is taken.
        await publisher.SendAsync(packet[..100_000]);
        await publisher.GivenAsync();
        Task sending = publisher.SendAsync(packet[100_000..]);
        Task given = publisher.GivenAsync();
        for (int i = 0; i < 10; i++)
        {
            await other.SendAsync(Packets.Pingreq());
            await other.ExpectAsync(Packets.Pingresp());
        }

        Assert.False(given.IsCompleted);
        broker.Broker.Limits.Memory.Update(10, 100);
        Task<ReceivedPacket> answer = publisher.ExpectAsync(PacketType.Puback);
        await broker.AdvanceUntilAsync(answer);
        await given;
        Assert.False((await answer).Reason.IsError());
        await sending;
    }

    [Fact]
    public async Task Last_QoS_0_is_dropped_where_it_comes_in()
    {
        await using var broker = new TestBroker(new TestBrokerOptions());
        TestClient subscriber = await broker.ConnectAsync("s");
        await subscriber.SubscribeAsync("#");
        TestClient publisher = await broker.ConnectAsync("p");
        broker.Broker.Limits.Memory.Update(95, 100);
        await publisher.SendAsync(publisher.Packets.Publish("t", "dropped"), publisher.Packets.Publish("t", "dropped"));
        await publisher.ExpectNothingAsync();
        await subscriber.ExpectNothingAsync();
        Assert.Equal(2, broker.Broker.Limits.Counters[LimitKind.MaxMemory, LimitAction.Dropped]);
        await publisher.SendAsync(publisher.Packets.Publish("t", "kept", 1, 1));
        await broker.AdvanceUntilAsync(publisher.ExpectAsync(publisher.Packets.Puback(1)));
        await subscriber.ExpectPublishAsync("t", "kept");
        broker.Broker.Limits.Memory.Update(10, 100);
        await publisher.PublishAsync("t", "again");
        await subscriber.ExpectPublishAsync("t", "again");
    }
}
