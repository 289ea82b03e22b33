using System.Buffers;
using System.Globalization;
using System.Threading.Channels;
using EdgeBroker.Testing.Published;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace EdgeBroker.Interop.Tests.Clients;

/// <summary>MQTTnet's client.</summary>
internal sealed class MqttNetClient : IForeignClient
{
    private readonly Channel<ForeignMessage> _received = Channel.CreateUnbounded<ForeignMessage>();
    private IMqttClient? _client;
    private bool _v5;
    private int _receiveMaximum;

    public bool GroupsUserProperties => false;

    private IMqttClient Client => _client!;

    public async Task<bool> ConnectAsync(ForeignConnect connect)
    {
        _client?.Dispose();
        _client = new MqttClientFactory().CreateMqttClient();
        _client.ApplicationMessageReceivedAsync += received =>
        {
            _received.Writer.TryWrite(Read(received.ApplicationMessage));
            return Task.CompletedTask;
        };
        _v5 = connect.Version == Versions.V5;
        MqttClientConnectResult result = await _client.ConnectAsync(Options(connect), Deadline());
        Assert.Equal(MqttClientConnectResultCode.Success, result.ResultCode);
        _receiveMaximum = result.ReceiveMaximum is null or 0 ? ushort.MaxValue : result.ReceiveMaximum.Value;
        return result.IsSessionPresent;
    }

    public async Task<int> SubscribeAsync(string filter, int qos, uint identifier = 0)
    {
        var options = new MqttClientSubscribeOptionsBuilder().WithTopicFilter(filter, (MqttQualityOfServiceLevel)qos);
        if (identifier != 0) options.WithSubscriptionIdentifier(identifier);
        MqttClientSubscribeResult result = await Client.SubscribeAsync(options.Build(), Deadline());
        return (int)Assert.Single(result.Items).ResultCode;
    }

    public Task UnsubscribeAsync(string filter) => Client.UnsubscribeAsync(filter, Deadline());

    public async Task PublishAsync(ForeignMessage message)
    {
        MqttClientPublishResult result = await Client.PublishAsync(Write(message), Deadline());
        Assert.True(result.IsSuccess, $"{result.ReasonCode}");
    }

    public async Task BurstAsync(string topic, int qos, int count)
    {
        // The library leaves the server's Receive Maximum to its user. The semaphore lets in who comes first.
        using var room = new SemaphoreSlim(_receiveMaximum);
        List<Task> open = [];
        for (int i = 0; i < count; i++)
        {
            await room.WaitAsync(Deadline());
            open.Add(PublishOneAsync(new ForeignMessage(topic, i.ToString(CultureInfo.InvariantCulture), qos)));
        }

        await Task.WhenAll(open);

        async Task PublishOneAsync(ForeignMessage message)
        {
            await PublishAsync(message);
            room.Release();
        }
    }

    public async Task<ForeignMessage> MessageAsync() => await _received.Reader.ReadAsync(Deadline());

    public Task DisconnectAsync() => Client.DisconnectAsync(new MqttClientDisconnectOptions(), Deadline());

    public void Break() => Client.Dispose();

    public void Dispose() => _client?.Dispose();

    private static MqttClientOptions Options(ForeignConnect connect)
    {
        bool v5 = connect.Version == Versions.V5;
        var options = new MqttClientOptionsBuilder()
            .WithTcpServer("127.0.0.1", connect.Port)
            .WithProtocolVersion(v5 ? MqttProtocolVersion.V500 : MqttProtocolVersion.V311)
            .WithClientId(connect.ClientId)
            .WithCleanSession(connect.Clean);
        if (v5 && connect.ExpirySeconds is { } expiry) options.WithSessionExpiryInterval(expiry);
        if (connect.Will is { } will)
        {
            options.WithWillTopic(will.Topic).WithWillPayload(will.Payload).WithWillRetain(will.Retain)
                .WithWillQualityOfServiceLevel((MqttQualityOfServiceLevel)will.QoS);
            if (connect.WillDelaySeconds is { } delay) options.WithWillDelayInterval(delay);
        }

        return options.Build();
    }

    private MqttApplicationMessage Write(ForeignMessage message)
    {
        var builder = new MqttApplicationMessageBuilder()
            .WithTopic(message.Topic)
            .WithPayload(message.Payload)
            .WithQualityOfServiceLevel((MqttQualityOfServiceLevel)message.QoS)
            .WithRetainFlag(message.Retain);
        if (!_v5) return builder.Build();
        foreach ((string name, string value) in message.User ?? []) builder.WithUserProperty(name, System.Text.Encoding.UTF8.GetBytes(value).AsMemory());
        if (message.ContentType is not null) builder.WithContentType(message.ContentType);
        if (message.ResponseTopic is not null) builder.WithResponseTopic(message.ResponseTopic);
        if (message.Correlation is not null) builder.WithCorrelationData(message.Correlation);
        if (message.ExpirySeconds is { } seconds) builder.WithMessageExpiryInterval(seconds);
        if (message.Format is { } format) builder.WithPayloadFormatIndicator((MqttPayloadFormatIndicator)format);
        return builder.Build();
    }

    private static ForeignMessage Read(MqttApplicationMessage message) =>
        new(message.Topic, message.Payload.ToArray(), (int)message.QualityOfServiceLevel)
        {
            Retain = message.Retain,
            User = message.UserProperties?.Select(property => (property.Name, property.ReadValueAsString())).ToArray(),
            ContentType = message.ContentType,
            ResponseTopic = message.ResponseTopic,
            Correlation = message.CorrelationData,
            ExpirySeconds = message.MessageExpiryInterval,
            Format = (int)message.PayloadFormatIndicator,
            Identifiers = message.SubscriptionIdentifiers is { Count: > 0 } ids ? [.. ids] : null,
        };

    private static CancellationToken Deadline() => new CancellationTokenSource(ChildProcess.Timeout).Token;
}
