namespace EdgeBroker.Conformance.Tests.V311;

/// <summary>The will (3.1.2.5 to 3.1.2.7, 3.14.4).</summary>
public sealed class Section_3_1_2_Connect_will
{
    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [Requirement("MQTT-3.1.2-8", "3.1.1")]
    [Requirement("MQTT-3.1.2-9", "3.1.1")]
    [Requirement("MQTT-3.1.2-16", "3.1.1")]
    [Requirement("MQTT-3.1.2-17", "3.1.1")]
    public async Task The_will_is_published_as_it_was_given(int qos, bool retain)
    {
        await using var broker = new TestBroker();
        TestClient witness = await broker.SubscriberAsync("will/+", 2);
        TestClient client = await broker.JoinAsync("one", will: new TestWill("will/one", "gone", qos, retain));
        await witness.ExpectNothingAsync();
        await client.DropAsync();
        await witness.AcknowledgeAsync(await witness.ExpectPublishAsync("will/one", "gone", qos));
        TestClient late = await broker.SubscriberAsync("will/one", 2, "late");
        if (retain) await late.ExpectPublishAsync("will/one", "gone", qos, retain: true);
        else await late.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.1.2-8", "3.1.1")]
    public async Task The_will_is_published_when_the_broker_cuts_the_client_off()
    {
        await using var broker = new TestBroker();
        TestClient witness = await broker.SubscriberAsync("gone");
        TestClient client = await broker.JoinAsync("one", will: new TestWill("gone", "broke a rule"));
        await client.SendAsync([0x00, 0x00]);
        await client.ExpectClosedAsync();
        await witness.ExpectPublishAsync("gone", "broke a rule");
        TestClient older = await broker.JoinAsync("two", will: new TestWill("gone", "taken over"));
        await broker.JoinAsync("two");
        await older.ExpectClosedAsync();
        await witness.ExpectPublishAsync("gone", "taken over");
    }

    [Fact]
    [Requirement("MQTT-3.1.2-8", "3.1.1")]
    [Requirement("MQTT-3.1.2-10", "3.1.1")]
    [Requirement("MQTT-3.14.4-3", "3.1.1")]
    public async Task A_goodbye_removes_the_will()
    {
        await using var broker = new TestBroker();
        TestClient witness = await broker.SubscriberAsync("#");
        TestClient client = await broker.JoinAsync("one", clean: false, will: new TestWill("gone", "no"));
        await client.DisconnectAsync();
        await witness.ExpectNothingAsync();
        // Nor is it there for a later connection of the session.
        client = await broker.JoinAsync("one", clean: false, sessionPresent: true);
        await client.DropAsync();
        await witness.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.1.2-10", "3.1.1")]
    [Requirement("MQTT-3.1.2-12", "3.1.1")]
    public async Task A_published_will_is_used_up()
    {
        await using var broker = new TestBroker();
        TestClient witness = await broker.SubscriberAsync("#");
        TestClient client = await broker.JoinAsync("one", clean: false, will: new TestWill("gone", "once"));
        await client.DropAsync();
        await witness.ExpectPublishAsync("gone", "once");
        client = await broker.JoinAsync("one", clean: false, sessionPresent: true);
        await client.DropAsync();
        await witness.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.1.2-9", "3.1.1")]
    public async Task With_the_will_flag_its_fields_are_there()
    {
        await Check.ClosesSilentlyAsync(Check.Connect(0x06, Wire.Text("one")));
        await Check.ClosesSilentlyAsync(Check.Connect(0x06, [.. Wire.Text("one"), .. Wire.Text("topic without message")]));
    }
}
