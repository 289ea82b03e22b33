using System.Net;
using System.Net.Sockets;
using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Dtls;
using EdgeBroker.Coap.Listeners;
using EdgeBroker.Coap.Tests.Rig;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Core.Management;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Tls;
using Microsoft.Extensions.Logging.Abstractions;
using Org.BouncyCastle.Tls;

namespace EdgeBroker.Coap.Tests.Dtls;

/// <summary>CoAP over DTLS, over real sockets.</summary>
public sealed class DtlsTests : IAsyncDisposable
{
    private const string Put = "43 03 00 01 010203 b2 7073 01 61 ff 31";
    private const string Get = "43 01 00 02 010204 b2 7073 01 61";
    private static readonly byte[] Key = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
    private static readonly byte[] OtherKey = [.. Key.Reverse()];

    private readonly RecordedEvents _events = new();
    private readonly Broker _broker;
    private readonly Replaceable<AclRuleSet> _rules = new(AclRuleSet.Unrestricted);
    private readonly CoapListenerFamily _family;
    private readonly string _directory = Directory.CreateTempSubdirectory("edgebroker-").FullName;

    public DtlsTests()
    {
        _broker = new Broker(
            TestBrokerOptions.Quiet, new BrokerClock(TimeProvider.System), VolatileJournal.Instance, new BrokerEvents(_events), "test");
        _family = new CoapListenerFamily(_broker, new AnonymousAuthenticator(_rules), TimeProvider.System, NullLoggerFactory.Instance);
    }

    private string PskFile => Path.Combine(_directory, "sensors.psk");

    public async ValueTask DisposeAsync()
    {
        await _family.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [InlineData(CipherSuite.TLS_PSK_WITH_AES_128_CCM_8, false)]
    [InlineData(CipherSuite.TLS_PSK_WITH_AES_128_CCM_8, true)]
    [InlineData(CipherSuite.TLS_PSK_WITH_AES_128_CCM, false)]
    [InlineData(CipherSuite.TLS_PSK_WITH_AES_128_GCM_SHA256, true)]
    [InlineData(CipherSuite.TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256, false)]
    public async Task Who_has_the_key_comes_in(int suite, bool withConnectionId)
    {
        CoapListener listener = await OpenAsync();
        using DtlsClient client = await DtlsClient.ConnectAsync(listener.EndPoint, "sensor", Key, withConnectionId, suite);
        Assert.Equal(CoapCode.Created, (await client.AskAsync(Put)).Code);
        Answer read = await client.AskAsync(Get);
        Assert.Equal((CoapCode.Content, "1"), (read.Code, read.Text));
        Assert.Equal(1, listener.Dtls!.AssociationCount);
    }

    [Fact]
    public async Task Whose_key_it_is_says_who_may_what()
    {
        CoapListener listener = await OpenAsync("sensor:" + Convert.ToHexString(Key) + ":anna:press7\nother:" + Convert.ToHexString(OtherKey) + "\n");
        _rules.Current = Rules(new AclRule
        {
            Source = "test",
            Allows = true,
            Actions = AccessActions.Publish | AccessActions.Retain,
            Topics = [new AclPattern("a")],
            User = "anna",
            Client = "press7",
        });
        using DtlsClient anna = await DtlsClient.ConnectAsync(listener.EndPoint, "sensor", Key);
        Assert.Equal(CoapCode.Created, (await anna.AskAsync(Put)).Code);
        using DtlsClient other = await DtlsClient.ConnectAsync(listener.EndPoint, "other", OtherKey);
        Assert.Equal(CoapCode.Forbidden, (await other.AskAsync(Put)).Code);
        // What it says of itself does not matter: ?u=anna&c=press7.
        Assert.Equal(CoapCode.Forbidden, (await other.AskAsync("43 03 00 07 010203 b2 7073 01 61 46 753d616e6e61 08 633d707265737337 ff 31")).Code);
    }

    [Theory]
    [InlineData("sensor")]
    [InlineData("nobody")]
    public async Task Another_key_and_an_identity_that_nobody_has_are_refused_alike(string identity)
    {
        CoapListener listener = await OpenAsync();
        var refused = await Assert.ThrowsAsync<TlsFatalAlertReceived>(() => DtlsClient.ConnectAsync(listener.EndPoint, identity, OtherKey));
        Assert.Equal(AlertDescription.decrypt_error, refused.AlertDescription);
        await Deadline.Until(() => Volatile.Read(ref listener.Dtls!.Counters.Failed) == 1, "the failure to be counted");
        Assert.Equal(0, listener.Dtls!.AssociationCount);
    }

    [Fact]
    public async Task An_observer_that_moves_is_told_where_it_is_now()
    {
        CoapListener listener = await OpenAsync();
        using DtlsClient client = await DtlsClient.ConnectAsync(listener.EndPoint, "sensor", Key, withConnectionId: true);
        await client.AskAsync("43 01 00 01 010203 60 52 7073 01 61");
        client.MoveToAnotherPort();
        Assert.Equal(CoapCode.NotFound, (await client.AskAsync("43 01 00 02 010204 b2 7073 01 62")).Code);
        Publish("a", "moved");
        Answer told = await client.ReceiveAsync();
        Assert.Equal((CoapType.Confirmable, "moved"), (told.Type, told.Text));
        Assert.Equal(1, Volatile.Read(ref listener.Dtls!.Counters.Moved));
        Assert.Equal(1, listener.Server.Resources.ObservationCount);
    }

    [Fact]
    public async Task A_record_seen_before_moves_nobody()
    {
        CoapListener listener = await OpenAsync();
        using DtlsClient client = await DtlsClient.ConnectAsync(listener.EndPoint, "sensor", Key, withConnectionId: true);
        await client.AskAsync(Put);
        byte[] copy = client.LastSent;
        await client.AskAsync(Get);
        using UdpClient thief = ConnectPlain(listener);
        await thief.SendAsync(copy);
        await Deadline.Until(() => Volatile.Read(ref listener.Dtls!.Counters.Dropped) == 1, "the copy to be dropped");
        Publish("a", "2", retain: true);
        Assert.Equal("2", (await client.AskAsync("43 01 00 03 010205 b2 7073 01 61")).Text);
        Assert.Equal(0, Volatile.Read(ref listener.Dtls!.Counters.Moved));
    }

    [Fact]
    public async Task Forged_records_are_dropped_and_counted()
    {
        CoapListener listener = await OpenAsync();
        using DtlsClient client = await DtlsClient.ConnectAsync(listener.EndPoint, "sensor", Key);
        await client.AskAsync(Put);
        byte[] good = client.LastSent;
        var random = new Random(1);
        for (int i = 0; i < 500; i++)
        {
            byte[] forged = [.. good];
            // Another number, so that it is no copy; then anything.
            forged[10] = (byte)(100 + i);
            for (int n = random.Next(4); n >= 0; n--) forged[random.Next(11, forged.Length)] ^= (byte)(1 + random.Next(255));
            client.SendRaw(random.Next(4) == 0 ? forged[..random.Next(forged.Length)] : forged);
        }

        // The flood may have filled the socket.
        Assert.Equal("1", (await client.AskUntilAnsweredAsync(Get)).Text);
        await Deadline.Until(() => Volatile.Read(ref listener.Dtls!.Counters.Dropped) > 0, "drops to be counted");
        Assert.Equal(1, listener.Dtls!.AssociationCount);
    }

    [Fact]
    public async Task Who_closes_is_forgotten_with_what_it_observes()
    {
        CoapListener listener = await OpenAsync();
        using DtlsClient client = await DtlsClient.ConnectAsync(listener.EndPoint, "sensor", Key);
        await client.AskAsync("43 01 00 01 010203 60 52 7073 01 61");
        Assert.Equal(1, listener.Server.Resources.ObservationCount);
        client.Close();
        await Deadline.Until(() => listener.Dtls!.AssociationCount == 0, "the association to end");
        await Deadline.Until(() => listener.Server.Resources.ObservationCount == 0, "the observation to end");
        Assert.Equal(0, listener.Server.Resources.Layer.PeerCount);
    }

    [Fact]
    public async Task Hellos_without_a_cookie_leave_nothing_behind()
    {
        CoapListener listener = await OpenAsync();
        using UdpClient socket = ConnectPlain(listener);
        byte[] hello = Hello();
        for (int i = 0; i < 20_000; i++)
        {
            BitConverter.TryWriteBytes(hello.AsSpan(30), i);
            await socket.SendAsync(hello);
        }

        await Deadline.Until(() => Volatile.Read(ref listener.Dtls!.Counters.CookiesSent) > 0, "a cookie");
        Assert.Equal((0, 0), (listener.Dtls!.AssociationCount, listener.Dtls.ThreadCount));
        using DtlsClient client = await DtlsClient.ConnectAsync(listener.EndPoint, "sensor", Key);
        Assert.Equal(CoapCode.Created, (await client.AskAsync(Put)).Code);
    }

    [Fact]
    public async Task A_cookie_is_no_longer_than_what_asks_for_it()
    {
        CoapListener listener = await OpenAsync();
        using UdpClient socket = ConnectPlain(listener);
        byte[] hello = Hello();
        await socket.SendAsync(hello);
        UdpReceiveResult answer = await Deadline.Within(socket.ReceiveAsync(), "a cookie");
        Assert.Equal(HandshakeType.hello_verify_request, answer.Buffer[13]);
        Assert.InRange(answer.Buffer.Length, 1, hello.Length);
    }

    [Fact]
    public async Task Keys_that_are_replaced_end_what_they_have_begun()
    {
        CoapListener listener = await OpenAsync(
            "sensor:" + Convert.ToHexString(Key) + "\nother:" + Convert.ToHexString(OtherKey) + "\n");
        using DtlsClient client = await DtlsClient.ConnectAsync(listener.EndPoint, "sensor", Key);
        using DtlsClient other = await DtlsClient.ConnectAsync(listener.EndPoint, "other", OtherKey);
        await client.AskAsync(Put);
        await File.WriteAllTextAsync(PskFile, "sensor:" + Convert.ToHexString([.. Key, 1]) + "\nother:" + Convert.ToHexString(OtherKey) + "\n");
        // Whether the reload or the watch sees them first is a matter of time.
        using (IListenerChange change = listener.Prepare(listener.Settings)) change.Apply();
        Assert.Equal(1, listener.Dtls!.AssociationCount);
        Assert.Equal(CoapCode.Changed, (await other.AskAsync(Put)).Code);
        using DtlsClient again = await DtlsClient.ConnectAsync(listener.EndPoint, "sensor", [.. Key, 1]);
        Assert.Equal(CoapCode.Changed, (await again.AskAsync(Put)).Code);
    }

    [Fact]
    public async Task Keys_that_change_are_taken_without_a_reload_and_a_mistake_is_said()
    {
        CoapListener listener = await OpenAsync();
        using DtlsClient client = await DtlsClient.ConnectAsync(listener.EndPoint, "sensor", Key);
        await client.AskAsync("43 01 00 09 010203 b2 7073 01 62");
        await ReplaceKeysAsync("sensor:00\n");
        await Deadline.Until(() => listener.KeyRefusal is not null, "the mistake to be seen");
        HealthFinding finding = Assert.Single(_family.Findings());
        Assert.Equal(HealthState.Warning, finding.State);
        Assert.Contains("the old keys stay in use", finding.Detail, StringComparison.Ordinal);
        Assert.Contains("has 1 bytes", finding.Detail, StringComparison.Ordinal);
        Assert.Equal(CoapCode.NotFound, (await client.AskAsync(Get)).Code);
        await ReplaceKeysAsync("other:" + Convert.ToHexString(OtherKey) + "\n");
        await Deadline.Until(() => listener.Dtls!.AssociationCount == 0, "the client whose key is gone to be sent away");
        Assert.Empty(_family.Findings());
        await client.ClosedAsync();
        using DtlsClient other = await DtlsClient.ConnectAsync(listener.EndPoint, "other", OtherKey);
        Assert.Equal(CoapCode.Created, (await other.AskAsync(Put)).Code);
    }

    [Fact]
    public async Task A_client_is_listed_with_its_association_and_a_kick_ends_both()
    {
        CoapListener listener = await OpenAsync("sensor:" + Convert.ToHexString(Key) + ":anna:press7\n");
        var view = new BrokerView(_broker, new RecentRefusals(TimeProvider.System));
        using DtlsClient client = await DtlsClient.ConnectAsync(listener.EndPoint, "sensor", Key);
        await client.AskAsync("43 01 00 01 010203 60 52 7073 01 61");
        SessionSummary row = Assert.Single(view.Sessions(new SessionFilter { Protocol = "coaps" }, null, 10).Items);
        Assert.Equal(("$coap/press7", "anna", "anna", 1), (row.ClientId, row.User, row.Identity, row.SubscriptionsCount));
        Assert.Equal(("coaps", "dtls", client.LocalEndPoint.ToString()), (row.Protocol, row.Transport, row.Address));
        BrokerEvent let = Assert.Single(_events.All, one => one.Kind == BrokerEventKind.Authenticated);
        Assert.Equal("$coap/press7", let.ClientId);
        Assert.Equal(KickOutcome.Disconnected, view.Kick("press7", forget: false));
        Assert.Equal(CoapCode.ServiceUnavailable, (await client.ReceiveAsync()).Code);
        await client.ClosedAsync();
        await Deadline.Until(() => listener.Dtls!.AssociationCount == 0, "the association to end");
        Assert.Equal(0, listener.Server.Resources.ObservationCount);
    }

    [Fact]
    public async Task Who_says_goodbye_is_told_of_so()
    {
        CoapListener listener = await OpenAsync();
        using DtlsClient client = await DtlsClient.ConnectAsync(listener.EndPoint, "sensor", Key);
        await client.AskAsync(Put);
        client.Close();
        BrokerEvent end = await _events.WaitForAsync(one => one.Kind == BrokerEventKind.Disconnected, "the end");
        Assert.Equal(("$coap/sensor", DisconnectedBy.Client, ReasonCode.Success), (end.ClientId, end.By, end.Reason));
        Assert.Equal(1, _events.Count(BrokerEventKind.Connected, "$coap/sensor"));
    }

    [Fact]
    public void A_client_that_knows_nothing_of_renegotiation_is_let_in()
    {
        var peer = new HandshakePeer(new CapturingCrypto(), new DtlsMaterial(null, null), new byte[8], TimeSpan.FromSeconds(8), DateTimeOffset.UnixEpoch);
        peer.NotifySecureRenegotiation(secureRenegotiation: false);
        Assert.Null(peer.Refusal);
    }

    [Fact]
    public async Task A_file_of_keys_with_a_mistake_changes_nothing()
    {
        CoapListener listener = await OpenAsync();
        using DtlsClient client = await DtlsClient.ConnectAsync(listener.EndPoint, "sensor", Key);
        await File.WriteAllTextAsync(PskFile, "sensor:00\n");
        var wrong = Assert.Throws<CertificateFileException>(() => listener.Prepare(listener.Settings));
        Assert.StartsWith("line 1: identity \"sensor\": the key has 1 bytes", wrong.Message, StringComparison.Ordinal);
        Assert.Equal(CoapCode.Created, (await client.AskAsync(Put)).Code);
    }

    [Fact]
    public async Task A_listener_that_ends_says_so()
    {
        CoapListener listener = await OpenAsync();
        using DtlsClient client = await DtlsClient.ConnectAsync(listener.EndPoint, "sensor", Key);
        await client.AskAsync(Put);
        await listener.RemoveAsync();
        Assert.Equal(0, listener.Dtls!.AssociationCount);
        await client.ClosedAsync();
    }

    [Fact]
    public async Task One_key_has_few_associations_and_the_newest_stay()
    {
        CoapListener listener = await OpenAsync();
        var clients = new List<DtlsClient>();
        for (int i = 0; i < 6; i++)
        {
            clients.Add(await DtlsClient.ConnectAsync(listener.EndPoint, "sensor", Key));
            await clients[^1].AskAsync(Put);
        }

        Assert.Equal(4, listener.Dtls!.AssociationCount);
        Assert.Equal("1", (await clients[^1].AskAsync(Get)).Text);
        clients.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task Of_associations_that_are_silent_the_oldest_makes_room()
    {
        CoapListener listener = await OpenAsync(limits: new CoapLimits { MaxPeers = 3 });
        var clients = new List<DtlsClient>();
        for (int i = 0; i < 5; i++)
        {
            clients.Add(await DtlsClient.ConnectAsync(listener.EndPoint, "sensor", Key));
            await Deadline.Until(() => Volatile.Read(ref listener.Dtls!.Counters.Succeeded) == i + 1, "the end of the handshake");
        }

        Assert.Equal((3, 0L), (listener.Dtls!.AssociationCount, Volatile.Read(ref listener.Dtls.Counters.Refused)));
        Assert.Equal(CoapCode.Created, (await clients[^1].AskAsync(Put)).Code);
        clients.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task A_handshake_begun_anew_leaves_the_former_association_in_use()
    {
        CoapListener listener = await OpenAsync();
        var seen = new DtlsLoss(toServer: true, number: -1);
        using DtlsClient client = await DtlsClient.ConnectAsync(listener.EndPoint, "sensor", Key, loss: seen);
        // With its cookie, and no more, as of a client that has lost its keys and goes again.
        byte[] hello = seen.Sent[1];
        client.SendRaw(hello);
        Assert.Equal(CoapCode.Created, (await client.AskUntilAnsweredAsync(Put)).Code);
        Assert.Equal((1, 1L), (listener.Dtls!.AssociationCount, Volatile.Read(ref listener.Dtls.Counters.Succeeded)));
    }

    private static AclRuleSet Rules(params AclRule[] rules) => new(rules, []);

    private static UdpClient ConnectPlain(CoapListener listener)
    {
        IPEndPoint server = IPEndPoint.Parse(listener.EndPoint);
        var client = new UdpClient(server.AddressFamily);
        client.Connect(server);
        return client;
    }

    /// <summary>A ClientHello as short as it can be.</summary>
    private static byte[] Hello()
    {
        byte[] body = [0xFE, 0xFD, .. new byte[32], 0, 0, 0, 2, 0xC0, 0xA8, 1, 0];
        byte[] message = [1, 0, 0, (byte)body.Length, 0, 0, 0, 0, 0, 0, 0, (byte)body.Length, .. body];
        return [22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte)message.Length, .. message];
    }

    private void Publish(string topic, string payload, bool retain = false)
    {
        using LocalClient client = _broker.OpenLocal("publisher", new LocalClientOptions());
        client.PublishAsync(new Message
        {
            Topic = System.Text.Encoding.UTF8.GetBytes(topic),
            Payload = System.Text.Encoding.UTF8.GetBytes(payload),
            Retain = retain,
        }).GetAwaiter().GetResult();
    }

    // At once, as tools do it: nobody is to read half of it.
    private async Task ReplaceKeysAsync(string keys)
    {
        await File.WriteAllTextAsync(PskFile + ".new", keys);
        File.Move(PskFile + ".new", PskFile, overwrite: true);
    }

    private async Task<CoapListener> OpenAsync(string? keys = null, CoapLimits? limits = null)
    {
        await File.WriteAllTextAsync(PskFile, keys ?? "sensor:" + Convert.ToHexString(Key) + "\n");
        var listener = (CoapListener)await _family.OpenAsync(new ListenerSettings
        {
            Protocol = ListenerProtocol.Coaps,
            Address = "127.0.0.1:0",
            PskFile = PskFile,
            AllowAnonymous = false,
            Coap = limits ?? new CoapLimits(),
        });
        await listener.BeginAsync();
        return listener;
    }
}
