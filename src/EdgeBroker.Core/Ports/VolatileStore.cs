using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Ports;

/// <summary>The store of a broker whose sessions and retained messages live as long as the process: they are all in memory already, so it keeps nothing.</summary>
public sealed class VolatileStore : ISessionStore, IRetainedStore
{
    public bool IsCommitted(CommitToken token) => true;

    public void WhenCommitted(CommitToken token, Action committed) => committed();

    public CommitToken SaveSession(string clientId, uint expirySeconds) => CommitToken.None;

    public CommitToken DeleteSession(string clientId) => CommitToken.None;

    public CommitToken SaveSubscription(string clientId, Subscription subscription) => CommitToken.None;

    public CommitToken DeleteSubscription(string clientId, byte[] filter) => CommitToken.None;

    public CommitToken Enqueue(
        string clientId, long position, Message message, QoS qos, bool retain, uint[]? subscriptionIdentifiers, byte[]? sharedFilter) => CommitToken.None;

    public CommitToken MarkReleased(string clientId, long position, ushort packetId) => CommitToken.None;

    public CommitToken Dequeue(string clientId, long position) => CommitToken.None;

    public CommitToken AddReceivedId(string clientId, ushort packetId) => CommitToken.None;

    public CommitToken RemoveReceivedId(string clientId, ushort packetId) => CommitToken.None;

    public CommitToken SaveWill(string clientId, Will? will) => CommitToken.None;

    public CommitToken Save(Message message) => CommitToken.None;

    public CommitToken Delete(byte[] topic) => CommitToken.None;
}
