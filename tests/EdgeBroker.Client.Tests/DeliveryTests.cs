using System.Text;
using EdgeBroker.Protocol;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Client.Tests;

public sealed class DeliveryTests : IDisposable
{
    private const string Connack = "20 03 00 00 00";
    private const string ConnackResumed = "20 03 01 00 00";
    private readonly FakeServer _server = new();

    [Fact]
    public async Task Each_qos_has_its_exchange()
    {
        (MqttClient client, FakeConnection connection) = await ConnectAsync(Options());
        await client.PublishAsync(Message("a", QoS.AtMostOnce)).Within();
        await connection.ExpectAsync("30 05 0001 61 00 61");
        Task<ReasonCode> once = client.PublishAsync(Message("b", QoS.AtLeastOnce));
        await connection.ExpectAsync("32 07 0001 62 0001 00 62");
        await connection.SendAsync("40 03 0001 10");
        Assert.Equal(ReasonCode.NoMatchingSubscribers, await once.Within());
        Task<ReasonCode> exactly = client.PublishAsync(Message("c", QoS.ExactlyOnce));
        await connection.ExpectAsync("34 07 0001 63 0002 00 63");
        await connection.SendAsync("50 02 0002");
        await connection.ExpectAsync("62 02 0002");
        Assert.False(exactly.IsCompleted);
        await connection.SendAsync("70 02 0002");
        Assert.Equal(ReasonCode.Success, await exactly.Within());
        Assert.Equal(0, client.Session.UnacknowledgedMessages);
    }

    [Fact]
    public async Task A_refused_message_is_an_exception_with_the_reason()
    {
        (MqttClient client, FakeConnection connection) = await ConnectAsync(Options());
        Task<ReasonCode> publish = client.PublishAsync(Message("b", QoS.ExactlyOnce));
        await connection.ReadPacketAsync();
        await connection.SendAsync("50 03 0001 97");
        Assert.Equal(ReasonCode.QuotaExceeded, (await Assert.ThrowsAsync<MqttException>(publish.Within)).Reason);
        Assert.Equal(0, client.Session.UnacknowledgedMessages);
    }

    [Fact]
    public async Task The_servers_receive_maximum_is_the_window()
    {
        (MqttClient client, FakeConnection connection) = await ConnectAsync(Options(), "20 06 00 00 03 21 0002");
        Task<ReasonCode>[] publishes = [.. "abcd".Select(c => client.PublishAsync(Message(c.ToString(), QoS.AtLeastOnce)))];
        await connection.ExpectAsync("32 07 0001 61 0001 00 61");
        await connection.ExpectAsync("32 07 0001 62 0002 00 62");
        // A fence: what is written behind the two would have come before it.
        await client.PublishAsync(Message("f", QoS.AtMostOnce)).Within();
        await connection.ExpectAsync("30 05 0001 66 00 66");
        await connection.SendAsync("40 02 0002");
        await connection.ExpectAsync("32 07 0001 63 0003 00 63");
        await connection.SendAsync("40 02 0001 40 02 0003");
        await connection.ExpectAsync("32 07 0001 64 0004 00 64");
        await connection.SendAsync("40 02 0004");
        await Task.WhenAll(publishes).Within();
    }

    [Fact]
    public async Task A_resumed_session_sends_again_in_order()
    {
        (MqttClient client, FakeConnection first) = await ConnectAsync(
            Options() with { SessionExpirySeconds = 100, Reconnect = new ReconnectOptions { FirstDelay = TimeSpan.FromMilliseconds(1) } });
        Task<ReasonCode> one = client.PublishAsync(Message("a", QoS.AtLeastOnce));
        Task<ReasonCode> two = client.PublishAsync(Message("b", QoS.ExactlyOnce));
        Task<ReasonCode> three = client.PublishAsync(Message("c", QoS.ExactlyOnce));
        for (int i = 0; i < 3; i++) await first.ReadPacketAsync();
        await first.SendAsync("50 02 0002");
        await first.ExpectAsync("62 02 0002");
        first.Dispose();
        using FakeConnection second = await _server.AcceptAsync(ConnackResumed);
        await second.ExpectAsync("3a 07 0001 61 0001 00 61");
        await second.ExpectAsync("62 02 0002");
        await second.ExpectAsync("3c 07 0001 63 0003 00 63");
        await second.SendAsync("40 02 0001 70 02 0002 50 02 0003");
        await second.ExpectAsync("62 02 0003");
        await second.SendAsync("70 02 0003");
        await Task.WhenAll(one, two, three).Within();
    }

    [Fact]
    public async Task A_lost_session_publishes_anew_what_the_server_does_not_have()
    {
        (MqttClient client, FakeConnection first) = await ConnectAsync(
            Options() with { SessionExpirySeconds = 100, Reconnect = new ReconnectOptions { FirstDelay = TimeSpan.FromMilliseconds(1) } });
        Task<ReasonCode[]> subscribing = client.SubscribeAsync("s");
        await first.ExpectAsync("82 07 0001 00 0001 73 00");
        await first.SendAsync("90 04 0001 00 00");
        await subscribing.Within();
        Task<ReasonCode> one = client.PublishAsync(Message("a", QoS.ExactlyOnce));
        Task<ReasonCode> two = client.PublishAsync(Message("b", QoS.ExactlyOnce));
        await first.ReadPacketAsync();
        await first.ReadPacketAsync();
        await first.SendAsync("50 02 0002");
        await first.ExpectAsync("62 02 0002");
        first.Dispose();
        using FakeConnection second = await _server.AcceptAsync(Connack);
        await one.Within();
        await second.ExpectAsync("34 07 0001 62 0004 00 62");
        await second.ExpectAsync("82 07 0005 00 0001 73 00");
        await second.SendAsync("50 02 0004 70 02 0004");
        await second.ExpectAsync("62 02 0004");
        await two.Within();
    }

    [Fact]
    public async Task A_session_goes_on_with_the_next_client()
    {
        (MqttClient client, FakeConnection first) = await ConnectAsync(Options() with { SessionExpirySeconds = 100 });
        Task<ReasonCode> publish = client.PublishAsync(Message("a", QoS.AtLeastOnce));
        await first.ReadPacketAsync();
        Assert.Throws<InvalidOperationException>(() => new MqttClient(Options() with { Reconnect = new() }, client.Session).Start());
        first.Dispose();
        await Assert.ThrowsAsync<MqttException>(publish.Within);
        Assert.Equal(1, client.Session.UnacknowledgedMessages);
        await using var next = new MqttClient(Options() with { CleanStart = false }, client.Session);
        Task<ConnectResult> connecting = next.ConnectAsync();
        using FakeConnection second = await _server.AcceptAsync(ConnackResumed);
        await second.ExpectAsync("3a 07 0001 61 0001 00 61");
        await second.SendAsync("40 02 0001");
        await Deadline.UntilAsync(() => client.Session.UnacknowledgedMessages == 0, "the acknowledgement arrives");
    }

    [Fact]
    public async Task Manual_acknowledgements_go_out_in_the_order_of_arrival()
    {
        (MqttClient client, FakeConnection connection) = await ConnectAsync(Options() with { AcknowledgeManually = true });
        await connection.SendAsync("32 06 0001 61 0001 00 32 06 0001 62 0002 00 32 06 0001 63 0003 00");
        ReceivedMessage[] messages = [await client.NextAsync(), await client.NextAsync(), await client.NextAsync()];
        messages[1].Acknowledge();
        await client.PublishAsync(Message("f", QoS.AtMostOnce)).Within();
        await connection.ExpectAsync("30 05 0001 66 00 66");
        messages[0].Acknowledge();
        messages[0].Acknowledge();
        await connection.ExpectAsync("40 02 0001");
        await connection.ExpectAsync("40 02 0002");
        messages[2].Acknowledge();
        await connection.ExpectAsync("40 02 0003");
    }

    [Fact]
    public async Task A_qos_2_message_is_delivered_once_across_a_reconnect()
    {
        (MqttClient client, FakeConnection first) = await ConnectAsync(Options() with
        {
            SessionExpirySeconds = 100,
            AcknowledgeManually = true,
            Reconnect = new ReconnectOptions { FirstDelay = TimeSpan.FromMilliseconds(1) },
        });
        await first.SendAsync("34 06 0001 61 0001 00");
        ReceivedMessage message = await client.NextAsync();
        first.Dispose();
        using FakeConnection second = await _server.AcceptAsync(ConnackResumed);
        await second.SendAsync("3c 06 0001 61 0001 00 30 04 0001 7a 00");
        Assert.Equal("z", (await client.NextAsync()).TopicText);
        Assert.False(second.HasData);
        message.Acknowledge();
        await second.ExpectAsync("50 02 0001");
        await second.SendAsync("3c 06 0001 61 0001 00");
        await second.ExpectAsync("50 02 0001");
        await second.SendAsync("62 02 0001 62 02 0001");
        await second.ExpectAsync("70 02 0001");
        await second.ExpectAsync("70 03 0001 92");
    }

    [Fact]
    public async Task Topic_aliases_of_the_server_are_resolved()
    {
        (MqttClient client, FakeConnection connection) = await ConnectAsync(Options());
        await connection.SendAsync("30 0a 0003 612f62 03 230001 41" + "30 07 0000 03 230001 42");
        Assert.Equal("a/b", (await client.NextAsync()).TopicText);
        ReceivedMessage second = await client.NextAsync();
        Assert.Equal(("a/b", "B"), (second.TopicText, Encoding.UTF8.GetString(second.Payload.Span)));
        Assert.Equal(PropertyId.TopicAlias, Assert.Single(second.ReadProperties()).Id);
        Assert.Empty(second.CopyForwardedProperties());
    }

    [Fact]
    public async Task A_slow_application_stops_the_reading()
    {
        int received = 0;
        (MqttClient client, FakeConnection connection) = await ConnectAsync(Options() with
        {
            ReceiveQueueMessages = 2,
            Trace = packet => received += !packet.Sent && packet.Type == PacketType.Publish ? 1 : 0,
        });
        await connection.SendAsync(string.Concat(Enumerable.Repeat("30 04 0001 74 00", 10)));
        await Deadline.UntilAsync(() => Volatile.Read(ref received) == 2, "two messages are read");
        await client.NextAsync();
        await Deadline.UntilAsync(() => Volatile.Read(ref received) == 3, "a third message is read");
        for (int i = 0; i < 9; i++) await client.NextAsync();
        Assert.Equal(10, received);
    }

    [Fact]
    public async Task Waiting_messages_expire_and_lose_the_time_they_waited()
    {
        var time = new FakeTimeProvider();
        (MqttClient client, FakeConnection connection) = await ConnectAsync(
            Options() with { TimeProvider = time, KeepAliveSeconds = 0 }, "20 06 00 00 03 21 0001");
        Task<ReasonCode> first = client.PublishAsync(Message("a", QoS.AtLeastOnce));
        Task<ReasonCode> expiring = client.PublishAsync(new PublishMessage("b", default) { QoS = QoS.AtLeastOnce, ExpirySeconds = 10 });
        Task<ReasonCode> lasting = client.PublishAsync(new PublishMessage("c", default) { QoS = QoS.AtLeastOnce, ExpirySeconds = 100 });
        await connection.ReadPacketAsync();
        time.Advance(TimeSpan.FromSeconds(30));
        await connection.SendAsync("40 02 0001");
        await connection.ExpectAsync("32 0b 0001 63 0003 05 02 00000046");
        await first.Within();
        Assert.Contains("expired", (await Assert.ThrowsAsync<MqttException>(expiring.Within)).Message, StringComparison.Ordinal);
        await connection.SendAsync("40 02 0003");
        await lasting.Within();
    }

    [Fact]
    public async Task Attempts_wait_longer_and_longer()
    {
        var time = new FakeTimeProvider();
        using var deaf = new DeafPort();
        List<TimeSpan> waits = [];
        await using var client = new MqttClient(Options() with
        {
            Transport = deaf.Transport,
            TimeProvider = time,
            Reconnect = new ReconnectOptions { FirstDelay = TimeSpan.FromSeconds(1), LongestDelay = TimeSpan.FromSeconds(4) },
            ConnectionChanged = change =>
            {
                lock (waits) if (change.NextAttemptIn is { } wait) waits.Add(wait);
            },
        });
        client.Start();
        await Deadline.UntilAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                lock (waits) return waits.Count >= 5;
            },
            "five attempts");
        double[] expected = [1, 2, 4, 4, 4];
        lock (waits)
        {
            for (int i = 0; i < 5; i++) Assert.InRange(waits[i].TotalSeconds, 0.8 * expected[i], 1.2 * expected[i]);
        }
    }

    public void Dispose() => _server.Dispose();

    private static PublishMessage Message(string text, QoS qos) => new(text, Encoding.UTF8.GetBytes(text)) { QoS = qos };

    private MqttClientOptions Options() => new() { Transport = _server.Transport, ClientId = "c" };

    private async Task<(MqttClient Client, FakeConnection Connection)> ConnectAsync(MqttClientOptions options, string connack = Connack)
    {
        var client = new MqttClient(options);
        Task<ConnectResult> connecting = client.ConnectAsync();
        FakeConnection connection = await _server.AcceptAsync(connack);
        await connecting.Within();
        return (client, connection);
    }
}
