namespace EdgeBroker.Conformance.Tests.V5;

/// <summary>PUBLISH: flags, topic and alias (3.3.1, 3.3.2).</summary>
public sealed class Section_3_3_Publish_header
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [Requirement("MQTT-3.3.1-1")]
    [Requirement("MQTT-4.3.2-2")]
    [Requirement("MQTT-4.3.3-2")]
    public async Task DUP_is_set_on_what_is_sent_again_and_only_there(int qos)
    {
        await using var broker = new TestBroker();
        TestClient client = await Check.SubscriberAsync(broker, "a", 2, "one", Prop.SessionExpiry(100));
        await client.SendAsync(client.Packets.Publish("a", "x", qos, 7));
        await client.ExpectPublishAsync("a", "x", qos, dup: false);
        await client.DropAsync();
        client = await broker.ConnectAsync("one", cleanStart: false, properties: Prop.SessionExpiry(100), sessionPresent: true);
        await client.ExpectAsync(client.Packets.Publish("a", "x", qos, 1, dup: true));
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.3.1-3")]
    [Requirement("MQTT-4.3.2-2")]
    public async Task The_publishers_DUP_is_its_own()
    {
        await using var broker = new TestBroker();
        TestClient subscriber = await Check.SubscriberAsync(broker, "a", 2);
        TestClient publisher = await broker.ConnectAsync("publisher");
        await publisher.SendAsync(publisher.Packets.Publish("a", "one", 1, 7, dup: true), publisher.Packets.Publish("a", "two", 2, 8, dup: true));
        await subscriber.ExpectPublishAsync("a", "one", 1, dup: false);
        await subscriber.ExpectPublishAsync("a", "two", 2, dup: false);
    }

    [Fact]
    [Requirement("MQTT-3.3.1-2")]
    public async Task DUP_at_QoS_0_is_malformed() => await Check.DisconnectsAsync(Packets.V5.Publish("a", dup: true), ReasonCode.MalformedPacket);

    [Fact]
    [Requirement("MQTT-3.3.1-4")]
    public async Task QoS_3_is_malformed() => await Check.DisconnectsAsync(Packets.V5.Publish("a", "x", 3, 1), ReasonCode.MalformedPacket);

    [Fact]
    [Requirement("MQTT-3.3.2-1")]
    public async Task A_topic_that_is_no_text_is_malformed() =>
        await Check.DisconnectsAsync(Wire.Packet(0x30, [.. Wire.Binary(0xC3, 0x28), 0]), ReasonCode.MalformedPacket);

    [Theory]
    [InlineData("#")]
    [InlineData("a/+/b")]
    [InlineData("a+")]
    [Requirement("MQTT-3.3.2-2")]
    [Requirement("MQTT-4.7.0-1")]
    public async Task A_topic_with_a_wildcard_is_refused(string topic) => await Check.DisconnectsAsync(Packets.V5.Publish(topic), ReasonCode.TopicNameInvalid);

    [Fact]
    [Requirement("MQTT-4.7.3-1")]
    public async Task A_topic_of_no_characters_is_refused() => await Check.DisconnectsAsync(Packets.V5.Publish(""), ReasonCode.ProtocolError);

    [Fact]
    [Requirement("MQTT-3.3.2-3")]
    public async Task What_is_delivered_has_the_topic_it_was_published_to()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one");
        await client.SubscribeAsync("a/+/#");
        foreach (string topic in (string[])["a/b", "a//", "a/b/c/d"]) await client.SendAsync(client.Packets.Publish(topic, "x"));
        await client.SendAsync(client.Packets.Publish("a"), client.Packets.Publish("b/a/b"));
        foreach (string topic in (string[])["a/b", "a//", "a/b/c/d"]) await client.ExpectAsync(client.Packets.Publish(topic, "x"));
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.3.2-12")]
    [Requirement("MQTT-3.3.2-9")]
    public async Task Every_alias_up_to_the_maximum_is_taken()
    {
        await using var broker = new TestBroker(TestBrokerOptions.Quiet with { TopicAliasMaximum = 5 });
        TestClient subscriber = await Check.SubscriberAsync(broker, "#");
        TestClient publisher = await broker.ConnectAsync("publisher");
        Assert.Equal(5u, publisher.Connack.Properties.Number(PropertyId.TopicAliasMaximum));
        for (int alias = 5; alias >= 1; alias--) await publisher.SendAsync(publisher.Packets.Publish($"t{alias}", "set", properties: Prop.TopicAlias(alias)));
        for (int alias = 1; alias <= 5; alias++) await publisher.SendAsync(publisher.Packets.Publish("", "used", properties: Prop.TopicAlias(alias)));
        await publisher.SendAsync(
            publisher.Packets.Publish("other", "changed", properties: Prop.TopicAlias(3)),
            publisher.Packets.Publish("", "used", 1, 9, properties: Prop.TopicAlias(3)));
        for (int alias = 5; alias >= 1; alias--) await subscriber.ExpectAsync(subscriber.Packets.Publish($"t{alias}", "set"));
        for (int alias = 1; alias <= 5; alias++) await subscriber.ExpectAsync(subscriber.Packets.Publish($"t{alias}", "used"));
        await subscriber.ExpectAsync(subscriber.Packets.Publish("other", "changed"), subscriber.Packets.Publish("other", "used"));
        await publisher.SendAsync(publisher.Packets.Publish("t6", properties: Prop.TopicAlias(6)));
        await publisher.ExpectAsync(publisher.Packets.Puback(9));
        await publisher.ExpectDisconnectAsync(ReasonCode.TopicAliasInvalid);
    }

    [Fact]
    [Requirement("MQTT-3.3.2-8")]
    public async Task Alias_0_is_refused() =>
        await Check.DisconnectsAsync(Packets.V5.Publish("a", properties: Prop.TopicAlias(0)), ReasonCode.TopicAliasInvalid);

    [Fact]
    public async Task An_alias_without_a_topic_is_a_protocol_error() =>
        await Check.DisconnectsAsync(Packets.V5.Publish("", properties: Prop.TopicAlias(1)), ReasonCode.ProtocolError);

    [Fact]
    public async Task Aliases_for_too_many_bytes_of_topics_are_refused()
    {
        await using var broker = new TestBroker(TestBrokerOptions.Quiet with { TopicAliasMaximum = 5 });
        TestClient client = await broker.ConnectAsync("one");
        // Four of the longest topics fit into 256 KB; replacing one of them needs no more.
        string topic = new('a', 65_000);
        for (int alias = 1; alias <= 4; alias++) await client.SendAsync(client.Packets.Publish(topic, properties: Prop.TopicAlias(alias)));
        await client.SendAsync(client.Packets.Publish("a", properties: Prop.TopicAlias(4)));
        await client.ExpectNothingAsync();
        await client.SendAsync(client.Packets.Publish(topic, properties: Prop.TopicAlias(4)));
        await client.ExpectNothingAsync();
        await client.SendAsync(client.Packets.Publish(topic, properties: Prop.TopicAlias(5)));
        await client.ExpectDisconnectAsync(ReasonCode.QuotaExceeded);
    }

    [Fact]
    [Requirement("MQTT-3.2.2-17")]
    [Requirement("MQTT-3.2.2-18")]
    public async Task Where_no_aliases_are_offered_every_alias_is_refused()
    {
        await using var broker = new TestBroker(TestBrokerOptions.Quiet with { TopicAliasMaximum = 0 });
        TestClient client = await broker.ConnectAsync("one");
        Assert.False(client.Connack.Properties.Has(PropertyId.TopicAliasMaximum));
        await client.SendAsync(client.Packets.Publish("a", properties: Prop.TopicAlias(1)));
        await client.ExpectDisconnectAsync(ReasonCode.TopicAliasInvalid);
    }

    [Fact]
    [Requirement("MQTT-3.3.2-7")]
    public async Task Aliases_of_a_client_end_with_the_connection()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one", properties: Prop.SessionExpiry(100));
        await client.PublishAsync("a", "x", properties: Prop.TopicAlias(1));
        await client.DropAsync();
        client = await broker.ConnectAsync("one", cleanStart: false, properties: Prop.SessionExpiry(100), sessionPresent: true);
        await client.SendAsync(client.Packets.Publish("", "x", properties: Prop.TopicAlias(1)));
        await client.ExpectDisconnectAsync(ReasonCode.ProtocolError);
    }

    [Fact]
    [Requirement("MQTT-3.1.2-26")]
    [Requirement("MQTT-3.3.2-11")]
    [Requirement("MQTT-3.3.2-8")]
    public async Task The_broker_gives_the_least_recently_used_alias_to_a_new_topic()
    {
        await using var broker = new TestBroker();
        TestClient subscriber = await Check.SubscriberAsync(broker, "#", 1, properties: Prop.TopicAliasMaximum(2));
        TestClient publisher = await broker.ConnectAsync("publisher");
        foreach (string topic in (string[])["a", "b", "a", "c", "a", "b", "c"]) await publisher.PublishAsync(topic, topic);
        Packets packets = subscriber.Packets;
        await subscriber.ExpectAsync(
            packets.Publish("a", "a", properties: Prop.TopicAlias(1)),
            packets.Publish("b", "b", properties: Prop.TopicAlias(2)),
            packets.Publish("", "a", properties: Prop.TopicAlias(1)),
            packets.Publish("c", "c", properties: Prop.TopicAlias(2)),
            packets.Publish("", "a", properties: Prop.TopicAlias(1)),
            packets.Publish("b", "b", properties: Prop.TopicAlias(2)),
            packets.Publish("c", "c", properties: Prop.TopicAlias(1)));
    }

    [Fact]
    [Requirement("MQTT-3.3.2-7")]
    [Requirement("MQTT-4.4.0-1")]
    public async Task Aliases_of_the_broker_end_with_the_connection()
    {
        await using var broker = new TestBroker();
        byte[] properties = [.. Prop.SessionExpiry(100), .. Prop.TopicAliasMaximum(5)];
        TestClient client = await Check.SubscriberAsync(broker, "a", 1, "one", properties);
        TestClient publisher = await broker.ConnectAsync("publisher");
        await publisher.PublishAsync("a", "1", 1);
        await publisher.PublishAsync("a", "2", 1);
        await client.ExpectAsync(
            client.Packets.Publish("a", "1", 1, 1, properties: Prop.TopicAlias(1)), client.Packets.Publish("", "2", 1, 2, properties: Prop.TopicAlias(1)));
        await client.DropAsync();
        client = await broker.ConnectAsync("one", cleanStart: false, properties: properties, sessionPresent: true);
        await client.ExpectAsync(
            client.Packets.Publish("a", "1", 1, 1, dup: true, properties: Prop.TopicAlias(1)),
            client.Packets.Publish("", "2", 1, 2, dup: true, properties: Prop.TopicAlias(1)));
        await client.DropAsync();
        client = await broker.ConnectAsync("one", cleanStart: false, sessionPresent: true);
        await client.ExpectAsync(client.Packets.Publish("a", "1", 1, 1, dup: true), client.Packets.Publish("a", "2", 1, 2, dup: true));
    }

    [Fact]
    [Requirement("MQTT-4.7.3-3")]
    public async Task The_longest_topic_there_can_be_goes_through()
    {
        await using var broker = new TestBroker();
        string topic = new('t', 65_535);
        TestClient client = await Check.SubscriberAsync(broker, topic);
        await client.PublishAsync(topic, "x");
        await client.ExpectAsync(client.Packets.Publish(topic, "x"));
    }

    [Fact]
    public async Task SYS_is_for_reading_only()
    {
        await using var broker = new TestBroker(TestBrokerOptions.Quiet with { SysInterval = TimeSpan.FromSeconds(10) });
        broker.RunDue();
        TestClient client = await Check.SubscriberAsync(broker, "$SYS/broker/version");
        await client.ExpectPublishAsync("$SYS/broker/version", "edgebroker version test", retain: true);
        TestClient forger = await broker.ConnectAsync("forger");
        await forger.SendAsync(
            forger.Packets.Publish("$SYS/broker/version", "0"), forger.Packets.Publish("$SYS/broker/version", "1", 1, 1, retain: true),
            forger.Packets.Publish("$SYS/x", "2", 2, 2));
        Assert.Equal(ReasonCode.NotAuthorized, (await forger.ExpectAsync(PacketType.Puback)).Reason);
        Assert.Equal(ReasonCode.NotAuthorized, (await forger.ExpectAsync(PacketType.Pubrec)).Reason);
        await forger.ExpectNothingAsync();
        await client.ExpectNothingAsync();
        Assert.Equal(3, broker.Events.Count(BrokerEventKind.PublishRefused, "forger"));
    }
}
