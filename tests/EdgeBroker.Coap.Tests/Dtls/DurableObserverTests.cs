using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Listeners;
using EdgeBroker.Coap.Tests.Rig;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Management;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeBroker.Coap.Tests.Dtls;

/// <summary>What a peer observes that has proved who it is goes on by its next handshake, though its association, or the listener, is gone.</summary>
public sealed class DurableObserverTests : IAsyncDisposable
{
    private const string Observe = "43 01 00 01 010203 60 52 7073 01 61";
    private const string ObserveQueue = "43 01 00 01 010203 60 52 7073 01 61 4a 6d6f64653d7175657565";
    private const string ObserveAll = "43 01 00 01 010203 60 52 7073 01 23 61 3c";
    private static readonly byte[] Key = [.. Enumerable.Range(0, 16).Select(i => (byte)i)];

    private readonly Broker _broker = new(
        TestBrokerOptions.Quiet, new BrokerClock(TimeProvider.System), VolatileJournal.Instance, new BrokerEvents(), "test");

    private readonly Replaceable<AclRuleSet> _rules = new(AclRuleSet.Unrestricted);
    private readonly string _directory = Directory.CreateTempSubdirectory("edgebroker-").FullName;
    private CoapListenerFamily _family;

    public DurableObserverTests() => _family = NewFamily();

    public async ValueTask DisposeAsync()
    {
        await _family.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_state_is_told_again_by_the_next_handshake_and_followed_from_there()
    {
        CoapListener listener = await OpenAsync();
        using (DtlsClient client = await ConnectAsync(listener)) Assert.Equal(CoapCode.Content, (await client.AskAsync(Observe)).Code);
        listener = await RestartAsync();
        Publish("a", "meanwhile", retain: true);
        using DtlsClient again = await ConnectAsync(listener);
        Answer told = await again.ReceiveAsync();
        Assert.Equal((CoapType.Confirmable, "meanwhile", "010203"), (told.Type, told.Text, Convert.ToHexString(told.Token)));
        Acknowledge(again, told);
        Publish("a", "live", retain: true);
        Answer next = await again.ReceiveAsync();
        Assert.Equal("live", next.Text);
        Assert.True(next.Number(OptionNumber.Observe) > told.Number(OptionNumber.Observe));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_message_of_a_queue_arrives_though_the_observer_was_away(bool hasRules)
    {
        if (hasRules) _rules.Current = Allowing("a");
        CoapListener listener = await OpenAsync();
        using (DtlsClient client = await ConnectAsync(listener)) await client.AskAsync(ObserveQueue);
        listener = await RestartAsync();
        for (int i = 1; i <= 20; i++) Publish("a", i.ToString(), qos: i % 2 == 0 ? QoS.AtLeastOnce : QoS.AtMostOnce);
        using DtlsClient again = await ConnectAsync(listener);
        for (int i = 1; i <= 20; i++)
        {
            Answer told = await again.ReceiveAsync();
            Assert.Equal(i.ToString(), told.Text);
            Acknowledge(again, told);
        }

        await Deadline.Until(() => View.Session(IdOf("a"))!.Summary is { QueueMessages: 0, InflightCount: 0 }, "all to be acknowledged");
    }

    [Fact]
    public async Task Several_topics_go_on_with_what_is_retained_of_each()
    {
        Publish("x", "1", retain: true);
        CoapListener listener = await OpenAsync();
        using (DtlsClient client = await ConnectAsync(listener)) Assert.Equal(CoapCode.Content, (await client.AskAsync(ObserveAll)).Code);
        listener = await RestartAsync();
        using DtlsClient again = await ConnectAsync(listener);
        Answer told = await again.ReceiveAsync();
        Assert.Equal((CoapType.Confirmable, "010203"), (told.Type, Convert.ToHexString(told.Token)));
        Assert.Equal((uint)ContentFormats.Cbor, told.Number(OptionNumber.ContentFormat));
    }

    [Fact]
    public async Task Who_comes_back_with_another_token_has_one_observation()
    {
        CoapListener listener = await OpenAsync();
        using (DtlsClient client = await ConnectAsync(listener)) await client.AskAsync(ObserveQueue);
        listener = await RestartAsync();
        Publish("a", "1", qos: QoS.AtLeastOnce);
        using DtlsClient again = await ConnectAsync(listener);
        again.Send(ObserveQueue.Replace("010203", "0a0b0c", StringComparison.Ordinal));
        // It was told by the token it has forgotten before it could say so; that it does not know.
        for (bool isTold = false; !isTold;)
        {
            Answer one = await again.ReceiveAsync();
            if (one.Type != CoapType.Confirmable) continue;
            isTold = (Convert.ToHexString(one.Token), one.Text) == ("0A0B0C", "1");
            int type = Convert.ToHexString(one.Token) == "0A0B0C" ? 0x60 : 0x70;
            again.Send(string.Create(null, $"{type:x2} 00 {one.MessageId >> 8:x2} {one.MessageId & 0xFF:x2}"));
        }

        await Deadline.Until(() => listener.Server.Resources.ObservationCount == 1, "the former registration to end");
        Assert.Single(View.Sessions(new SessionFilter { ClientId = "$observe/*" }, null, 10).Items);
    }

    [Theory]
    [InlineData("43 01 00 02 010203 61 01 52 7073 01 61", false)]
    [InlineData(null, true)]
    public async Task Who_does_not_want_it_any_more_hears_nothing_by_the_next_handshake(string? cancel, bool byReset)
    {
        CoapListener listener = await OpenAsync();
        using (DtlsClient client = await ConnectAsync(listener))
        {
            await client.AskAsync(Observe);
            Assert.NotNull(_broker.FindSession(IdOf("a")));
            if (cancel is not null) await client.AskAsync(cancel);
            if (byReset)
            {
                Publish("a", "unwanted");
                Answer told = await client.ReceiveAsync();
                client.Send(string.Create(null, $"70 00 {told.MessageId >> 8:x2} {told.MessageId & 0xFF:x2}"));
            }

            await Deadline.Until(() => _broker.FindSession(IdOf("a")) is null, "the session to end");
        }

        Assert.Equal(0, _broker.Subscriptions.Count);
        listener = await RestartAsync();
        using DtlsClient again = await ConnectAsync(listener);
        Assert.Equal(0, listener.Server.Resources.ObservationCount);
    }

    [Fact]
    public async Task Rules_that_forbid_it_meanwhile_end_it()
    {
        CoapListener listener = await OpenAsync();
        using (DtlsClient client = await ConnectAsync(listener)) await client.AskAsync(Observe);
        listener = await RestartAsync();
        _rules.Current = Allowing("other");
        using DtlsClient again = await ConnectAsync(listener);
        await Deadline.Until(() => _broker.FindSession(IdOf("a")) is null, "the observation to end");
        Assert.Equal(0, listener.Server.Resources.ObservationCount);
    }

    [Fact]
    public async Task A_second_device_of_the_same_key_does_not_take_what_the_first_observes()
    {
        CoapListener listener = await OpenAsync();
        using DtlsClient first = await ConnectAsync(listener);
        await first.AskAsync(Observe);
        using DtlsClient second = await ConnectAsync(listener);
        await second.AskAsync("43 01 00 05 010209 b2 7073 01 62");
        Publish("a", "1");
        Assert.Equal("1", (await first.ReceiveAsync()).Text);
        Assert.Equal(1, listener.Server.Resources.ObservationCount);
    }

    [Fact]
    public async Task Whoever_ends_its_session_ends_the_observation_and_the_observer_is_told()
    {
        CoapListener listener = await OpenAsync();
        using DtlsClient client = await ConnectAsync(listener);
        await client.AskAsync(Observe);
        Assert.Equal(KickOutcome.Forgotten, View.Kick(IdOf("a"), forget: true));
        Assert.Equal(CoapCode.ServiceUnavailable, (await client.ReceiveAsync()).Code);
        await Deadline.Until(() => listener.Server.Resources.ObservationCount == 0, "the observation to end");
    }

    [Fact]
    public async Task A_kick_of_the_client_ends_what_it_observes_for_good()
    {
        CoapListener listener = await OpenAsync();
        using DtlsClient client = await ConnectAsync(listener);
        await client.AskAsync(Observe);
        Assert.Equal(KickOutcome.Disconnected, View.Kick("sensor", forget: false));
        Assert.Equal(CoapCode.ServiceUnavailable, (await client.ReceiveAsync()).Code);
        await Deadline.Until(() => _broker.SessionCount == 0, "the observation's session to end");
    }

    private BrokerView View => new(_broker, new RecentRefusals(TimeProvider.System));

    private static AclRuleSet Allowing(string topic) =>
        new([new AclRule { Source = "test", Allows = true, Actions = AccessActions.Subscribe, Topics = [new AclPattern(topic)] }], []);

    private static string IdOf(string filter) => "$observe/sensor/" + filter;

    private static void Acknowledge(DtlsClient client, Answer told) =>
        client.Send(string.Create(null, $"60 00 {told.MessageId >> 8:x2} {told.MessageId & 0xFF:x2}"));

    private static Task<DtlsClient> ConnectAsync(CoapListener listener) => DtlsClient.ConnectAsync(listener.EndPoint, "sensor", Key);

    private CoapListenerFamily NewFamily() => new(_broker, new AnonymousAuthenticator(_rules), TimeProvider.System, NullLoggerFactory.Instance);

    /// <summary>Other listeners, which know nothing of the former ones' associations.</summary>
    private async Task<CoapListener> RestartAsync()
    {
        await _family.DisposeAsync();
        _family = NewFamily();
        return await OpenAsync();
    }

    private void Publish(string topic, string payload, bool retain = false, QoS qos = QoS.AtMostOnce)
    {
        using LocalClient client = _broker.OpenLocal("publisher", new LocalClientOptions());
        client.PublishAsync(new Message
        {
            Topic = System.Text.Encoding.UTF8.GetBytes(topic),
            Payload = System.Text.Encoding.UTF8.GetBytes(payload),
            Retain = retain,
            QoS = qos,
        }).GetAwaiter().GetResult();
    }

    private async Task<CoapListener> OpenAsync()
    {
        string file = Path.Combine(_directory, "sensors.psk");
        await File.WriteAllTextAsync(file, "sensor:" + Convert.ToHexString(Key) + "\n");
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
