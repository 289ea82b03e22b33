using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Listeners;
using EdgeBroker.Coap.Tests.Rig;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Security;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;
using Org.BouncyCastle.Tls;

namespace EdgeBroker.Coap.Tests.Dtls;

/// <summary>A listener that has as many associations as it may.</summary>
public sealed class FullTableTests : IAsyncDisposable
{
    private const int Strangers = 1_000;
    private const string Put = "43 03 00 01 010203 b2 7073 01 61 ff 31";
    private const string Get = "43 01 00 02 010204 b2 7073 01 61";
    private const string Observe = "43 01 00 01 010203 60 52 7073 01 61";
    private static readonly byte[] Key = [.. Enumerable.Range(0, 16).Select(i => (byte)i)];

    private readonly Broker _broker = new(
        TestBrokerOptions.Quiet, new BrokerClock(TimeProvider.System), VolatileJournal.Instance, new BrokerEvents(), "test");

    private readonly LogLines _log = new();
    private readonly List<DtlsClient> _clients = [];
    private readonly CoapListenerFamily _family;
    private readonly string _directory = Directory.CreateTempSubdirectory("edgebroker-").FullName;

    public FullTableTests() => _family = new CoapListenerFamily(_broker, new AnonymousAuthenticator(), TimeProvider.System, _log);

    public async ValueTask DisposeAsync()
    {
        _clients.ForEach(client => client.Dispose());
        await _family.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Strangers_who_have_cookies_and_no_key_end_no_association()
    {
        CoapListener listener = await OpenAsync(new CoapLimits { MaxPeers = 3 });
        for (int i = 0; i < 3; i++) await (await ConnectAsync(listener)).AskAsync(Put);
        int begun = 0;
        for (int i = 0; i < Strangers; i++) begun += await Stranger.BeginHandshakeAsync(listener.EndPoint, i) ? 1 : 0;
        Assert.True(begun > Strangers / 2, $"only {begun} handshakes were begun");
        await WithWrongKeyAsync(listener);
        await Deadline.Until(() => Read(ref listener.Dtls!.Counters.Failed) + Read(ref listener.Dtls.Counters.Refused) > begun, "the end of all handshakes");
        Assert.Equal((3, 3L), (listener.Dtls!.AssociationCount, Read(ref listener.Dtls.Counters.Succeeded)));
        foreach (DtlsClient client in _clients) Assert.Equal(CoapCode.Content, (await client.AskAsync(Get)).Code);
    }

    [Fact]
    public async Task Who_has_a_key_is_refused_where_nobody_may_go_and_is_told_so()
    {
        CoapListener listener = await OpenAsync(new CoapLimits { MaxPeers = 2 });
        // One device observes a resource once, and under one token one resource.
        foreach (string request in new[] { Observe, "43 01 00 01 010204 60 52 7073 01 62" })
        {
            Assert.Equal(CoapCode.Content, (await (await ConnectAsync(listener)).AskAsync(request)).Code);
        }

        await (await ConnectAsync(listener)).ClosedAsync();
        await _log.WithAsync("Warning 8001 coaps on 127.0.0.1:0: 127.0.0.1:");
        await _log.WithAsync("is refused: there are as many peers as there may be (listener.coap.max_peers)");
        await Deadline.Until(() => listener.Dtls!.AssociationCount == 2, "the end of the association that found no room");
        Assert.Equal(1, Read(ref listener.Server.Resources.Layer.Counters.PeersRefused));
        Assert.Equal(2, listener.Server.Resources.ObservationCount);
    }

    [Fact]
    public async Task An_address_has_no_more_associations_than_it_may()
    {
        CoapListener listener = await OpenAsync(new CoapLimits { MaxPeersPerNetwork = 1 });
        Assert.Equal(CoapCode.Content, (await (await ConnectAsync(listener)).AskAsync(Observe)).Code);
        await (await ConnectAsync(listener)).ClosedAsync();
        await _log.WithAsync("there are as many peers as there may be of its address (listener.coap.max_peers_per_ip)");
        await Deadline.Until(() => listener.Dtls!.AssociationCount == 1, "the end of the association that found no room");
        // One that has nothing open makes room.
        await _clients[0].AskAsync("43 01 00 03 010203 61 01 52 7073 01 61");
        Assert.Equal(CoapCode.Created, (await (await ConnectAsync(listener)).AskAsync(Put)).Code);
        await Deadline.Until(() => listener.Dtls!.AssociationCount == 1, "the end of the association that made room");
    }

    private static long Read(ref long counter) => Volatile.Read(ref counter);

    private static async Task WithWrongKeyAsync(CoapListener listener)
    {
        // Its place among the handshakes may be taken; it goes again until it has shown its key.
        for (int i = 0; i < 30; i++)
        {
            IOException failure = await Assert.ThrowsAnyAsync<IOException>(
                () => DtlsClient.ConnectAsync(listener.EndPoint, "sensor", [.. Key.Reverse()], timeoutMs: 3_000));
            if (failure is TlsFatalAlertReceived) return;
        }

        Assert.Fail("no handshake with a wrong key came to its end");
    }

    private async Task<DtlsClient> ConnectAsync(CoapListener listener)
    {
        DtlsClient client = await DtlsClient.ConnectAsync(listener.EndPoint, "sensor", Key);
        _clients.Add(client);
        return client;
    }

    private async Task<CoapListener> OpenAsync(CoapLimits limits)
    {
        string file = Path.Combine(_directory, "sensors.psk");
        await File.WriteAllTextAsync(file, "sensor:" + Convert.ToHexString(Key) + "\n");
        var listener = (CoapListener)await _family.OpenAsync(new ListenerSettings
        {
            Protocol = ListenerProtocol.Coaps,
            Address = "127.0.0.1:0",
            PskFile = file,
            AllowAnonymous = false,
            Coap = limits,
        });
        await listener.BeginAsync();
        return listener;
    }
}
