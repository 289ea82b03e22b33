using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

/// <summary>One QoS 1 or 2 message on its way to the server, from being accepted to its last acknowledgement.</summary>
/// <param name="message">The message.</param>
/// <param name="acceptedAt">When it was accepted.</param>
/// <param name="store">The file that keeps it; null: none does.</param>
/// <param name="storeId">Its number there.</param>
/// <param name="kept">Ends when the file has it; null: it has.</param>
internal sealed class OutgoingDelivery(PublishMessage message, long acceptedAt, FileMessageStore? store = null, long storeId = 0, Task? kept = null)
{
    private readonly TaskCompletionSource<ReasonCode> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What to send; null once PUBREC has come and only PUBREL is left to be sent.</summary>
    public PublishMessage? Message { get; private set; } = message;

    public QoS QoS { get; } = message.QoS;

    /// <summary>When it was accepted; its expiry counts from here.</summary>
    public long AcceptedAt { get; } = acceptedAt;

    /// <summary>Place among all accepted messages; re-sending follows it [MQTT-4.6.0-1].</summary>
    public long Sequence { get; set; }

    /// <summary>0 while it waits for its turn; one that is kept in a file has the same all its life.</summary>
    public ushort PacketId { get; set; } = store is null ? (ushort)0 : StoredMessage.PacketIdOf(storeId);

    /// <summary>Whether it was sent before in this session: then DUP [MQTT-3.3.1-1].</summary>
    public bool WasSent { get; set; }

    /// <summary>Whether the server has it for good (PUBREC came).</summary>
    public bool IsReleased => Message is null;

    /// <summary>Whether its caller has withdrawn it before it was sent.</summary>
    public bool IsWithdrawn { get; set; }

    public Task<ReasonCode> Completion => _completion.Task;

    /// <summary>What its next packet waits for: that the file says what the packet lets the server forget, or has the message at all.</summary>
    public Task Kept { get; private set; } = kept ?? Task.CompletedTask;

    /// <summary>Whether its next packet may go. PUBREL goes, too, where the file cannot be written: the server has the message.</summary>
    public bool MayGo => IsReleased ? Kept.IsCompleted : Kept.IsCompletedSuccessfully;

    /// <summary>PUBREC has come.</summary>
    public void Release()
    {
        if (IsReleased) return;
        Message = null;
        if (store is not null) Kept = store.NoteReceived(storeId);
    }

    /// <summary>An earlier process has sent it, or may have: it goes again as such, or only its PUBREL does.</summary>
    /// <param name="isReceived">Whether only PUBREL is left to be sent.</param>
    public void Resume(bool isReceived)
    {
        WasSent = true;
        if (isReceived) Message = null;
    }

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
