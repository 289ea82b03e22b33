using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using EdgeBroker.Http.Tests.Rig;
using EdgeBroker.Http.Tests.WebSockets;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Http.Tests;

/// <summary>
/// A client that publishes, goes, and is back at once with its client id, before the broker has looked at what it sent: nothing of that is lost or overtaken,
/// and the will it has discarded is not published. <c>EDGEBROKER_RECONNECTS</c> makes it come back more often.
/// </summary>
public sealed class QuickReconnectTests
{
    private const int Burst = 4;

    private static readonly int Scale =
        int.TryParse(Environment.GetEnvironmentVariable("EDGEBROKER_RECONNECTS"), CultureInfo.InvariantCulture, out int times) ? times : 0;

    public enum Ending
    {
        /// <summary>DISCONNECT, and the connection is closed.</summary>
        Goodbye,

        /// <summary>The same, and it is closed by a reset.</summary>
        GoodbyeAndReset,

        /// <summary>The connection is closed without a word.</summary>
        Silent,
    }

    [Theory]
    [InlineData(ListenerProtocol.Mqtt, 1, ProtocolVersion.V311, Ending.Goodbye, 600)]
    [InlineData(ListenerProtocol.Mqtt, 2, ProtocolVersion.V5, Ending.Goodbye, 600)]
    [InlineData(ListenerProtocol.Mqtt, 1, ProtocolVersion.V5, Ending.GoodbyeAndReset, 600)]
    [InlineData(ListenerProtocol.Mqtt, 2, ProtocolVersion.V311, Ending.GoodbyeAndReset, 600)]
    [InlineData(ListenerProtocol.Mqtt, 1, ProtocolVersion.V5, Ending.Silent, 600)]
    [InlineData(ListenerProtocol.Mqtt, 2, ProtocolVersion.V5, Ending.Silent, 600)]
    [InlineData(ListenerProtocol.Mqtts, 1, ProtocolVersion.V5, Ending.Goodbye, 150)]
    [InlineData(ListenerProtocol.Mqtts, 2, ProtocolVersion.V311, Ending.Goodbye, 150)]
    [InlineData(ListenerProtocol.Mqtts, 2, ProtocolVersion.V5, Ending.GoodbyeAndReset, 150)]
    [InlineData(ListenerProtocol.Mqtts, 2, ProtocolVersion.V5, Ending.Silent, 150)]
    [InlineData(ListenerProtocol.Ws, 1, ProtocolVersion.V5, Ending.Goodbye, 150)]
    [InlineData(ListenerProtocol.Ws, 2, ProtocolVersion.V311, Ending.Goodbye, 150)]
    [InlineData(ListenerProtocol.Wss, 2, ProtocolVersion.V5, Ending.Silent, 100)]
    public async Task Nothing_is_lost_or_overtaken(ListenerProtocol protocol, int loops, ProtocolVersion version, Ending ending, int times)
    {
        await using var host = new WebHost { Loops = loops };
        ListenerSettings settings = new() { Protocol = protocol, Address = "127.0.0.1:0", AllowAnonymous = true };
        if (protocol is ListenerProtocol.Mqtts or ListenerProtocol.Wss) settings = settings with { Tls = host.Tls };
        var plain = new ListenerSettings { Protocol = ListenerProtocol.Mqtt, Address = "127.0.0.1:0", AllowAnonymous = true };
        await host.StartAsync(limits: null, settings, plain);
        TestClient subscriber = await PlainAsync(host, "subscriber");
        await subscriber.SubscribeAsync("#", options: 0);
        times = Math.Max(times, Scale);
        Task received = ExpectAllAsync(subscriber, times * Burst);
        Packets packets = Packets.Of(version);
        TestWill? will = ending == Ending.Silent ? null : new TestWill("will", "gone");
        byte[] connect = packets.Connect("quick", will: will);
        for (int i = 0; i < times; i++)
        {
            byte[][] burst = [.. Enumerable.Range(i * Burst, Burst).Select(n => packets.Publish("count", n.ToString(CultureInfo.InvariantCulture)))];
            byte[] last = ending == Ending.Silent ? [] : packets.Disconnect();
            await VisitAsync(host, protocol, connect, [.. burst.SelectMany(b => b), .. last], ending == Ending.GoodbyeAndReset);
        }

        // Its last connection may not be looked at yet either.
        TestClient fence = await PlainAsync(host, "quick");
        await fence.SendAsync(fence.Packets.Publish("end", ""));
        await received;
        await subscriber.ExpectPublishAsync("end", "");
    }

    private static async Task<TestClient> PlainAsync(WebHost host, string clientId)
    {
        TestClient client = host.Mqtt(await host.TcpAsync(host.Port(1)), clientId);
        await client.SendAsync(client.Packets.Connect(clientId));
        await client.ExpectConnackAsync();
        return client;
    }

    private static async Task ExpectAllAsync(TestClient subscriber, int count)
    {
        for (int i = 0; i < count; i++) await subscriber.ExpectPublishAsync("count", i.ToString(CultureInfo.InvariantCulture));
    }

    private static async Task VisitAsync(WebHost host, ListenerProtocol protocol, byte[] connect, byte[] rest, bool isReset)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync("127.0.0.1", host.Port(0));
        await using var plain = new NetworkStream(socket, ownsSocket: false);
        await using Stream stream = protocol is ListenerProtocol.Mqtts or ListenerProtocol.Wss ? new SslStream(plain) : plain;
        if (stream is SslStream tls)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.Add(host.Authority.Certificate);
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", CertificateChainPolicy = policy });
        }

        bool isWeb = protocol is ListenerProtocol.Ws or ListenerProtocol.Wss;
        if (isWeb) await new RawWebSocket(stream).UpgradeAsync();
        await stream.WriteAsync(isWeb ? RawWebSocket.Frame(RawWebSocket.Binary, connect) : connect);
        Assert.NotEqual(0, await Deadline.Within(stream.ReadAsync(new byte[256]).AsTask(), "CONNACK"));
        await stream.WriteAsync(isWeb ? RawWebSocket.Frame(RawWebSocket.Binary, rest) : rest);
        if (isReset) socket.LingerState = new LingerOption(true, 0);
        socket.Close();
    }
}
