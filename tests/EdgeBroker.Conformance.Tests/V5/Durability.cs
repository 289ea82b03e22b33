using EdgeBroker.Core.Journaling;

namespace EdgeBroker.Conformance.Tests.V5;

/// <summary>An acknowledgement means "on disk": what waits for the journal, and in what order it is released.</summary>
public sealed class Durability
{
    private static readonly byte[] Kept = Prop.SessionExpiry(100);

    private static async Task<(TestBroker Broker, TestJournal Journal, TestClient Publisher)> StartAsync()
    {
        var journal = new TestJournal();
        var broker = new TestBroker(new TestBrokerOptions { Journal = journal });
        TestClient kept = await broker.ConnectAsync("kept", properties: Kept);
        await kept.SendAsync(kept.Packets.Subscribe(1, "kept/#", 2));
        await kept.ExpectNothingAsync();
        journal.Commit();
        await kept.ExpectAsync(kept.Packets.Suback(1, 2));
        await kept.DropAsync();
        journal.Commit();
        return (broker, journal, await broker.ConnectAsync("publisher"));
    }

    [Fact]
    [Requirement("MQTT-4.3.2-4")]
    [Requirement("MQTT-4.3.3-8")]
    public async Task Acknowledgements_wait_for_the_commit_and_keep_their_order()
    {
        (TestBroker broker, TestJournal journal, TestClient publisher) = await StartAsync();
        await using TestBroker _ = broker;
        Packets packets = publisher.Packets;
        await publisher.SendAsync(packets.Publish("none", "", 1, 1), packets.Publish("kept/a", "", 1, 2), packets.Publish("none", "", 1, 3));
        await publisher.ExpectAsync(packets.Puback(1, ReasonCode.NoMatchingSubscribers));
        await publisher.ExpectNothingAsync();
        JournalFact? first = journal.Last;
        await publisher.SendAsync(packets.Publish("kept/a", "", 2, 4), packets.Subscribe(5, "x"), packets.Publish("kept/a", "", 1, 6));
        await publisher.ExpectNothingAsync();
        journal.Commit(first);
        await publisher.ExpectAsync(packets.Puback(2), packets.Puback(3, ReasonCode.NoMatchingSubscribers));
        await publisher.ExpectNothingAsync();
        journal.Commit();
        await publisher.ExpectAsync(packets.Pubrec(4), packets.Suback(5, 0), packets.Puback(6));
        await publisher.ExpectNothingAsync();
    }

    [Fact]
    public async Task Where_nothing_is_kept_nothing_waits()
    {
        (TestBroker broker, TestJournal journal, TestClient publisher) = await StartAsync();
        await using TestBroker _ = broker;
        await publisher.SubscribeAsync("a", 2);
        await publisher.PublishAsync("a", "1", 1);
        await publisher.PublishAsync("a", "2", 2);
        await publisher.PublishAsync("kept/x", "0", 0);
        Assert.DoesNotContain(journal.Facts, fact => fact.Contains("publisher", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_retained_message_waits()
    {
        (TestBroker broker, TestJournal journal, TestClient publisher) = await StartAsync();
        await using TestBroker _ = broker;
        await publisher.SendAsync(publisher.Packets.Publish("a", "x", 1, 1, retain: true));
        await publisher.ExpectNothingAsync();
        Assert.Equal("Save a", journal.Facts[^1]);
        journal.Commit();
        await publisher.ExpectAsync(publisher.Packets.Puback(1, ReasonCode.NoMatchingSubscribers));
        await publisher.SendAsync(publisher.Packets.Publish("a", "", 1, 2, retain: true));
        await publisher.ExpectNothingAsync();
        Assert.Equal("Delete a", journal.Facts[^1]);
        journal.Commit();
        await publisher.ExpectAsync(publisher.Packets.Puback(2, ReasonCode.NoMatchingSubscribers));
    }

    /// <summary>What asks the journal to hurry: what a client waits for, and only the disk can give.</summary>
    [Fact]
    public async Task Only_what_somebody_waits_for_is_urgent()
    {
        (TestBroker broker, TestJournal journal, TestClient publisher) = await StartAsync();
        await using TestBroker _ = broker;
        Packets packets = publisher.Packets;
        await Sends(packets.Publish("kept/a", "for one who is away", 1, 1), FactUrgency.Awaited);
        await Sends(packets.Publish("kept/a", "for one who is away", 2, 2), FactUrgency.Awaited);
        await Sends(packets.Publish("value", "x", 1, 3, retain: true), FactUrgency.Awaited);
        await Sends(packets.Publish("value", "x", 0, retain: true), FactUrgency.None);
        await Sends(packets.Publish("value", "", 1, 4, retain: true), FactUrgency.Awaited);
        journal.Commit();
        TestClient kept = await broker.ConnectAsync("kept publisher", properties: Kept);
        Assert.Equal(FactUrgency.None, journal.Last!.Urgency);
        publisher = kept;
        await Sends(kept.Packets.Publish("none", "its identifier", 2, 5), FactUrgency.Awaited);
        journal.Commit();
        await kept.ExpectAsync(kept.Packets.Pubrec(5, ReasonCode.NoMatchingSubscribers));
        await Sends(kept.Packets.Pubrel(5), FactUrgency.Awaited);
        await Sends(kept.Packets.Subscribe(6, "there/+", 2), FactUrgency.Urgent);
        journal.Commit();
        await kept.ExpectAsync(kept.Packets.Pubcomp(5), kept.Packets.Suback(6, 2));
        publisher = await broker.ConnectAsync("other");
        await Sends(publisher.Packets.Publish("there/1", "for one who acknowledges", 1, 7), FactUrgency.None);
        await kept.ExpectPublishAsync("there/1", "for one who acknowledges", 1);
        await Sends(publisher.Packets.Publish("there/2", "seen when it is on disk", 2, 8), FactUrgency.Awaited);
        journal.Commit();
        ReceivedPacket second = await kept.ExpectPublishAsync("there/2", "seen when it is on disk", 2);
        publisher = kept;
        await Sends(kept.Packets.Pubrec(second.PacketId), FactUrgency.Awaited);
        journal.Commit();
        await kept.ExpectAsync(kept.Packets.Pubrel(second.PacketId));
        await Sends(kept.Packets.Pubcomp(second.PacketId), FactUrgency.None);
        await Sends(kept.Packets.Unsubscribe(9, "there/+"), FactUrgency.Urgent);
        await kept.DropAsync();
        Assert.Equal(FactUrgency.None, journal.Last!.Urgency);

        async Task Sends(byte[] packet, FactUrgency expected)
        {
            JournalFact? before = journal.Last;
            await publisher.SendAsync(packet);
            await publisher.TakenAsync();
            Assert.NotSame(before, journal.Last);
            Assert.Equal(expected, journal.Last!.Urgency);
        }
    }

    [Fact]
    [Requirement("MQTT-4.3.3-10")]
    [Requirement("MQTT-4.3.3-12")]
    public async Task The_identifiers_of_a_kept_publisher_are_on_disk_before_they_are_answered()
    {
        (TestBroker broker, TestJournal journal, TestClient _) = await StartAsync();
        await using TestBroker disposed = broker;
        TestClient publisher = await broker.ConnectAsync("kept publisher", properties: Kept);
        await publisher.SendAsync(publisher.Packets.Publish("none", "", 2, 7));
        await publisher.ExpectNothingAsync();
        Assert.Equal("AddReceivedId kept publisher 7", journal.Facts[^1]);
        // A repetition while the first waits is no new message and answers behind it.
        await publisher.SendAsync(publisher.Packets.Publish("none", "", 2, 7, dup: true));
        await publisher.ExpectNothingAsync();
        journal.Commit();
        await publisher.ExpectAsync(publisher.Packets.Pubrec(7, ReasonCode.NoMatchingSubscribers), publisher.Packets.Pubrec(7));
        // Were PUBCOMP sooner than the disk, the broker could forget after a crash that the identifier is free, and take the next message for a repetition.
        await publisher.SendAsync(publisher.Packets.Pubrel(7));
        await publisher.ExpectNothingAsync();
        Assert.Equal("RemoveReceivedId kept publisher 7", journal.Facts[^1]);
        journal.Commit();
        await publisher.ExpectAsync(publisher.Packets.Pubcomp(7));
    }

    [Fact]
    [Requirement("MQTT-4.3.3-8")]
    [Requirement("MQTT-4.3.3-10")]
    public async Task A_repetition_on_a_new_connection_waits_for_the_disk_as_its_original_did()
    {
        (TestBroker broker, TestJournal journal, TestClient _) = await StartAsync();
        await using TestBroker disposed = broker;
        TestClient publisher = await broker.ConnectAsync("kept publisher", properties: Kept);
        await publisher.SendAsync(publisher.Packets.Publish("kept/a", "", 2, 7));
        await publisher.ExpectNothingAsync();
        // One fact, and so one transaction.
        Assert.Equal(["Enqueue kept kept/a", "AddReceivedId kept publisher 7"], journal.Facts.TakeLast(2));
        await publisher.DropAsync();
        publisher = await broker.ConnectAsync("kept publisher", cleanStart: false, properties: Kept, sessionPresent: true);
        await publisher.SendAsync(publisher.Packets.Publish("kept/a", "", 2, 7, dup: true));
        await publisher.ExpectNothingAsync();
        journal.Commit();
        await publisher.ExpectAsync(publisher.Packets.Pubrec(7));
        Assert.Equal(1, journal.Facts.Count(fact => fact == "Enqueue kept kept/a"));
    }

    [Fact]
    [Requirement("MQTT-3.3.4-7")]
    public async Task What_waits_for_the_disk_counts_against_the_Receive_Maximum()
    {
        var journal = new TestJournal();
        await using var broker = new TestBroker(new TestBrokerOptions { Journal = journal, Mqtt = TestBrokerOptions.Quiet with { ReceiveMaximum = 2 } });
        TestClient client = await broker.ConnectAsync("one");
        await client.SendAsync(client.Packets.Publish("a", "1", 1, 1, retain: true), client.Packets.Publish("b", "2", 1, 2, retain: true));
        await client.ExpectNothingAsync();
        await client.SendAsync(client.Packets.Publish("c", "3", 1, 3, retain: true));
        await client.ExpectDisconnectAsync(ReasonCode.ReceiveMaximumExceeded);
    }

    [Fact]
    public async Task What_is_done_with_leaves_the_store()
    {
        (TestBroker broker, TestJournal journal, TestClient publisher) = await StartAsync();
        await using TestBroker _ = broker;
        await publisher.SendAsync(publisher.Packets.Publish("kept/a", "1", 1, 1), publisher.Packets.Publish("kept/b", "2", 2, 2));
        await publisher.FenceAsync();
        Assert.Equal(["Enqueue kept kept/a", "Enqueue kept kept/b"], journal.Facts.TakeLast(2));
        journal.Commit();
        TestClient kept = await broker.ConnectAsync("kept", cleanStart: false, properties: Kept, sessionPresent: true);
        await kept.AcknowledgeAsync(await kept.ExpectPublishAsync("kept/a", "1", 1));
        await kept.ExpectPublishAsync("kept/b", "2", 2);
        await kept.SendAsync(kept.Packets.Pubrec(2));
        // Were PUBREL sooner than the disk, a later life of the broker could send the message again to a client that has forgotten it.
        await kept.ExpectNothingAsync();
        Assert.Equal("MarkReleased kept 2", journal.Facts[^1]);
        journal.Commit();
        await kept.ExpectAsync(kept.Packets.Pubrel(2));
        await kept.SendAsync(kept.Packets.Pubcomp(2));
        await kept.FenceAsync();
        Assert.Equal(["SaveSession kept 100", "Dequeue kept", "MarkReleased kept 2", "Dequeue kept"], journal.Facts.TakeLast(4));
        await kept.SendAsync(kept.Packets.Unsubscribe(9, "kept/#"));
        await kept.ExpectNothingAsync();
        Assert.Equal("DeleteSubscription kept kept/#", journal.Facts[^1]);
        journal.Commit();
        await kept.ExpectAsync(kept.Packets.Unsuback(9, 0));
    }

    [Theory]
    [InlineData("expiry")]
    [InlineData("clean start")]
    [InlineData("DISCONNECT")]
    [InlineData("reconnect")]
    public async Task A_session_that_ends_leaves_the_store(string how)
    {
        (TestBroker broker, TestJournal journal, TestClient _) = await StartAsync();
        await using TestBroker disposed = broker;
        switch (how)
        {
            case "expiry": broker.Advance(100); break;
            case "clean start": await broker.ConnectAsync("kept"); break;
            case "DISCONNECT":
                await (await broker.ConnectAsync("kept", cleanStart: false, properties: Kept)).DisconnectAsync(properties: Prop.SessionExpiry(0));
                break;
            default: await (await broker.ConnectAsync("kept", cleanStart: false, sessionPresent: true)).DropAsync(); break;
        }

        Assert.Equal(1, journal.Facts.Count(fact => fact == "DeleteSession kept"));
        Assert.Equal("DeleteSession kept", journal.Facts.Last(fact => fact != "SaveSession kept 0"));
    }

    [Fact]
    [Requirement("MQTT-3.1.2-7")]
    [Requirement("MQTT-3.1.2-10")]
    public async Task A_will_of_a_kept_session_is_stored_until_it_is_published()
    {
        var journal = new TestJournal();
        await using var broker = new TestBroker(new TestBrokerOptions { Journal = journal });
        TestClient client = await broker.ConnectAsync("one", properties: Kept, will: new TestWill("gone"));
        Assert.Equal(["SaveSession one 100", "SaveWill one gone"], journal.Facts);
        await client.DropAsync();
        Assert.Equal("SaveWill one none", journal.Facts[^1]);
    }
}
