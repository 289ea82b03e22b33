using EdgeBroker.Bridge.Routes;
using EdgeBroker.Client;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Bridge.Tests;

/// <summary>Against a real mosquitto.</summary>
public sealed class MosquittoTests : IDisposable
{
    private readonly MosquittoBroker _mosquitto = new();

    [Theory]
    [InlineData(ProtocolVersion.V5, false)]
    [InlineData(ProtocolVersion.V311, true)]
    public async Task Both_ways_at_each_QoS_and_nothing_comes_back(ProtocolVersion version, bool isBridge)
    {
        var both = new RouteOptions { Direction = RouteDirection.Both, Local = "plant/#", Remote = "gw/plant/#", MaximumQoS = QoS.ExactlyOnce };
        BridgeOptions options = Bridges.To(_mosquitto.Port, both);
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", version == ProtocolVersion.V5 ? options : options.Over311(isBridge));
        await using var far = new MqttClient(new MqttClientOptions { Transport = new TcpTransport("127.0.0.1", _mosquitto.Port), ClientId = "far" });
        await Deadline.Within(far.ConnectAsync(), "mosquitto");
        await far.SubscribeAsync("gw/#", QoS.ExactlyOnce);
        await using TestClient near = await local.Test.ConnectAsync("near");
        await near.SubscribeAsync("plant/#", 2);
        await local.UntilConnectedAsync("up");
        for (int qos = 0; qos <= 2; qos++)
        {
            await near.SendAsync(near.Packets.Publish("plant/out", "out" + qos, 0));
            await near.ExpectPublishAsync("plant/out", "out" + qos);
            Assert.Equal("out" + qos, await NextAsync(far));
            await far.PublishAsync(new PublishMessage("gw/plant/in", System.Text.Encoding.ASCII.GetBytes("in" + qos)) { QoS = (QoS)qos });
            Assert.Equal("in" + qos, await NextAsync(far));
            await near.AcknowledgeAsync(await near.ExpectPublishAsync("plant/in", "in" + qos, qos));
        }

        await local.UntilAsync("up", status => status is { Received: 3, Sent: 3, BacklogMessages: 0 });
        await near.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_backlog_of_every_QoS_drains_into_it_without_loss()
    {
        const int Count = 3_000;
        using var link = new FaultyProxy();
        var all = new RouteOptions { Local = "plant/#", MaximumQoS = QoS.ExactlyOnce };
        BridgeOptions options = Bridges.To(link.Port, all).Over311(isBridge: true) with { MaximumInflight = 20 };
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", options);
        await using TestClient near = await local.Test.ConnectAsync("near");
        for (int i = 0; i < Count; i++) await near.PublishAsync($"plant/{i % 2}", $"{i}", 1 + (i % 2));
        await using var far = new MqttClient(new MqttClientOptions { Transport = new TcpTransport("127.0.0.1", _mosquitto.Port), ClientId = "far" });
        await Deadline.Within(far.ConnectAsync(), "mosquitto");
        await far.SubscribeAsync("plant/#", QoS.AtLeastOnce);
        link.Target = _mosquitto.Port;
        // mosquitto passes a QoS 2 message on with its PUBREL, so the order is that of a topic, which has one QoS here.
        int[] next = [0, 1];
        for (int i = 0; i < Count; i++)
        {
            int value = int.Parse(await NextAsync(far), System.Globalization.CultureInfo.InvariantCulture);
            Assert.Equal(next[value % 2], value);
            next[value % 2] += 2;
        }

        await local.UntilAsync("up", status => status is { BacklogMessages: 0, Acknowledged: Count, Dropped: 0 });
    }

    public void Dispose() => _mosquitto.Dispose();

    private static async Task<string> NextAsync(MqttClient client)
    {
        await Deadline.Within(client.WaitToReceiveAsync().AsTask(), "a message at mosquitto");
        Assert.True(client.TryReceive(out ReceivedMessage? message));
        return System.Text.Encoding.UTF8.GetString(message.Payload.Span);
    }
}
