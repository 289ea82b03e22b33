using EdgeBroker.Core.Messages;

namespace EdgeBroker.Core.Sessions;

/// <summary>What is published if the client goes without saying goodbye (3.1.2.5).</summary>
/// <param name="Message">The message; its expiry counts from its publication.</param>
/// <param name="DelaySeconds">Will delay interval: how long a new connection may still stop it.</param>
/// <param name="ExpirySeconds">Message expiry interval, or null.</param>
public sealed record Will(Message Message, uint DelaySeconds, uint? ExpirySeconds)
{
    /// <summary>Whose it is; null: its client connected to an earlier life of the process, or nobody restricts it.</summary>
    public IWillAuthor? Author { get; init; }
}
