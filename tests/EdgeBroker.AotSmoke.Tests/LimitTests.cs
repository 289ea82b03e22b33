using System.Globalization;
using System.Net.Sockets;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.AotSmoke.Tests;

/// <summary>Limits in the published executable, memory by what the kernel says of the real process.</summary>
public sealed class LimitTests : IDisposable
{
    private const int LargeBytes = 256 * 1024;

    private readonly string _directory = Directory.CreateTempSubdirectory("edgebroker-").FullName;

    public static TheoryData<string> Rids => new(PublishedBinary.Rids);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [MemberData(nameof(Rids))]
    public async Task Rates_are_kept_and_told(string rid)
    {
        using ChildProcess broker = await StartAsync(rid, """
            publishes_per_client = { rate = "1/h", burst = 2, on_exceed = "drop" }
            subscribes_per_client = { rate = "1/h", burst = 1 }
            max_connections_per_ip = 1
            """);
        int port = await PublishedBroker.PortOfAsync(broker);
        await using TestClient client = await OpenAsync(port);
        Packets packets = client.Packets;
        await client.SendAsync(packets.Connect("smoke", properties: Prop.RequestProblemInformation(0)));
        await client.ExpectConnackAsync();
        await client.SendAsync(
            [.. Enumerable.Range(1, 3).Select(i => packets.Publish("t", "x", 1, i)), packets.Subscribe(4, null, ("$SYS/broker/limits/#", 0), ("b", 0))]);
        await client.ExpectAsync(
            packets.Puback(1, ReasonCode.NoMatchingSubscribers), packets.Puback(2, ReasonCode.NoMatchingSubscribers),
            packets.Puback(3, ReasonCode.QuotaExceeded));
        await client.ExpectAsync(packets.Suback(4, 0, 0x97));
        await using (TestClient second = await OpenAsync(port))
        {
            await second.SendAsync(packets.Connect("second"));
            await second.ExpectRefusedAsync(ReasonCode.QuotaExceeded);
        }

        var counted = new HashSet<string>();
        string[] expected = ["publishes_per_client/dropped=1", "subscribes_per_client/refused=1", "max_connections_per_ip/refused=1"];
        while (!expected.All(counted.Contains))
        {
            ReceivedPacket packet = await client.ExpectAsync(PacketType.Publish);
            counted.Add($"{packet.Topic["$SYS/broker/limits/".Length..]}={packet.PayloadText}");
        }

        await broker.LineAsync(line => line.Contains("smoke: publish dropped by limits.publishes_per_client (1/h, burst 2)", StringComparison.Ordinal));
        await broker.LineAsync(line => line.Contains("limits.max_connections_per_ip (1) is reached (0x97 quota exceeded)", StringComparison.Ordinal));
    }

    [Fact]
    public async Task When_its_memory_is_used_up_it_keeps_nothing_new_and_goes_on_taking_clients()
    {
        using ChildProcess broker = await StartAsync(PublishedBinary.HostRid, """
            max_memory = "64MB"
            bytes_per_client = { rate = "20MB/s", burst = "1MB" }
            """);
        int port = await PublishedBroker.PortOfAsync(broker);
        await using TestClient client = await OpenAsync(port);
        await client.SendAsync(client.Packets.Connect("filler"));
        await client.ExpectConnackAsync();
        int kept = 0;
        while (await IsKeptAsync(client, kept, LargeBytes))
        {
            kept++;
            Assert.True(kept * LargeBytes < 64 * 1024 * 1024, broker.Said);
        }

        await using (TestClient another = await OpenAsync(port))
        {
            await another.SendAsync(another.Packets.Connect("another"));
            await another.ExpectConnackAsync();
        }

        for (int i = 0; i < kept; i++) Assert.True(await IsKeptAsync(client, i, 0));
        Assert.True(await IsKeptAsync(client, 0, LargeBytes));
    }

    /// <summary>Sets a retained message; an empty one deletes it.</summary>
    private static async Task<bool> IsKeptAsync(TestClient client, int number, int bytes)
    {
        string topic = "t/" + number.ToString(CultureInfo.InvariantCulture);
        await client.SendAsync(client.Packets.Publish(topic, new byte[bytes], 1, 1, retain: true));
        ReceivedPacket answer = await client.ExpectAsync(PacketType.Puback);
        if (!answer.Reason.IsError()) return true;
        Assert.Equal(ReasonCode.QuotaExceeded, answer.Reason);
        return false;
    }

    private async Task<ChildProcess> StartAsync(string rid, string limits)
    {
        await File.WriteAllTextAsync(Path.Combine(_directory, "broker.toml"), $"""
            [[listener]]
            protocol = "mqtt"
            address = "127.0.0.1:0"
            [mqtt]
            sys_interval = "1s"
            [storage]
            durability = "memory"
            [limits]
            {limits}
            """);
        return PublishedBinary.Of(rid).Start(_directory, "-c", "broker.toml");
    }

    private static async Task<TestClient> OpenAsync(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync("127.0.0.1", port);
        return TestClient.Over(new NetworkStream(socket, ownsSocket: true), ProtocolVersion.V5, "client");
    }
}
