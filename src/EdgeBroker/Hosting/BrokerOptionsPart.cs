using EdgeBroker.Core;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Core.Limits;

namespace EdgeBroker.Hosting;

/// <summary>What bounds clients: <c>[mqtt]</c> and <c>[limits]</c>, each a record that is replaced as a whole.</summary>
internal sealed class BrokerOptionsPart(Broker broker) : IBrokerPart<(MqttOptions Mqtt, LimitOptions Limits)>
{
    /// <inheritdoc/>
    public string Name => "limits";

    /// <inheritdoc/>
    public ValueTask<IPreparedChange> PrepareAsync((MqttOptions Mqtt, LimitOptions Limits) next) =>
        ValueTask.FromResult<IPreparedChange>(new Change(broker, next.Mqtt, next.Limits));

    private sealed class Change(Broker broker, MqttOptions mqtt, LimitOptions limits) : IPreparedChange
    {
        public ValueTask ApplyAsync(ChangeNotes notes)
        {
            broker.Options = mqtt;
            broker.Limits.Replace(limits);
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
