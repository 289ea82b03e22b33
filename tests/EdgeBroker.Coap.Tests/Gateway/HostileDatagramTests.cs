using System.Globalization;
using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Tests.Rig;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Coap.Tests.Gateway;

/// <summary>
/// Datagrams that were good once and are changed at random - headers, options, blocks, observations - from many addresses, while a peer beside them is served
/// as ever. So many as EDGEBROKER_COAP_DATAGRAMS says; some ten thousand where it says nothing.
/// </summary>
public sealed class HostileDatagramTests
{
    private const int Strangers = 64;

    private static int Datagrams =>
        int.TryParse(Environment.GetEnvironmentVariable("EDGEBROKER_COAP_DATAGRAMS"), NumberStyles.None, CultureInfo.InvariantCulture, out int asked)
            ? asked : 20_000;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Changed_datagrams_harm_nobody_but_who_sends_them(int seed)
    {
        var random = new Random(seed);
        var limits = new CoapLimits { MaxPeers = Strangers / 2, RequestsPerSecond = 1_000, MaxBodyBytes = 8_192 };
        using var rig = new GatewayRig(limits: limits);
        TestPeer[] strangers = [.. Enumerable.Range(0, Strangers).Select(i => rig.Peer(5_000 + i, "192.0.2." + (1 + (i % 200))))];
        TestPeer canary = rig.Peer(40_000);
        // It observes something: whoever has nothing open may be forgotten for another one, and there may be no room for it then.
        canary.Get("ps/pin", new RequestOptions { Token = [9] }.With(OptionNumber.Observe, 0));
        byte[][] seeds = [.. Seeds()];
        for (int i = 0; i < Datagrams; i++)
        {
            TestPeer stranger = strangers[random.Next(Strangers)];
            stranger.Send(Change(random, seeds[random.Next(seeds.Length)], seeds));
            while (stranger.HasMail) stranger.Expect();
            if (i % 50 == 0) rig.Time.Advance(TimeSpan.FromMilliseconds(random.Next(100)));
            if (i % 100 != 0) continue;
            string value = i.ToString(CultureInfo.InvariantCulture);
            Assert.True(canary.Ask(CoapCode.Put, "ps/canary", new RequestOptions().Carrying(value)).Code.IsSuccess);
            Assert.Equal(value, canary.Get("ps/canary").Text);
        }

        Assert.DoesNotContain(rig.Events.All, one => one.Kind == BrokerEventKind.Fault);
        Assert.InRange(rig.Server.Resources.Layer.PeerCount, 1, limits.MaxPeers);
        Assert.InRange(rig.Server.Resources.MemoryBytes, 0, 16L * 1024 * 1024);
        Assert.InRange(rig.Server.Resources.ObservationCount, 0, limits.MaxPeers * limits.MaxObservationsPerPeer);
    }

    private static IEnumerable<byte[]> Seeds()
    {
        yield return Write(CoapCode.Put, 1, [(11, "ps"u8.ToArray()), (11, "a"u8.ToArray())], "21.5");
        yield return Write(CoapCode.Get, 2, [(6, []), (11, "ps"u8.ToArray()), (11, "a"u8.ToArray())], "");
        yield return Write(CoapCode.Get, 3, [(6, []), (11, "ps"u8.ToArray()), (11, "#"u8.ToArray()), (17, [60])], "");
        yield return Write(CoapCode.Get, 4, [(11, ".well-known"u8.ToArray()), (11, "core"u8.ToArray()), (15, "rt=core*"u8.ToArray()), (23, [0x12])], "");
        foreach (byte block in new byte[] { 0x08, 0x18, 0x20 })
        {
            yield return Write(
                CoapCode.Put, (ushort)(5 + block), [(11, "ps"u8.ToArray()), (11, "large"u8.ToArray()), (27, [block]), (60, [48])], new string('x', 16));
        }

        yield return Write(
            CoapCode.Put, 9,
            [(1, [1, 2, 3]), (11, "ps"u8.ToArray()), (11, "a"u8.ToArray()), (12, [50]), (15, "q=2"u8.ToArray()), (15, "e=5"u8.ToArray())], "{}");
        yield return Write(CoapCode.Post, 10, [(11, "ps"u8.ToArray()), (11, "e"u8.ToArray()), (15, "c=press7"u8.ToArray()), (252, [1, 2, 3, 4])], "now");
        yield return Write(CoapCode.Delete, 11, [(11, "ps"u8.ToArray()), (11, "a"u8.ToArray()), (258, [2])], "");
        yield return [0x60, 0, 0, 1];
        yield return [0x70, 0, 0, 2];
        yield return [0x40, 0, 0, 3];
    }

    private static byte[] Write(CoapCode code, ushort id, (int Number, byte[] Value)[] options, string payload)
    {
        byte[] bytes = new byte[512];
        var writer = new CoapWriter(bytes, CoapType.Confirmable, code, id, [1, 2, 3]);
        foreach ((int number, byte[] value) in options) writer.Add(number, value);
        writer.AddPayload(System.Text.Encoding.UTF8.GetBytes(payload));
        return bytes[..writer.Length];
    }

    private static byte[] Change(Random random, byte[] seed, byte[][] others)
    {
        List<byte> bytes = [.. seed];
        // Another message each time, or most would be copies.
        bytes[2] = (byte)random.Next(256);
        bytes[3] = (byte)random.Next(256);
        for (int changes = random.Next(5); changes > 0 && bytes.Count > 0; changes--)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 8), bytes.Count - at));
                    break;
                case 3:
                    bytes.InsertRange(at, Enumerable.Range(0, random.Next(1, 8)).Select(_ => (byte)random.Next(256)));
                    break;
                case 4:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                default:
                    byte[] other = others[random.Next(others.Length)];
                    bytes.AddRange(other[random.Next(other.Length)..]);
                    break;
            }
        }

        return [.. bytes];
    }
}
