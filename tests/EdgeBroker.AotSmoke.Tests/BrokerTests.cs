using System.Globalization;
using System.Net.Sockets;
using EdgeBroker.Testing;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.AotSmoke.Tests;

/// <summary>The published executable as a broker, spoken to by mosquitto's clients.</summary>
public sealed class BrokerTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("edgebroker-").FullName;

    public static TheoryData<string> Rids => new(PublishedBinary.Rids);

    public static TheoryData<string, string, int> RoundTrips
    {
        get
        {
            var cases = new TheoryData<string, string, int>();
            foreach (string rid in PublishedBinary.Rids)
            {
                foreach (string version in new[] { "311", "5" })
                {
                    for (int qos = 0; qos <= 2; qos++) cases.Add(rid, version, qos);
                }
            }

            return cases;
        }
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [MemberData(nameof(Rids))]
    public async Task It_listens_and_stops_when_asked(string rid)
    {
        using ChildProcess broker = Start(rid, port: 0);
        await PublishedBroker.PortOfAsync(broker);
        await StopsAsync(broker, clients: 0);
    }

    /// <summary>OpenSSL is 0.7 MB of memory, which a broker that needs it for nothing is not to load.</summary>
    [Fact]
    public async Task Without_TLS_and_passwords_it_loads_no_OpenSSL()
    {
        using ChildProcess broker = Start(PublishedBinary.HostRid, port: 0);
        int port = await PublishedBroker.PortOfAsync(broker);
        using ChildProcess subscriber = await SubscribeAsync(port, "5", qos: 1);
        string mappings = await File.ReadAllTextAsync($"/proc/{broker.Id}/maps");
        Assert.Contains("libc.so", mappings, StringComparison.Ordinal);
        Assert.DoesNotContain("libcrypto", mappings, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Rids))]
    public async Task It_stops_when_asked_with_a_client_connected(string rid)
    {
        using ChildProcess broker = Start(rid, port: 0);
        int port = await PublishedBroker.PortOfAsync(broker);
        using ChildProcess subscriber = await SubscribeAsync(port, "5", qos: 1);
        await StopsAsync(broker, clients: 1);
    }

    [Fact]
    public async Task Asked_again_while_it_stops_it_ends_at_once()
    {
        using ChildProcess broker = Start(PublishedBinary.HostRid, port: 0);
        int port = await PublishedBroker.PortOfAsync(broker);
        using var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync("127.0.0.1", port);
        await client.SendAsync(Packets.V311.Connect("c"));
        Assert.Equal(4, await client.ReceiveAsync(new byte[100]));
        broker.Terminate();
        // The client does not close, so this takes a while.
        await broker.LineAsync(line => line.Contains("stopping: disconnecting 1 client(s)", StringComparison.Ordinal));
        broker.Terminate();
        Assert.Equal(128 + 15, await broker.ExitAsync());
        Assert.Contains("SIGTERM again while stopping", broker.Said, StringComparison.Ordinal);
        Assert.DoesNotContain(" stopped", broker.Said, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(RoundTrips))]
    public async Task A_message_comes_through(string rid, string version, int qos)
    {
        using ChildProcess broker = Start(rid, port: 0);
        int port = await PublishedBroker.PortOfAsync(broker);
        using ChildProcess subscriber = await SubscribeAsync(port, version, qos);
        using var publisher = ChildProcess.Program("mosquitto_pub", [.. Connection(port, version), "-q", Show(qos), "-t", "smoke/test", "-m", "it works"]);
        Assert.True(await publisher.ExitAsync() == 0, publisher.Said);
        Assert.True(await subscriber.ExitAsync() == 0, subscriber.Said);
        Assert.Contains("smoke/test it works", subscriber.Said, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Rids))]
    public async Task A_port_that_is_taken_fails_with_1_and_is_named(string rid)
    {
        using ChildProcess first = Start(rid, port: 0);
        int port = await PublishedBroker.PortOfAsync(first);
        using ChildProcess second = Start(rid, port);
        Assert.Equal(1, await second.ExitAsync());
        Assert.Contains($"127.0.0.1:{port}", second.Said, StringComparison.Ordinal);
    }

    private ChildProcess Start(string rid, int port)
    {
        string file = $"{rid}-{port}.toml";
        File.WriteAllText(Path.Combine(_directory, file), $"""
            [node]
            data_dir = "data-{port}"
            [[listener]]
            protocol = "mqtt"
            address = "127.0.0.1:{port}"
            [log]
            format = "text"
            """);
        return PublishedBinary.Of(rid).Start(_directory, "-c", file);
    }

    private static async Task StopsAsync(ChildProcess broker, int clients)
    {
        broker.Terminate();
        Assert.Equal(0, await broker.ExitAsync());
        string said = broker.Said;
        Assert.Contains($"stopping: disconnecting {clients} client(s)\n", said, StringComparison.Ordinal);
        Assert.EndsWith(" stopped", said, StringComparison.Ordinal);
    }

    private static async Task<ChildProcess> SubscribeAsync(int port, string version, int qos)
    {
        // One message; -d says when the subscription stands, and stdbuf makes it say so at once although no terminal listens.
        var subscriber =
            ChildProcess.Program("stdbuf", ["-oL", "mosquitto_sub", .. Connection(port, version), "-q", Show(qos), "-t", "smoke/#", "-C", "1", "-v", "-d"]);
        try
        {
            await subscriber.LineAsync(line => line.StartsWith("Subscribed", StringComparison.Ordinal));
            return subscriber;
        }
        catch
        {
            subscriber.Dispose();
            throw;
        }
    }

    private static string[] Connection(int port, string version) => ["-h", "127.0.0.1", "-p", Show(port), "-V", version];

    private static string Show(int number) => number.ToString(CultureInfo.InvariantCulture);
}
