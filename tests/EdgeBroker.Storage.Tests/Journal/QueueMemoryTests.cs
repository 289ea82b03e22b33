using EdgeBroker.Testing;

namespace EdgeBroker.Storage.Tests.Journal;

/// <summary>Queues live on disk. Measures the process's memory, and therefore runs alone.</summary>
[Collection(Alone.Name)]
public sealed class QueueMemoryTests : IDisposable
{
    private static readonly byte[] Kept = Prop.SessionExpiry(1000);
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_long_queue_is_on_disk_and_drains_in_order()
    {
        const int Messages = 5_000;
        await using StoredBroker broker = StoredBroker.Start(_directory);
        TestClient client = await broker.Broker.ConnectAsync("kept", properties: Kept);
        await client.SubscribeAsync("a", 1);
        await client.DropAsync();
        TestClient publisher = await broker.Broker.ConnectAsync("publisher");
        byte[] payload = new byte[1000];
        long before = LiveBytes();
        for (int i = 0; i < Messages; i += 50)
        {
            byte[][] packets = [.. Enumerable.Range(i, 50).Select(n =>
            {
                BitConverter.TryWriteBytes(payload, n);
                return publisher.Packets.Publish("a", payload, 1, 1 + n);
            })];
            await publisher.SendAsync(packets);
            for (int n = i; n < i + 50; n++) await publisher.ExpectAsync(publisher.Packets.Puback(1 + n));
        }

        await Deadline.Until(() => LiveBytes() - before < Messages * payload.Length / 4, "memory to let go of what is on disk");
        client = await broker.Broker.ConnectAsync("kept", cleanStart: false, properties: Kept, sessionPresent: true);
        for (int i = 0; i < Messages; i++)
        {
            ReceivedPacket received = await client.ReceiveAsync();
            Assert.Equal(i, BitConverter.ToInt32(received.Payload));
            await client.SendAsync(client.Packets.Puback(received.PacketId));
        }

        await client.FenceAsync();
        Assert.Equal(0, broker.Broker.Broker.FindSession("kept")!.PendingMessages);
    }

    private static long LiveBytes() => GC.GetTotalMemory(forceFullCollection: true);
}

/// <summary>Tests that share the process with no other.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public static class Alone
{
    public const string Name = "alone";
}
