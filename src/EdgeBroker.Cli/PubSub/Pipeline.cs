using EdgeBroker.Client;
using EdgeBroker.Protocol;

namespace EdgeBroker.Cli.PubSub;

/// <summary>Publishes without waiting for each acknowledgement, up to a number outstanding.</summary>
internal sealed class Pipeline(MqttClient client, int depth)
{
    private readonly Queue<Task<ReasonCode>> _outstanding = new();

    /// <summary>Hands a message to the client; throws when an earlier one has failed.</summary>
    public async ValueTask PublishAsync(PublishMessage message, CancellationToken ending)
    {
        Task<ReasonCode> publish = client.PublishAsync(message, ending);
        if (message.QoS == QoS.AtMostOnce)
        {
            await publish;
            return;
        }

        _outstanding.Enqueue(publish);
        while (_outstanding.TryPeek(out Task<ReasonCode>? oldest) && (oldest.IsCompleted || _outstanding.Count >= depth)) await _outstanding.Dequeue();
    }

    /// <summary>Waits for every acknowledgement.</summary>
    public async Task DrainAsync(CancellationToken ending)
    {
        while (_outstanding.TryDequeue(out Task<ReasonCode>? publish)) await publish.WaitAsync(ending);
    }
}
