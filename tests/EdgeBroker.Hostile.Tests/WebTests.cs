using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;
using EdgeBroker.Testing;

namespace EdgeBroker.Hostile.Tests;

/// <summary>What clients of a web listener can do to its others by not reading, or by not sending on.</summary>
public sealed class WebTests
{
    private const int Places = 20;
    private const string Limits = "connect_timeout = \"3s\"\nsend_timeout = \"3s\"";
    private const string Upgrade = "GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";

    [Theory]
    [InlineData("http")]
    [InlineData("https")]
    public async Task Clients_that_ask_and_take_no_answer_give_their_places_up(string protocol)
    {
        await using Siege siege = await BesiegeAsync(protocol);
        byte[] requests = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n", 200)));
        WebAttacker[] attackers = await AttackAsync(siege, protocol, Places, attacker => attacker.FloodAsync(requests));
        await siege.SaidAsync("disconnected by limits.send_timeout (3 s)");
        await ExpectServedAsync(siege, protocol, attackers);
    }

    [Theory]
    [InlineData("ws")]
    [InlineData("wss")]
    public async Task Clients_over_websocket_that_ask_and_take_no_answer_have_their_keep_alive(string protocol)
    {
        await using Siege siege = await BesiegeAsync(protocol);
        byte[] pings = Frame([.. Enumerable.Range(0, 8_192).SelectMany(_ => Packets.Pingreq())]);
        WebAttacker[] attackers = await AttackAsync(siege, protocol, Places, async attacker =>
        {
            await attacker.SendAsync(Upgrade);
            Assert.StartsWith("HTTP/1.1 101", await attacker.ReceiveAsync(), StringComparison.Ordinal);
            await attacker.SendAsync(Frame(Packets.V5.Connect("", keepAliveSeconds: 2)));
            await attacker.ReceiveAsync();
            await attacker.FloodAsync(pings);
        });
        await ExpectServedAsync(siege, protocol, attackers);
    }

    [Theory]
    [InlineData("http")]
    [InlineData("https")]
    public async Task Bodies_that_never_come_whole_give_their_places_up(string protocol)
    {
        await using Siege siege = await BesiegeAsync(protocol);
        // As many as the rate of strangers lets through at once.
        WebAttacker[] attackers = await AttackAsync(
            siege, protocol, 8, attacker => attacker.SendAsync("POST /topics/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nbegin"));
        foreach (WebAttacker attacker in attackers)
        {
            while (await attacker.ReceiveAsync() is { Length: > 0 } answer) Assert.DoesNotContain("HTTP/1.1 2", answer, StringComparison.Ordinal);
        }

        await ExpectServedAsync(siege, protocol, attackers);
    }

    private static Task<Siege> BesiegeAsync(string protocol, [CallerMemberName] string scenario = "")
    {
        bool isSecure = protocol is "https" or "wss";
        return Siege.BeginAsync(
            Limits,
            Siege.Listener(protocol, $"max_connections = {Places}"),
            prepare: isSecure ? Siege.MakeCertificates : null,
            scenario: $"{scenario} ({protocol})");
    }

    private static async Task<WebAttacker[]> AttackAsync(Siege siege, string protocol, int count, Func<WebAttacker, Task> attack)
    {
        (int port, string? authority) = await siege.PlaceAsync(protocol);
        WebAttacker[] attackers = [.. Enumerable.Range(0, count).Select(_ => siege.Add(new WebAttacker()))];
        await Task.WhenAll(attackers.Select(async attacker =>
        {
            await attacker.OpenAsync(port, authority);
            await attack(attacker);
        }));
        return attackers;
    }

    // All of them are cut, and the next one is served while they are still there.
    private static async Task ExpectServedAsync(Siege siege, string protocol, WebAttacker[] attackers)
    {
        await Deadline.Until(() => attackers.All(attacker => attacker.IsCut()), "the attackers to be cut off");
        (int port, string? authority) = await siege.PlaceAsync(protocol);
        bool isWebSocket = protocol.StartsWith("ws", StringComparison.Ordinal);
        using var newcomer = new WebAttacker();
        await newcomer.OpenAsync(port, authority);
        await newcomer.SendAsync(isWebSocket ? Upgrade : "GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n");
        Assert.StartsWith(isWebSocket ? "HTTP/1.1 101" : "HTTP/1.1 200", await newcomer.ReceiveAsync(), StringComparison.Ordinal);
        await siege.EndAsync();
    }

    // A binary message, masked with zeroes.
    private static byte[] Frame(byte[] payload)
    {
        byte[] frame = new byte[8 + payload.Length];
        (frame[0], frame[1]) = (0x82, 0xFE);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), (ushort)payload.Length);
        payload.CopyTo(frame, 8);
        return frame;
    }
}
