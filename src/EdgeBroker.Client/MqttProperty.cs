using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

/// <summary>One 5.0 property to be sent.</summary>
/// <param name="Id">Which one.</param>
/// <param name="Number">Its value, when it is an integer.</param>
/// <param name="Name">The name of a user property, UTF-8.</param>
/// <param name="Value">The value of a string, binary or user property.</param>
public readonly record struct MqttProperty(PropertyId Id, uint Number, ReadOnlyMemory<byte> Name, ReadOnlyMemory<byte> Value);
