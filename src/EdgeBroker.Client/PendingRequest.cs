using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

/// <summary>A SUBSCRIBE or UNSUBSCRIBE waiting for its answer.</summary>
/// <param name="Answer">SUBACK or UNSUBACK.</param>
/// <param name="Filters">How many filters were asked for.</param>
internal sealed record PendingRequest(PacketType Answer, int Filters)
{
    public TaskCompletionSource<ReasonCode[]> Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Fail(MqttException failure)
    {
        if (Completion.TrySetException(failure)) _ = Completion.Task.Exception;
    }
}
