using System.Security.Cryptography;
using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

public sealed partial class MqttClient
{
    private readonly PendingResponses _responses = new();

    /// <summary>
    /// Publishes a request, with a response topic of this client's own and correlation data, and waits for the response (5.0, 4.10). Responses do not pass
    /// among the received messages, but are read behind those that came before them: whoever does not take messages gets no response either.
    /// </summary>
    /// <param name="request">The request, without response topic and correlation data.</param>
    /// <param name="timeout">How long to wait for all of it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The response.</returns>
    /// <exception cref="MqttException">The server refused the request or the subscription to the responses, no response came in time, or the client
    /// ended.</exception>
    public async Task<ReceivedMessage> RequestAsync(PublishMessage request, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (Version != ProtocolVersion.V5) throw new InvalidOperationException("MQTT 3.1.1 has no response topics; connect with 5.0.");
        using var over = new CancellationTokenSource(timeout, Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, over.Token);
        byte[]? correlation = null;
        try
        {
            string topic = await _responses.ListenAsync(SubscribeToResponsesAsync).WaitAsync(either.Token).ConfigureAwait(false);
            (correlation, Task<ReceivedMessage> response) = _responses.Add();
            await PublishAsync(Complete(request, topic, correlation), either.Token).ConfigureAwait(false);
            return await response.WaitAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new MqttException(
                $"No response to a request to {Encoding.UTF8.GetString(request.Topic.Span)} came within {timeout.TotalSeconds:0.#} s; check that whoever "
                + "answers there is connected.");
        }
        finally
        {
            if (correlation is not null) _responses.Remove(correlation);
        }
    }

    private static PublishMessage Complete(PublishMessage request, string topic, byte[] correlation)
    {
        var properties = new MqttProperties();
        properties.Add(PropertyId.ResponseTopic, topic);
        properties.Add(PropertyId.CorrelationData, correlation);
        return new PublishMessage(request.Topic, request.Payload)
        {
            QoS = request.QoS,
            Retain = request.Retain,
            ExpirySeconds = request.ExpirySeconds,
            TopicAlias = request.TopicAlias,
            EncodedProperties = (byte[])[.. request.EncodedProperties.Span, .. properties.EncodeForPublish()],
        };
    }

    // Nobody can guess it: what comes there was asked for.
    private async Task<string> SubscribeToResponsesAsync()
    {
        ConnectResult? granted = Granted;
        string name = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        string topic = $"{granted?.ResponseInformation?.TrimEnd('/') ?? "responses"}/{granted?.ClientId ?? _options.ClientId}/{name}";
        _responses.Take(Encoding.UTF8.GetBytes(topic));
        ReasonCode reason = (await SubscribeAsync(topic, QoS.AtLeastOnce, _lifetime.Token).ConfigureAwait(false))[0];
        if (!reason.IsError()) return topic;
        throw new MqttException($"The subscription to {topic}, for responses, was refused. {ReasonAdvice.For(reason)}", reason);
    }
}
