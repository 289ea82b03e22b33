using System.Text;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Client.Tests;

/// <summary>The client against a foreign broker. Needs mosquitto; scripts/setup.sh installs it.</summary>
public sealed class MosquittoTests(MosquittoBroker broker) : IClassFixture<MosquittoBroker>
{
    [Theory]
    [InlineData(ProtocolVersion.V311, QoS.AtMostOnce)]
    [InlineData(ProtocolVersion.V311, QoS.AtLeastOnce)]
    [InlineData(ProtocolVersion.V311, QoS.ExactlyOnce)]
    [InlineData(ProtocolVersion.V5, QoS.AtMostOnce)]
    [InlineData(ProtocolVersion.V5, QoS.AtLeastOnce)]
    [InlineData(ProtocolVersion.V5, QoS.ExactlyOnce)]
    public async Task Messages_come_back_in_order(ProtocolVersion version, QoS qos)
    {
        const int Messages = 200;
        string topic = $"order/{version}/{qos}";
        await using MqttClient client = await ConnectAsync(Options(version));
        Assert.Equal((ReasonCode)qos, Assert.Single(await client.SubscribeAsync(topic, qos).Within()));
        Task[] publishes =
        [
            .. Enumerable.Range(0, Messages).Select(i => client.PublishAsync(new PublishMessage(topic, Encoding.UTF8.GetBytes($"{i}")) { QoS = qos })),
        ];
        for (int i = 0; i < Messages; i++)
        {
            ReceivedMessage message = await client.NextAsync();
            Assert.Equal(($"{i}", qos), (Encoding.UTF8.GetString(message.Payload.Span), message.QoS));
        }

        await Task.WhenAll(publishes).Within();
        Assert.Equal(0, client.Session.UnacknowledgedMessages);
        await client.DisconnectAsync().Within();
    }

    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public async Task A_megabyte_goes_there_and_back(ProtocolVersion version)
    {
        byte[] payload = new byte[1 << 20];
        new Random(7).NextBytes(payload);
        await using MqttClient client = await ConnectAsync(Options(version));
        await client.SubscribeAsync($"big/{version}", QoS.AtLeastOnce).Within();
        Assert.Equal(ReasonCode.Success, await client.PublishAsync(new PublishMessage($"big/{version}", payload) { QoS = QoS.AtLeastOnce }).Within());
        ReceivedMessage message = await client.NextAsync();
        Assert.True(payload.AsSpan().SequenceEqual(message.Payload.Span));
    }

    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public async Task Retained_messages_come_on_subscribing(ProtocolVersion version)
    {
        await using MqttClient client = await ConnectAsync(Options(version));
        var retained = new PublishMessage($"retained/{version}", "last"u8.ToArray()) { QoS = QoS.AtLeastOnce, Retain = true };
        await client.PublishAsync(retained).Within();
        await client.SubscribeAsync("retained/#").Within();
        ReceivedMessage message = await client.NextAsync();
        Assert.True(message.Retain);
        await client.PublishAsync(new PublishMessage(retained.Topic, default) { QoS = QoS.AtLeastOnce, Retain = true }).Within();
    }

    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public async Task The_will_is_published_when_the_client_vanishes_and_not_when_it_leaves(ProtocolVersion version)
    {
        await using MqttClient watcher = await ConnectAsync(Options(version));
        await watcher.SubscribeAsync($"will/{version}/#").Within();
        MqttClientOptions options = Options(version) with { Will = new Will(new PublishMessage($"will/{version}/vanished", "gone"u8.ToArray())) };
        MqttClient leaving = await ConnectAsync(options with { Will = new Will(new PublishMessage($"will/{version}/left", default)) });
        await leaving.DisconnectAsync().Within();
        MqttClient vanishing = await ConnectAsync(options);
        await vanishing.DisposeAsync();
        Assert.Equal($"will/{version}/vanished", (await watcher.NextAsync()).TopicText);
    }

    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public async Task A_kept_session_collects_messages_and_unacknowledged_ones_come_again(ProtocolVersion version)
    {
        MqttClientOptions options = Options(version) with
        {
            ClientId = $"kept-{version}",
            CleanStart = false,
            SessionExpirySeconds = version == ProtocolVersion.V5 ? 100u : 0,
            AcknowledgeManually = true,
        };
        var first = new MqttClient(options);
        Assert.False((await first.ConnectAsync().Within()).SessionPresent);
        await first.SubscribeAsync($"kept/{version}", QoS.ExactlyOnce).Within();
        await using MqttClient sender = await ConnectAsync(Options(version));
        await sender.PublishAsync(new PublishMessage($"kept/{version}", "1"u8.ToArray()) { QoS = QoS.AtLeastOnce }).Within();
        await first.NextAsync();
        await first.DisposeAsync();
        await sender.PublishAsync(new PublishMessage($"kept/{version}", "2"u8.ToArray()) { QoS = QoS.ExactlyOnce }).Within();
        await using var second = new MqttClient(options, first.Session);
        Assert.True((await second.ConnectAsync().Within()).SessionPresent);
        foreach (string expected in new[] { "1", "2" })
        {
            ReceivedMessage message = await second.NextAsync();
            Assert.Equal(expected, Encoding.UTF8.GetString(message.Payload.Span));
            message.Acknowledge();
        }
    }

    [Fact]
    public async Task Properties_travel()
    {
        await using MqttClient client = await ConnectAsync(Options(ProtocolVersion.V5));
        var identifier = new MqttProperties();
        identifier.Add(PropertyId.SubscriptionIdentifier, 77);
        await client.SubscribeAsync([new Subscription("props")], identifier).Within();
        var properties = new MqttProperties();
        properties.Add(PropertyId.ContentType, "text/plain");
        properties.Add(PropertyId.ResponseTopic, "answers");
        properties.Add(PropertyId.CorrelationData, new byte[] { 0, 255 });
        properties.AddUserProperty("k", "v");
        properties.AddUserProperty("k", "w");
        byte[] encoded = properties.EncodeForPublish();
        await client.PublishAsync(new PublishMessage("props", default) { EncodedProperties = encoded, ExpirySeconds = 60, TopicAlias = 1 }).Within();
        ReceivedMessage message = await client.NextAsync();
        IReadOnlyList<MqttProperty> received = message.ReadProperties();
        Assert.Equal(60u, Assert.Single(received, p => p.Id == PropertyId.MessageExpiryInterval).Number);
        Assert.Equal(77u, Assert.Single(received, p => p.Id == PropertyId.SubscriptionIdentifier).Number);
        Assert.Equal([0, 255], Assert.Single(received, p => p.Id == PropertyId.CorrelationData).Value.ToArray());
        Assert.Equal(["v", "w"], received.Where(p => p.Id == PropertyId.UserProperty).Select(p => Encoding.UTF8.GetString(p.Value.Span)));
        Assert.Equal(encoded.Length, message.CopyForwardedProperties().Length);
    }

    [Fact]
    public async Task No_local_and_retain_as_published_are_obeyed_and_unsubscribing_ends_it()
    {
        await using MqttClient client = await ConnectAsync(Options(ProtocolVersion.V5));
        await client.SubscribeAsync([new Subscription("own/#", new SubscriptionOptions(QoS.AtMostOnce, noLocal: true)), new Subscription("other")]).Within();
        await client.PublishAsync(new PublishMessage("own/a", default)).Within();
        await client.PublishAsync(new PublishMessage("other", default)).Within();
        Assert.Equal("other", (await client.NextAsync()).TopicText);
        Assert.Equal([ReasonCode.Success, ReasonCode.NoSubscriptionExisted], await client.UnsubscribeAsync(["other", "nothing"]).Within());
    }

    [Fact]
    public async Task Another_client_with_the_same_id_takes_over()
    {
        MqttClientOptions options = Options(ProtocolVersion.V5) with { ClientId = "same" };
        await using MqttClient first = await ConnectAsync(options);
        await using MqttClient second = await ConnectAsync(options);
        await Assert.ThrowsAsync<MqttException>(first.Completion.Within);
        Assert.False(second.Completion.IsCompleted);
    }

    [Fact]
    public async Task A_unix_socket_is_as_good_as_tcp()
    {
        await using MqttClient client = await ConnectAsync(Options(ProtocolVersion.V5) with { Transport = new UnixSocketTransport(broker.SocketPath) });
        Assert.Equal(ReasonCode.NoMatchingSubscribers, await client.PublishAsync(new PublishMessage("nobody", default) { QoS = QoS.AtLeastOnce }).Within());
    }

    private static async Task<MqttClient> ConnectAsync(MqttClientOptions options)
    {
        var client = new MqttClient(options);
        await client.ConnectAsync().Within();
        return client;
    }

    private MqttClientOptions Options(ProtocolVersion version) => new() { Transport = new TcpTransport("127.0.0.1", broker.Port), Version = version };
}
