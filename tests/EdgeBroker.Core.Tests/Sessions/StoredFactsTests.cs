using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Core.Tests.Sessions;

/// <summary>What a store is told is what it would need to give the sessions back.</summary>
public sealed class StoredFactsTests
{
    private readonly TestJournal _journal = new();
    private readonly Bench _bench;

    public StoredFactsTests() => _bench = new Bench(journal: _journal);

    [Fact]
    public void A_session_that_ends_with_its_connection_leaves_no_trace()
    {
        Client client = _bench.Connect("c");
        client.Subscribe("a", QoS.AtLeastOnce);
        _bench.Publish("a", "m", QoS.AtLeastOnce);
        client.Drop();
        Assert.Empty(_journal.Facts);
    }

    [Fact]
    public void Of_a_session_that_ends_with_its_connection_only_the_will_is_stored()
    {
        Client client = _bench.Connect("c", will: Bench.WillOf("w", "w"));
        client.Subscribe("a", QoS.AtLeastOnce);
        _bench.Publish("a", "m", QoS.AtLeastOnce);
        client.Drop();
        Assert.Equal(["SaveSession c 0", "SaveWill c w", "DeleteSession c"], _journal.Facts);
    }

    [Fact]
    public void Messages_are_stored_until_they_are_acknowledged()
    {
        Client client = _bench.Connect("c", expirySeconds: 60, receiveMaximum: 1);
        client.Subscribe("a", QoS.ExactlyOnce);
        for (int i = 0; i < 3; i++) _bench.Publish("a", "m", (QoS)i);
        Assert.Equal(2, _journal.Messages.Count);
        client.Puback(1);
        client.Pump();
        Assert.Single(_journal.Messages);
        _journal.Commit();
        client.Pump();
        client.Pubrec(2);
        Assert.Contains("MarkReleased c 2", _journal.Facts);
        _journal.Commit();
        client.Pump();
        client.Pubcomp(2);
        Assert.Empty(_journal.Messages);
    }

    [Fact]
    public void Giving_up_the_expiry_keeps_what_is_stored_as_long_as_the_connection()
    {
        Client client = _bench.Connect("c", expirySeconds: 60);
        client.Subscribe("a", QoS.AtLeastOnce);
        client.Drop();
        client = _bench.Connect("c", expirySeconds: 0);
        Assert.Equal("SaveSession c 0", _journal.Facts[^1]);
        client.Drop();
        Assert.Equal("DeleteSession c", _journal.Facts[^1]);
    }

    [Fact]
    public void Giving_up_the_expiry_with_disconnect_deletes_what_was_stored()
    {
        Client client = _bench.Connect("c", expirySeconds: 60, will: Bench.WillOf("w", "w"));
        client.Disconnect(newExpirySeconds: 0);
        Assert.Equal("DeleteSession c", _journal.Facts[^1]);
        Assert.Single(_journal.Facts, told => told == "DeleteSession c");
    }

    [Fact]
    public void A_connection_without_a_will_takes_the_stored_one_back()
    {
        _bench.Connect("c", expirySeconds: 60, will: Bench.WillOf("w", "w", delaySeconds: 5)).Drop();
        _bench.Connect("c", expirySeconds: 60);
        Assert.Equal("SaveWill c none", _journal.Facts[^1]);
    }

    [Fact]
    public void A_policy_of_its_own_is_stored_and_QoS_0_as_what_it_is()
    {
        var policy = new QueuePolicy(10, 1_000, TimeSpan.FromSeconds(5), 500, QueueOverflow.KeepLatestPerTopic, KeepsQoS0: true);
        Client client = _bench.Connect("c", expirySeconds: 60, policy: policy);
        Assert.Equal(policy, Assert.IsType<SessionSaved>(_journal.Last).QueuePolicy);
        client.Subscribe("+", QoS.ExactlyOnce);
        client.Drop();
        for (int i = 0; i < 3; i++)
        {
            _bench.Publish("a" + i, "m", (QoS)i);
            Assert.Equal((QoS)i, Assert.IsType<PublishRecord>(_journal.Last).Deliveries!.QoS);
        }
    }

    [Theory]
    [InlineData(QueueOverflow.DropOldest)]
    [InlineData(QueueOverflow.Reject)]
    public void What_a_full_queue_drops_is_not_stored(QueueOverflow overflow)
    {
        var bench = new Bench(new MqttOptions { MaxQueuedMessages = 2, QueueOverflow = overflow, SysInterval = TimeSpan.Zero }, _journal);
        Client client = bench.Connect("c", expirySeconds: 60);
        client.Subscribe("a", QoS.AtLeastOnce);
        client.Drop();
        for (int i = 0; i < 5; i++) bench.Publish("a", "m" + i, QoS.AtLeastOnce);
        Assert.Equal(2, _journal.Messages.Count);
    }
}
