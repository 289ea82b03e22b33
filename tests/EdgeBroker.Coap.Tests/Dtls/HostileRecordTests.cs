using System.Globalization;
using System.Net;
using System.Net.Sockets;
using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Dtls;
using EdgeBroker.Coap.Listeners;
using EdgeBroker.Coap.Tests.Rig;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Security;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeBroker.Coap.Tests.Dtls;

/// <summary>
/// Handshakes over a link that loses one datagram (plugtest DTLS 03), and DTLS datagrams that were good once and are changed at random - lengths, epochs,
/// numbers, parts of handshakes, copies, before a handshake, in one and behind it - while a client beside them is served as ever. So many as
/// EDGEBROKER_DTLS_DATAGRAMS says; some thousand where it says nothing.
/// </summary>
public sealed class HostileRecordTests : IAsyncDisposable
{
    private const string Put = "43 03 00 01 010203 b2 7073 01 61 ff 31";
    private static readonly byte[] Key = [.. Enumerable.Range(0, 16).Select(i => (byte)i)];

    private readonly RecordedEvents _events = new();
    private readonly Broker _broker;
    private readonly CoapListenerFamily _family;
    private readonly string _directory = Directory.CreateTempSubdirectory("edgebroker-").FullName;

    public HostileRecordTests()
    {
        _broker = new Broker(
            TestBrokerOptions.Quiet, new BrokerClock(TimeProvider.System), VolatileJournal.Instance, new BrokerEvents(_events), "test");
        _family = new CoapListenerFamily(_broker, new AnonymousAuthenticator(), TimeProvider.System, NullLoggerFactory.Instance);
    }

    private static int Datagrams =>
        int.TryParse(Environment.GetEnvironmentVariable("EDGEBROKER_DTLS_DATAGRAMS"), NumberStyles.None, CultureInfo.InvariantCulture, out int asked)
            ? asked : 4_000;

    public async ValueTask DisposeAsync()
    {
        await _family.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [InlineData(true, 0)]
    [InlineData(true, 1)]
    [InlineData(true, 2)]
    [InlineData(true, 3)]
    [InlineData(true, 4)]
    [InlineData(false, 0)]
    [InlineData(false, 1)]
    [InlineData(false, 2)]
    [InlineData(false, 3)]
    [InlineData(false, 4)]
    public async Task A_handshake_that_loses_a_datagram_comes_to_its_end(bool toServer, int number)
    {
        CoapListener listener = await OpenAsync();
        var loss = new DtlsLoss(toServer, number);
        using DtlsClient client = await DtlsClient.ConnectAsync(listener.EndPoint, "sensor", Key, loss: loss);
        Assert.True(loss.HasLost, "the handshake has fewer datagrams");
        Assert.Equal(CoapCode.Created, (await client.AskUntilAnsweredAsync(Put)).Code);
        Assert.Equal(1, listener.Dtls!.AssociationCount);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public async Task Changed_records_harm_nobody_but_who_sends_them(int seed, bool withConnectionId)
    {
        var random = new Random(seed);
        CoapListener listener = await OpenAsync();
        using DtlsClient canary = await DtlsClient.ConnectAsync(listener.EndPoint, "canary", Key, withConnectionId);
        var seen = new DtlsLoss(toServer: true, number: -1);
        using DtlsClient stranger = await DtlsClient.ConnectAsync(listener.EndPoint, "sensor", Key, withConnectionId, loss: seen);
        for (int i = 0; i < 4; i++) await stranger.AskUntilAnsweredAsync(Put);
        byte[][] seeds = [.. seen.Sent];
        UdpClient[] others = [.. Enumerable.Range(0, 8).Select(_ => Plain(listener))];
        long mostThreads = 0;
        for (int i = 0; i < Datagrams; i++)
        {
            byte[] changed = Change(random, seeds);
            // From where the association is, and from elsewhere.
            if (random.Next(2) == 0) stranger.SendRaw(changed);
            else await others[random.Next(others.Length)].SendAsync(changed);
            mostThreads = Math.Max(mostThreads, listener.Dtls!.ThreadCount);
            if (i % 200 != 0) continue;
            string value = (i % 10).ToString(CultureInfo.InvariantCulture);
            string id = string.Create(CultureInfo.InvariantCulture, $"{(i / 200) + 1:x4}");
            // The flood may have filled the socket, as it may a network.
            Answer put = await canary.AskUntilAnsweredAsync($"43 03 1{id[1..]} 010203 b2 7073 01 63 ff {(int)value[0]:x2}");
            Assert.True(put.Code.IsSuccess, put.Code.ToString());
        }

        Assert.DoesNotContain(_events.All, one => one.Kind == BrokerEventKind.Fault);
        Assert.InRange(mostThreads, 0, HandshakePool.MaxThreads);
        Assert.InRange(listener.Dtls!.AssociationCount, 1, 3);
        Assert.True(Volatile.Read(ref listener.Dtls.Counters.Dropped) > 0, "nothing was dropped");
        Array.ForEach(others, one => one.Dispose());
        // What was left half-way ends by itself, and does not keep newcomers out.
        DtlsClient? later = null;
        for (int i = 0; later is null; i++)
        {
            Assert.True(i < 20, "no client comes in behind them");
            later = await TryConnectAsync(listener);
        }

        Assert.True((await later.AskUntilAnsweredAsync(Put)).Code.IsSuccess);
        later.Dispose();
    }

    private static async Task<DtlsClient?> TryConnectAsync(CoapListener listener)
    {
        try
        {
            return await DtlsClient.ConnectAsync(listener.EndPoint, "later", Key, timeoutMs: 5_000);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static UdpClient Plain(CoapListener listener)
    {
        IPEndPoint server = IPEndPoint.Parse(listener.EndPoint);
        var client = new UdpClient(server.AddressFamily);
        client.Connect(server);
        return client;
    }

    private static byte[] Change(Random random, byte[][] seeds)
    {
        List<byte> bytes = [.. seeds[random.Next(seeds.Length)]];
        for (int changes = random.Next(4); changes > 0 && bytes.Count > 0; changes--)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(9))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 2: bytes.RemoveRange(at, Math.Min(random.Next(1, 16), bytes.Count - at)); break;
                case 3: bytes.InsertRange(at, Enumerable.Range(0, random.Next(1, 16)).Select(_ => (byte)random.Next(256))); break;
                case 4: bytes.RemoveRange(at, bytes.Count - at); break;
                // Two in one datagram; the type; epoch and number; the record's length; a handshake message's lengths and place.
                case 5: bytes.AddRange(seeds[random.Next(seeds.Length)]); break;
                case 6: bytes[0] = (byte)random.Next(19, 28); break;
                case 7: Set(bytes, random.Next(3, 13), random); break;
                default: Set(bytes, random.Next(13, 25), random); break;
            }
        }

        return [.. bytes];
    }

    private static void Set(List<byte> bytes, int at, Random random)
    {
        if (at < bytes.Count) bytes[at] = random.Next(2) == 0 ? (byte)random.Next(4) : (byte)random.Next(256);
    }

    private async Task<CoapListener> OpenAsync()
    {
        string file = Path.Combine(_directory, "sensors.psk");
        string key = Convert.ToHexString(Key);
        await File.WriteAllTextAsync(file, $"sensor:{key}\ncanary:{key}\nlater:{key}\n");
        var listener = (CoapListener)await _family.OpenAsync(new ListenerSettings
        {
            Protocol = ListenerProtocol.Coaps,
            Address = "127.0.0.1:0",
            PskFile = file,
            AllowAnonymous = false,
        });
        await listener.BeginAsync();
        return listener;
    }
}
