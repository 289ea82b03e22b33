using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Ports;

/// <summary>
/// Where sessions live beyond the process. The broker appends facts in the order they happen to one session, under that session's gate: appending must
/// not block, call back or do IO. A fact that someone waits for yields a token.
/// </summary>
public interface ISessionStore : ICommitJournal
{
    /// <summary>The session exists, with this expiry.</summary>
    CommitToken SaveSession(string clientId, uint expirySeconds);

    /// <summary>The session and all it held is gone.</summary>
    CommitToken DeleteSession(string clientId);

    /// <summary>The session has this subscription, in place of one with the same filter.</summary>
    CommitToken SaveSubscription(string clientId, Subscription subscription);

    /// <summary>The session has no subscription with this filter.</summary>
    CommitToken DeleteSubscription(string clientId, byte[] filter);

    /// <summary>A message waits for the client at a position of the session's order.</summary>
    CommitToken Enqueue(string clientId, long position, Message message, QoS qos, bool retain, uint[]? subscriptionIdentifiers, byte[]? sharedFilter);

    /// <summary>PUBREC came for the message at the position: only PUBREL is owed now.</summary>
    CommitToken MarkReleased(string clientId, long position, ushort packetId);

    /// <summary>The message at the position is done with: acknowledged, expired or dropped.</summary>
    CommitToken Dequeue(string clientId, long position);

    /// <summary>A QoS 2 publish of the client was received under this identifier and not yet released; appended behind what the publish itself left.</summary>
    CommitToken AddReceivedId(string clientId, ushort packetId);

    /// <summary>The client released it.</summary>
    CommitToken RemoveReceivedId(string clientId, ushort packetId);

    /// <summary>The will the client left with its connection; null: none any more.</summary>
    CommitToken SaveWill(string clientId, Will? will);
}
