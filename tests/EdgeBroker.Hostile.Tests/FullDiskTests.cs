using System.Globalization;
using System.Net.Sockets;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.Hostile.Tests;

/// <summary>A disk that clients fill: what is new is refused in time, what makes room goes on, and a restart finds what was acknowledged.</summary>
public sealed class FullDiskTests : IDisposable
{
    private const int DiskMegabytes = 64;

    private readonly string _directory = Directory.CreateTempSubdirectory("edgebroker-").FullName;
    private readonly bool _isMounted;

    public FullDiskTests()
    {
        if (!Environment.IsPrivilegedProcess) return;
        Directory.CreateDirectory(Data);
        Run("mount", "-t", "tmpfs", "-o", string.Create(CultureInfo.InvariantCulture, $"size={DiskMegabytes}m"), "tmpfs", Data);
        _isMounted = true;
    }

    private string Data => Path.Combine(_directory, "data");

    public void Dispose()
    {
        if (_isMounted) Run("umount", "--lazy", Data);
        Directory.Delete(_directory, recursive: true);
    }

    [RootTheory]
    [InlineData(1)]
    [InlineData(60)]
    public async Task Retained_messages_that_fill_the_disk_can_be_deleted(int atOnce)
    {
        await File.WriteAllTextAsync(
            Path.Combine(_directory, "broker.toml"),
            "[node]\ndata_dir = \"data\"\n[[listener]]\nprotocol = \"mqtt\"\naddress = \"127.0.0.1:0\"\n[log]\nformat = \"text\"\n");
        var kept = new SortedSet<int>();
        var payload = new byte[700 * 1024];
        using (ChildProcess broker = Start())
        {
            await using TestClient client = await ConnectAsync(broker);
            // Until none of a whole round is taken: what was being written when the first was refused may still come to be too much.
            for (int round = 0; ; round++)
            {
                int before = kept.Count;
                string reason = await PublishAsync(client, kept, round * atOnce, atOnce, payload);
                Assert.True(round < 200, "nothing was refused");
                if (kept.Count > before || kept.Count < 10) continue;
                Assert.Contains("the disk is full", reason, StringComparison.Ordinal);
                break;
            }

            Assert.Contains("7109", broker.Said, StringComparison.Ordinal);
            Assert.DoesNotContain("cannot be written", broker.Said, StringComparison.Ordinal);
            // Replacing by something longer would fill it as well; by something as long it goes on.
            Assert.False(await TrySetAsync(client, kept.Min, new byte[payload.Length + 1]));
            Assert.True(await TrySetAsync(client, kept.Min, payload));
            broker.Kill();
        }

        using (ChildProcess broker = Start())
        {
            await using TestClient client = await ConnectAsync(broker);
            await ExpectAsync(client, kept, payload.Length);
            Assert.False(await TrySetAsync(client, kept.Max + 1, payload));
            foreach (int topic in kept.ToArray())
            {
                if (kept.Count == 5) break;
                Assert.True(await TrySetAsync(client, topic, []));
                kept.Remove(topic);
            }

            // What is deleted gives room with a later commit, of which a client is not told: it asks again.
            int next = kept.Max + 1;
            for (int attempt = 0; !await TrySetAsync(client, next, payload); attempt++)
            {
                Assert.True(attempt < 300, broker.Said);
                await Task.Delay(50);
            }

            kept.Add(next);
            Assert.DoesNotContain("cannot be written", broker.Said, StringComparison.Ordinal);
            broker.Kill();
        }

        using (ChildProcess broker = Start())
        {
            await using TestClient client = await ConnectAsync(broker);
            await ExpectAsync(client, kept, payload.Length);
        }
    }

    // As many at once as said; which of them were taken is added. Returns the last reason of a refusal.
    private static async Task<string> PublishAsync(TestClient client, SortedSet<int> kept, int first, int count, byte[] payload)
    {
        for (int i = 0; i < count; i++)
        {
            await client.SendAsync(Packets.V5.Publish(Topic(first + i), payload, qos: 1, packetId: i + 1, retain: true));
        }

        string reason = "";
        for (int i = 0; i < count; i++)
        {
            ReceivedPacket answer = await client.ExpectAsync(PacketType.Puback);
            if (!answer.Reason.IsError()) kept.Add(first + i);
            else if (answer.Reason == ReasonCode.QuotaExceeded) reason = answer.Properties.Text(PropertyId.ReasonString) ?? "";
        }

        return reason;
    }

    private static async Task<bool> TrySetAsync(TestClient client, int topic, byte[] payload)
    {
        await client.SendAsync(Packets.V5.Publish(Topic(topic), payload, qos: 1, packetId: 1, retain: true));
        return !(await client.ExpectAsync(PacketType.Puback)).Reason.IsError();
    }

    private static async Task ExpectAsync(TestClient client, SortedSet<int> kept, int bytes)
    {
        await client.SendAsync(Packets.V5.Subscribe(1, "kept/#", options: 0));
        var found = new SortedSet<string>(StringComparer.Ordinal);
        for (bool isGranted = false; !isGranted || found.Count < kept.Count;)
        {
            ReceivedPacket packet = await client.ReceiveAsync("the retained messages");
            if (packet.Type == PacketType.Publish) Assert.Equal(bytes, packet.Payload.Length);
            if (packet.Type == PacketType.Publish) Assert.True(found.Add(packet.Topic));
            isGranted |= packet.Type == PacketType.Suback;
        }

        Assert.Equal(kept.Select(Topic).Order(StringComparer.Ordinal), found);
        await client.SendAsync(Packets.V5.Unsubscribe(2, "kept/#"));
        await client.ExpectAsync(PacketType.Unsuback);
    }

    private static string Topic(int number) => string.Create(CultureInfo.InvariantCulture, $"kept/{number}");

    private static async Task<TestClient> ConnectAsync(ChildProcess broker)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync("127.0.0.1", await PublishedBroker.PortOfAsync(broker));
        TestClient client = TestClient.Over(new NetworkStream(socket, ownsSocket: true), ProtocolVersion.V5, "filler");
        await client.SendAsync(client.Packets.Connect("filler"));
        await client.ExpectConnackAsync();
        return client;
    }

    private static void Run(string program, params string[] arguments)
    {
        using ChildProcess process = ChildProcess.Program(program, arguments);
        Assert.True(process.ExitAsync().GetAwaiter().GetResult() == 0, process.Said);
    }

    private ChildProcess Start() => PublishedBinary.Of(PublishedBinary.HostRid).Start(_directory, "-c", "broker.toml");
}
