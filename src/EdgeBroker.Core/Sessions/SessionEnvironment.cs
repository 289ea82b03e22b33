using EdgeBroker.Core.Ports;

namespace EdgeBroker.Core.Sessions;

/// <summary>What all sessions of a broker share.</summary>
/// <param name="Options">The limits.</param>
/// <param name="Clock">The broker's clock.</param>
/// <param name="Journal">Where sessions are kept.</param>
internal sealed record SessionEnvironment(MqttOptions Options, BrokerClock Clock, IJournal Journal);
