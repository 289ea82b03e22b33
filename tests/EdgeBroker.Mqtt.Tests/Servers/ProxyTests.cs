using System.Net;
using System.Net.Sockets;
using System.Text;
using EdgeBroker.Core.Security;
using EdgeBroker.Mqtt.Tests.Rig;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Proxies;

namespace EdgeBroker.Mqtt.Tests.Servers;

/// <summary>Plain listeners behind a proxy: headers written by hand, over real sockets.</summary>
public sealed class ProxyTests
{
    private static readonly byte[] Line = "PROXY TCP4 192.0.2.7 198.51.100.1 56324 1883\r\n"u8.ToArray();
    private static readonly byte[] Binary = Convert.FromHexString(
        "0D0A0D0A000D0A515549540A" + "2121" + "0024" + "20010DB8000000000000000000000007" + "20010DB8000000000000000000000001" + "DC04075B");
    private static readonly byte[] Local = Convert.FromHexString("0D0A0D0A000D0A515549540A" + "2000" + "0000");

    private static readonly ListenerSettings Proxied = new()
    {
        Protocol = ListenerProtocol.Mqtt,
        Address = "127.0.0.1:0",
        AllowAnonymous = true,
        Proxies = TrustedProxies.Loopback,
    };

    [Fact]
    public async Task The_client_is_where_the_header_says()
    {
        using var door = new Door(Proxied);
        Assert.Equal("192.0.2.7:56324", (await door.EnterAsync(Line, "line")).RemoteEndPoint);
        Assert.Equal("[2001:db8::7]:56324", (await door.EnterAsync(Binary, "binary")).RemoteEndPoint);
    }

    [Fact]
    public async Task Without_an_address_it_is_where_the_proxy_is()
    {
        using var door = new Door(Proxied);
        Assert.StartsWith("127.0.0.1:", (await door.EnterAsync(Local, "local")).RemoteEndPoint, StringComparison.Ordinal);
        Assert.StartsWith("127.0.0.1:", (await door.EnterAsync("PROXY UNKNOWN\r\n"u8.ToArray(), "unknown")).RemoteEndPoint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_header_may_come_in_any_pieces()
    {
        using var door = new Door(Proxied);
        foreach (byte[] header in new[] { Line, Binary })
        {
            for (int cut = 1; cut < header.Length; cut += 7)
            {
                await using TestClient client = TestClient.Over(await door.OpenAsync(), ProtocolVersion.V5, "pieces");
                byte[] all = [.. header, .. client.Packets.Connect("pieces")];
                await client.SendAsync(all[..cut]);
                await client.SendAsync(all[cut..]);
                await client.ExpectConnackAsync();
            }

            await using TestClient slow = TestClient.Over(await door.OpenAsync(), ProtocolVersion.V5, "slow");
            foreach (byte one in (byte[])[.. header, .. slow.Packets.Connect("slow")]) await slow.SendAsync([one]);
            await slow.ExpectConnackAsync();
        }

        Assert.All(door.Asked, asked => Assert.EndsWith(":56324", asked.RemoteEndPoint, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", "no PROXY header comes first, but MQTT; have the proxy send one")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 56324\r\n", "the PROXY header is malformed")]
    public async Task Anything_else_is_refused_and_told(string instead, string cause)
    {
        using var door = new Door(Proxied);
        await using NetworkStream stream = await door.OpenAsync();
        await stream.WriteAsync((byte[])[.. Encoding.ASCII.GetBytes(instead), .. Packets.V5.Connect("c")]);
        await door.ExpectRefusedAsync(stream, cause);
        Assert.Empty(door.Asked);
        await door.EnterAsync(Line, "after");
    }

    [Fact]
    public async Task A_second_header_is_no_packet()
    {
        using var door = new Door(Proxied);
        await using NetworkStream stream = await door.OpenAsync();
        await stream.WriteAsync((byte[])[.. Line, .. Line]);
        await door.ExpectRefusedAsync(stream, "the first packet is not CONNECT");
    }

    [Fact]
    public async Task A_header_where_none_is_expected_is_no_packet()
    {
        using var door = new Door(Proxied with { Proxies = null });
        await using NetworkStream stream = await door.OpenAsync();
        await stream.WriteAsync((byte[])[.. Binary, .. Packets.V5.Connect("c")]);
        await door.ExpectRefusedAsync(stream, "the first packet is not CONNECT");
    }

    [Fact]
    public async Task A_header_that_does_not_come_is_not_waited_for()
    {
        using var door = new Door(Proxied, TestBrokerOptions.Quiet with { ConnectTimeout = TimeSpan.FromMilliseconds(300) });
        foreach (int sent in new[] { 0, 5 })
        {
            await using NetworkStream stream = await door.OpenAsync();
            await stream.WriteAsync(Line.AsMemory(0, sent));
            await door.ExpectRefusedAsync(stream, "no complete PROXY header within limits.connect_timeout");
        }
    }

    [Fact]
    public async Task Who_is_no_proxy_of_the_listener_is_turned_away()
    {
        using var door = new Door(Proxied with { Proxies = new TrustedProxies([IPNetwork.Parse("10.0.0.0/8")]) });
        await using NetworkStream stream = await door.OpenAsync();
        await door.ExpectRefusedAsync(stream, "add its address to proxy_from");
        Assert.Empty(door.Asked);
    }

    [Fact]
    public async Task Half_a_header_is_told_and_a_look_at_the_port_is_not()
    {
        using var door = new Door(Proxied);
        (await door.OpenAsync()).Dispose();
        NetworkStream half = await door.OpenAsync();
        await half.WriteAsync(Line.AsMemory(0, 9));
        half.Socket.Shutdown(SocketShutdown.Send);
        await door.ExpectRefusedAsync(half, "the connection ended within its PROXY header");
        Assert.Equal(1, door.Events.Count(BrokerEventKind.Refused));
    }

    [Fact]
    public async Task A_connection_that_waits_for_its_header_does_not_hold_up_the_end()
    {
        using var door = new Door(Proxied);
        await using NetworkStream waiting = await door.OpenAsync();
        await waiting.WriteAsync(Line.AsMemory(0, 9));
        await door.EnterAsync(Line, "another");
        Task stopped = door.StopAsync();
        await Door.EndAsync(waiting);
        waiting.Dispose();
        await Deadline.Within(stopped, "the server to stop");
    }

    [Fact]
    public async Task Random_and_mutated_headers_harm_nobody()
    {
        using var door = new Door(Proxied);
        var random = new Random(41);
        for (int round = 0; round < 300; round++)
        {
            byte[] sent = [.. random.Next(2) == 0 ? Line : Binary, .. Packets.V5.Connect("m")];
            for (int changes = random.Next(1, 5); changes > 0; changes--) sent[random.Next(Line.Length)] = (byte)random.Next(256);
            await using NetworkStream stream = await door.OpenAsync();
            await stream.WriteAsync(sent.AsMemory(0, random.Next(1, sent.Length + 1)));
            if (random.Next(2) == 0) stream.Socket.LingerState = new LingerOption(true, 0);
        }

        foreach (AuthenticationRequest asked in door.Asked) Assert.True(IPEndPoint.TryParse(asked.RemoteEndPoint, out _), asked.RemoteEndPoint);
        Assert.Equal("192.0.2.7:56324", (await door.EnterAsync(Line, "after")).RemoteEndPoint);
    }
}
