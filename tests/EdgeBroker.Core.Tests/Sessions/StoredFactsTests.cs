using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Sessions;

/// <summary>What a store is told is what it would need to give the sessions back.</summary>
public sealed class StoredFactsTests
{
    private readonly Facts _facts = new();
    private readonly Bench _bench;

    public StoredFactsTests() => _bench = new Bench(sessions: _facts);

    [Fact]
    public void A_session_that_ends_with_its_connection_leaves_no_trace()
    {
        Client client = _bench.Connect("c", will: Bench.WillOf("w", "w"));
        client.Subscribe("a", QoS.AtLeastOnce);
        _bench.Publish("a", "m", QoS.AtLeastOnce);
        client.Drop();
        Assert.Empty(_facts.Told);
    }

    [Fact]
    public void Messages_are_stored_until_they_are_acknowledged()
    {
        Client client = _bench.Connect("c", expirySeconds: 60, receiveMaximum: 1);
        client.Subscribe("a", QoS.ExactlyOnce);
        for (int i = 0; i < 3; i++) _bench.Publish("a", "m", (QoS)i);
        Assert.Equal(2, _facts.Messages.Count);
        client.Puback(1);
        client.Pump();
        Assert.Single(_facts.Messages);
        client.Pubrec(2);
        Assert.Contains("released c 2 2", _facts.Told);
        client.Pubcomp(2);
        Assert.Empty(_facts.Messages);
    }

    [Fact]
    public void Giving_up_the_expiry_deletes_what_was_stored()
    {
        Client client = _bench.Connect("c", expirySeconds: 60);
        client.Subscribe("a", QoS.AtLeastOnce);
        client.Drop();
        _bench.Connect("c", expirySeconds: 0);
        Assert.Equal("deleted c", _facts.Told[^1]);
    }

    [Fact]
    public void Giving_up_the_expiry_with_disconnect_deletes_what_was_stored()
    {
        Client client = _bench.Connect("c", expirySeconds: 60, will: Bench.WillOf("w", "w"));
        client.Disconnect(newExpirySeconds: 0);
        Assert.Equal("deleted c", _facts.Told[^1]);
        Assert.Single(_facts.Told, told => told == "deleted c");
    }

    [Fact]
    public void A_connection_without_a_will_takes_the_stored_one_back()
    {
        _bench.Connect("c", expirySeconds: 60, will: Bench.WillOf("w", "w", delaySeconds: 5)).Drop();
        _bench.Connect("c", expirySeconds: 60);
        Assert.Equal("will c none", _facts.Told[^1]);
    }

    [Theory]
    [InlineData(QueueOverflow.DropOldest)]
    [InlineData(QueueOverflow.Reject)]
    public void What_a_full_queue_drops_is_not_stored(QueueOverflow overflow)
    {
        var bench = new Bench(new MqttOptions { MaxQueuedMessages = 2, QueueOverflow = overflow, SysInterval = TimeSpan.Zero }, _facts);
        Client client = bench.Connect("c", expirySeconds: 60);
        client.Subscribe("a", QoS.AtLeastOnce);
        client.Drop();
        for (int i = 0; i < 5; i++) bench.Publish("a", "m" + i, QoS.AtLeastOnce);
        Assert.Equal(2, _facts.Messages.Count);
    }

    private sealed class Facts : ISessionStore
    {
        public List<string> Told { get; } = [];

        public HashSet<(string, long)> Messages { get; } = [];

        public bool IsCommitted(CommitToken token) => true;

        public void WhenCommitted(CommitToken token, Action committed) => committed();

        public CommitToken SaveSession(string clientId, uint expirySeconds) => Tell($"session {clientId} {expirySeconds}");

        public CommitToken DeleteSession(string clientId)
        {
            Messages.RemoveWhere(one => one.Item1 == clientId);
            return Tell($"deleted {clientId}");
        }

        public CommitToken SaveSubscription(string clientId, Subscription subscription) => Tell($"subscribed {clientId}");

        public CommitToken DeleteSubscription(string clientId, byte[] filter) => Tell($"unsubscribed {clientId}");

        public CommitToken Enqueue(
            string clientId, long position, Message message, QoS qos, bool retain, uint[]? subscriptionIdentifiers, byte[]? sharedFilter)
        {
            Assert.True(Messages.Add((clientId, position)));
            return Tell($"queued {clientId} {position}");
        }

        public CommitToken MarkReleased(string clientId, long position, ushort packetId) => Tell($"released {clientId} {position} {packetId}");

        public CommitToken Dequeue(string clientId, long position)
        {
            Assert.True(Messages.Remove((clientId, position)));
            return Tell($"done {clientId} {position}");
        }

        public CommitToken AddReceivedId(string clientId, ushort packetId) => Tell($"received {clientId} {packetId}");

        public CommitToken RemoveReceivedId(string clientId, ushort packetId) => Tell($"received done {clientId} {packetId}");

        public CommitToken SaveWill(string clientId, Will? will) => Tell($"will {clientId} {(will is null ? "none" : "some")}");

        private CommitToken Tell(string fact)
        {
            Told.Add(fact);
            return new CommitToken(Told.Count);
        }
    }
}
