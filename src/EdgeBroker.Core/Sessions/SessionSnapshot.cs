using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Sessions;

/// <summary>A whole session on its way to another node: all that its client may rely on there as here.</summary>
/// <param name="clientId">The client id.</param>
public sealed class SessionSnapshot(string clientId)
{
    /// <summary>The client id.</summary>
    public string ClientId { get; } = clientId;

    /// <summary>The user who began it, and who alone resumes it; null: anonymous.</summary>
    public required string? UserName { get; init; }

    /// <summary>How long it outlives a connection; never 0.</summary>
    public required uint ExpirySeconds { get; init; }

    /// <summary>Milliseconds until it ends.</summary>
    public required long EndsInMs { get; init; }

    /// <summary>The will of its last connection that is not published yet, or null.</summary>
    public required Will? Will { get; init; }

    /// <summary>Milliseconds until that is published; without meaning where there is none.</summary>
    public required long WillInMs { get; init; }

    /// <summary>The last position given out; from positions follow packet identifiers.</summary>
    public required long LastPosition { get; init; }

    /// <summary>The last position that was ever sent to the client.</summary>
    public required long SentPosition { get; init; }

    /// <summary>Its subscriptions, none of them shared.</summary>
    public List<SnapshotSubscription> Subscriptions { get; } = [];

    /// <summary>Packet identifiers of QoS 2 publishes received and not released.</summary>
    public List<ushort> ReceivedIds { get; } = [];

    /// <summary>Positions of QoS 2 messages that PUBREC came for, and PUBCOMP did not; ascending.</summary>
    public List<long> Released { get; } = [];

    /// <summary>Messages that wait, or were sent and not answered, by ascending position.</summary>
    public List<SnapshotMessage> Messages { get; } = [];
}

/// <summary>A subscription of a session that moves.</summary>
/// <param name="Filter">The filter.</param>
/// <param name="Options">The granted options.</param>
/// <param name="Identifier">Its subscription identifier; 0: none.</param>
public readonly record struct SnapshotSubscription(byte[] Filter, SubscriptionOptions Options, uint Identifier)
{
    /// <summary>The same of another receiver.</summary>
    internal Subscription For(Session session) => new(session, Filter, Options, Identifier);
}

/// <summary>A message of a session that moves.</summary>
/// <param name="Position">Its position in the session's order, from 1.</param>
/// <param name="QoS">QoS of the delivery, not 0.</param>
/// <param name="Retain">RETAIN of the delivery.</param>
/// <param name="Identifiers">Identifiers of the subscriptions that caused it; null: none.</param>
/// <param name="Message">The message.</param>
public readonly record struct SnapshotMessage(long Position, QoS QoS, bool Retain, uint[]? Identifiers, Message Message);
