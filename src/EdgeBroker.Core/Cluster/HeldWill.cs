using EdgeBroker.Core.Messages;

namespace EdgeBroker.Core.Cluster;

/// <summary>A client's will, as a node needs it that publishes it in the place of the client's own.</summary>
/// <param name="UserName">Whose it is; null: an anonymous client's.</param>
/// <param name="Message">The message; its expiry counts from its publication.</param>
/// <param name="DelaySeconds">How long a new connection may still stop it; never longer than the session lasts.</param>
/// <param name="ExpirySeconds">Message expiry interval, or null.</param>
public sealed record HeldWill(string? UserName, Message Message, uint DelaySeconds, uint? ExpirySeconds);
