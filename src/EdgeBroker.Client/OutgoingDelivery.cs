using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

/// <summary>One QoS 1 or 2 message on its way to the server, from being accepted to its last acknowledgement.</summary>
internal sealed class OutgoingDelivery(PublishMessage message, long acceptedAt, FileMessageStore? store = null, long storeId = 0)
{
    private readonly TaskCompletionSource<ReasonCode> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What to send; null once PUBREC has come and only PUBREL is left to be sent.</summary>
    public PublishMessage? Message { get; private set; } = message;

    public QoS QoS { get; } = message.QoS;

    /// <summary>When it was accepted; its expiry counts from here.</summary>
    public long AcceptedAt { get; } = acceptedAt;

    /// <summary>Place among all accepted messages; re-sending follows it [MQTT-4.6.0-1].</summary>
    public long Sequence { get; set; }

    /// <summary>0 while it waits for its turn.</summary>
    public ushort PacketId { get; set; }

    /// <summary>Whether it was sent before in this session: then DUP [MQTT-3.3.1-1].</summary>
    public bool WasSent { get; set; }

    /// <summary>Whether the server has it for good (PUBREC came).</summary>
    public bool IsReleased => Message is null;

    /// <summary>Whether its caller has withdrawn it before it was sent.</summary>
    public bool IsWithdrawn { get; set; }

    public Task<ReasonCode> Completion => _completion.Task;

    public void Release() => Message = null;

    /// <summary>Whether it is kept in a file, and nobody waits for the server's answer.</summary>
    public bool IsStored => store is not null;

    /// <summary>The server has it for good.</summary>
    public void Complete(ReasonCode reason)
    {
        store?.Remove(storeId);
        _completion.TrySetResult(reason);
    }

    /// <summary>It is given up: refused, expired, or more than the server takes.</summary>
    public void GiveUp(MqttException failure)
    {
        store?.Remove(storeId);
        Fail(failure);
    }

    /// <summary>Its caller waits no longer; it may still go out.</summary>
    public void Fail(MqttException failure)
    {
        if (!_completion.TrySetException(failure)) return;
        // A caller that gave up waiting must not turn this into an unobserved exception.
        _ = _completion.Task.Exception;
    }
}
