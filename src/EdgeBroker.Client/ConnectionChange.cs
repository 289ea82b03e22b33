namespace EdgeBroker.Client;

/// <summary>A connection was made or lost, or a subscription could not be restored on a new one.</summary>
/// <param name="IsConnected">Whether there is a connection now.</param>
/// <param name="Connected">What the server granted, when one was made.</param>
/// <param name="Failure">Why it was lost, could not be made, or a subscription could not be restored.</param>
/// <param name="NextAttemptIn">How long until the next attempt, when there will be one.</param>
public sealed record ConnectionChange(bool IsConnected, ConnectResult? Connected, MqttException? Failure, TimeSpan? NextAttemptIn);
