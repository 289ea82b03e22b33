using System.Text;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Client.Tests;

/// <summary>Request and response, and what a client counts, against a foreign broker.</summary>
public sealed class RequestTests(MosquittoBroker broker) : IClassFixture<MosquittoBroker>
{
    [Fact]
    public async Task Requests_that_cross_each_other_get_their_own_responses()
    {
        await using MqttClient server = await ConnectAsync("server");
        await server.SubscribeAsync("service/upper", QoS.AtLeastOnce).Within();
        await using MqttClient client = await ConnectAsync("client");
        Task<ReceivedMessage>[] asked = [.. Enumerable.Range(0, 20).Select(i => client.RequestAsync(Request($"r{i}"), Deadline.Time))];
        var requests = new List<ReceivedMessage>();
        while (requests.Count < asked.Length) requests.Add(await server.NextAsync());
        // The last is answered first.
        foreach (ReceivedMessage request in Enumerable.Reverse(requests))
        {
            PublishMessage response = request.CreateResponse(Encoding.UTF8.GetBytes(Text(request).ToUpperInvariant()))!;
            await server.PublishAsync(response).Within();
        }

        for (int i = 0; i < asked.Length; i++) Assert.Equal($"R{i}", Text(await asked[i].Within()));
        // They do not pass among what the application has subscribed to.
        Assert.False(client.TryReceive(out _));
        ClientStatistics counted = client.Statistics;
        Assert.Equal((1, 20, 20, 20, 0, 0), (counted.Connections, counted.MessagesSent, counted.MessagesAcknowledged, counted.MessagesReceived,
            counted.Unacknowledged, counted.Untaken));
        Assert.True(counted is { BytesSent: > 1000, BytesReceived: > 1000 }, $"{counted}");
    }

    [Fact]
    public async Task A_request_that_nobody_answers_ends_in_time_and_a_late_response_reaches_nobody()
    {
        await using MqttClient server = await ConnectAsync("server2");
        await server.SubscribeAsync("service/upper", QoS.AtLeastOnce).Within();
        var time = new FakeTimeProvider();
        await using MqttClient client = await ConnectAsync("client2", time);
        Task<ReceivedMessage> asked = client.RequestAsync(Request("slow"), TimeSpan.FromSeconds(5));
        ReceivedMessage request = await server.NextAsync();
        time.Advance(TimeSpan.FromSeconds(6));
        MqttException failure = await Assert.ThrowsAsync<MqttException>(asked.Within);
        Assert.Contains("service/upper", failure.Message, StringComparison.Ordinal);
        await server.PublishAsync(request.CreateResponse("late"u8.ToArray())!).Within();
        Task<ReceivedMessage> again = client.RequestAsync(Request("quick"), TimeSpan.FromSeconds(5));
        await server.PublishAsync((await server.NextAsync()).CreateResponse("QUICK"u8.ToArray())!).Within();
        Assert.Equal("QUICK", Text(await again.Within()));
        Assert.False(client.TryReceive(out _));
    }

    [Fact]
    public async Task Whoever_waits_is_told_when_the_client_ends()
    {
        await using MqttClient server = await ConnectAsync("server3");
        await server.SubscribeAsync("service/upper", QoS.AtLeastOnce).Within();
        MqttClient client = await ConnectAsync("client3");
        Task<ReceivedMessage> asked = client.RequestAsync(Request("x"), Deadline.Time);
        ReceivedMessage request = await server.NextAsync();
        Assert.NotNull(request.CreateResponse(default));
        await client.DisposeAsync();
        await Assert.ThrowsAsync<MqttException>(asked.Within);
    }

    [Fact]
    public async Task A_message_that_asks_for_nothing_has_no_response()
    {
        await using MqttClient client = await ConnectAsync("client4");
        await client.SubscribeAsync("plain").Within();
        await client.PublishAsync(new PublishMessage("plain", "x"u8.ToArray())).Within();
        Assert.Null((await client.NextAsync()).CreateResponse(default));
    }

    private static PublishMessage Request(string text) => new("service/upper", Encoding.UTF8.GetBytes(text)) { QoS = QoS.AtLeastOnce };

    private static string Text(ReceivedMessage message) => Encoding.UTF8.GetString(message.Payload.Span);

    private async Task<MqttClient> ConnectAsync(string id, TimeProvider? time = null)
    {
        var options = new MqttClientOptions
        {
            Transport = new TcpTransport("127.0.0.1", broker.Port),
            ClientId = id,
            TimeProvider = time ?? TimeProvider.System,
            KeepAliveSeconds = 0,
        };
        var client = new MqttClient(options);
        await client.ConnectAsync().Within();
        return client;
    }
}
