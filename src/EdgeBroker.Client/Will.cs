namespace EdgeBroker.Client;

/// <summary>The message the server publishes when the connection ends without DISCONNECT.</summary>
/// <param name="Message">Topic, payload, QoS and retain; expiry and further properties belong in <paramref name="Properties"/>.</param>
/// <param name="Properties">Will delay and message properties (5.0).</param>
public sealed record Will(PublishMessage Message, MqttProperties? Properties = null);
