using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Sessions;

public sealed class DeliveryTests
{
    [Theory]
    [InlineData(QoS.AtMostOnce, QoS.ExactlyOnce, QoS.AtMostOnce)]
    [InlineData(QoS.AtLeastOnce, QoS.AtMostOnce, QoS.AtMostOnce)]
    [InlineData(QoS.ExactlyOnce, QoS.AtLeastOnce, QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce, QoS.ExactlyOnce, QoS.ExactlyOnce)]
    public void The_lower_qos_of_publish_and_subscription_holds(QoS published, QoS granted, QoS expected)
    {
        var bench = new Bench();
        Client client = bench.Connect("c");
        client.Subscribe("a", granted);
        Assert.Equal(ReasonCode.Success, bench.Publish("a", "m", published).Reason);
        Packet packet = Assert.Single(client.Sent);
        Assert.Equal((expected, expected == QoS.AtMostOnce ? 0 : 1, false), (packet.QoS, packet.Id, packet.Dup));
    }

    [Fact]
    public void Nobody_is_told_as_no_matching_subscribers()
    {
        var bench = new Bench();
        Assert.Equal(ReasonCode.NoMatchingSubscribers, bench.Publish("a", "m").Reason);
        bench.Connect("c").Subscribe("b");
        Assert.Equal(ReasonCode.NoMatchingSubscribers, bench.Publish("a", "m").Reason);
    }

    [Fact]
    public void Retain_is_cleared_unless_the_subscription_asks_for_it()
    {
        var bench = new Bench();
        Client plain = bench.Connect("plain"), asPublished = bench.Connect("asPublished");
        plain.Subscribe("a");
        asPublished.Subscribe("a", retainAsPublished: true);
        bench.Publish("a", "m", retain: true);
        Assert.False(Assert.Single(plain.Sent).Retain);
        Assert.True(Assert.Single(asPublished.Sent).Retain);
    }

    [Fact]
    public void No_local_keeps_a_client_s_own_messages_from_it()
    {
        var bench = new Bench();
        Client one = bench.Connect("one"), two = bench.Connect("two");
        one.Subscribe("a", noLocal: true);
        two.Subscribe("a", noLocal: true);
        one.Publish("a", "m");
        Assert.Empty(one.Sent);
        Assert.Single(two.Sent);
    }

    [Fact]
    public void Overlapping_subscriptions_give_one_copy_with_every_identifier()
    {
        var bench = new Bench();
        Client client = bench.Connect("c");
        client.Subscribe("a/+", QoS.AtLeastOnce, identifier: 7);
        client.Subscribe("a/#", QoS.ExactlyOnce, identifier: 300);
        bench.Publish("a/b", "m", QoS.ExactlyOnce);
        Packet packet = Assert.Single(client.Sent);
        Assert.Equal(QoS.ExactlyOnce, packet.QoS);
        Assert.Equal([7u, 300u], packet.SubscriptionIdentifiers.Order());
    }

    [Fact]
    public void A_message_waits_while_the_client_s_receive_maximum_is_reached()
    {
        var bench = new Bench();
        Client client = bench.Connect("c", receiveMaximum: 2);
        client.Subscribe("a", QoS.AtLeastOnce);
        for (int i = 1; i <= 5; i++) bench.Publish("a", "m" + i, QoS.AtLeastOnce);
        client.Pump();
        Assert.Equal(["m1", "m2"], client.Payloads);
        Assert.Equal(AckOutcome.Done, client.Puback(2));
        client.Pump();
        Assert.Equal(AckOutcome.UnknownId, client.Puback(2));
        client.Pump();
        Assert.Equal(["m1", "m2", "m3"], client.Payloads);
    }

    [Fact]
    public void A_message_waits_while_the_output_has_no_room_and_qos_0_does_not()
    {
        var bench = new Bench();
        Client client = bench.Connect("c");
        client.Subscribe("a", QoS.AtLeastOnce);
        client.Link.HasRoom = false;
        bench.Publish("a", "waits", QoS.AtLeastOnce);
        bench.Publish("a", "goes");
        client.Link.IsFull = true;
        bench.Publish("a", "dropped");
        client.Pump();
        Assert.Equal(["goes"], client.Payloads);
        client.Link.HasRoom = true;
        client.Pump();
        Assert.Equal(["goes", "waits"], client.Payloads);
        Assert.Equal(("c", DropReason.SlowClient, 1), Assert.Single(bench.Events.Dropped));
        Assert.Equal(1, bench.Broker.CountTraffic().PublishesDropped);
    }

    [Fact]
    public void What_is_too_large_for_the_client_is_dropped_as_if_it_were_delivered()
    {
        var bench = new Bench();
        Client client = bench.Connect("c", receiveMaximum: 1, link: new FakeLink { MaxPacketBytes = 30 });
        client.Subscribe("a", QoS.ExactlyOnce);
        for (int qos = 0; qos < 3; qos++) Assert.Equal(ReasonCode.Success, bench.Publish("a", new string('x', 50), (QoS)qos).Reason);
        bench.Publish("a", "small", QoS.AtLeastOnce);
        Assert.Equal(["small"], client.Payloads);
        bench.Publish("a", new string('x', 50), QoS.AtLeastOnce);
        bench.Publish("a", "next", QoS.AtLeastOnce);
        client.Puback(client.Sent[0].Id);
        client.Pump();
        Assert.Equal(["small", "next"], client.Payloads);
        Assert.Equal(4, bench.Events.Dropped.Sum(one => one.Reason == DropReason.TooLargeForClient ? one.Count : 0));
        Assert.Equal(1, client.Session.PendingMessages);
    }

    [Fact]
    public void Exactly_once_goes_through_its_four_packets()
    {
        var bench = new Bench();
        Client client = bench.Connect("c");
        client.Subscribe("a", QoS.ExactlyOnce);
        bench.Publish("a", "m", QoS.ExactlyOnce);
        int id = client.Sent[0].Id;
        Assert.Equal(AckOutcome.OutOfPlace, client.Puback(id));
        Assert.Equal(AckOutcome.OutOfPlace, client.Pubcomp(id));
        Assert.Equal(AckOutcome.Done, client.Pubrec(id));
        Assert.Equal(AckOutcome.Done, client.Pubrec(id));
        Assert.Equal([PacketType.Publish, PacketType.Pubrel, PacketType.Pubrel], client.Sent.Select(packet => packet.Type));
        Assert.Equal(AckOutcome.Done, client.Pubcomp(id));
        Assert.Equal(AckOutcome.UnknownId, client.Pubcomp(id));
        Assert.Equal(0, client.Session.PendingMessages);
    }

    [Fact]
    public void A_refusing_pubrec_ends_the_exchange()
    {
        var bench = new Bench();
        Client client = bench.Connect("c", receiveMaximum: 1);
        client.Subscribe("a", QoS.ExactlyOnce);
        bench.Publish("a", "m1", QoS.ExactlyOnce);
        bench.Publish("a", "m2", QoS.ExactlyOnce);
        Assert.Equal(AckOutcome.Done, client.Pubrec(client.Sent[0].Id, refused: true));
        client.Pump();
        Assert.Equal(["m1", "m2"], client.Payloads);
    }

    [Fact]
    public void Received_exactly_once_identifiers_are_remembered_until_released()
    {
        var bench = new Bench();
        Client client = bench.Connect("c", expirySeconds: 60);
        Assert.Equal(AckOutcome.Done, client.Session.TryBeginExactlyOnce(client.Lease, 7, isDup: false, 2, out _));
        Assert.Equal(AckOutcome.Repeated, client.Session.TryBeginExactlyOnce(client.Lease, 7, isDup: true, 2, out _));
        Assert.Equal(AckOutcome.Done, client.Session.TryBeginExactlyOnce(client.Lease, 8, isDup: false, 2, out _));
        Assert.Equal(AckOutcome.TooMany, client.Session.TryBeginExactlyOnce(client.Lease, 9, isDup: false, 2, out _));
        client.Drop();
        Client again = bench.Connect("c", expirySeconds: 60);
        Assert.Equal(AckOutcome.StaleLease, client.Session.CompleteExactlyOnce(client.Lease, 7, out _));
        Assert.Equal(AckOutcome.Repeated, again.Session.TryBeginExactlyOnce(again.Lease, 7, isDup: true, 2, out _));
        Assert.Equal(AckOutcome.Done, again.Session.CompleteExactlyOnce(again.Lease, 7, out _));
        Assert.Equal(AckOutcome.UnknownId, again.Session.CompleteExactlyOnce(again.Lease, 7, out _));
    }

    [Fact]
    public void User_properties_and_expiry_go_along()
    {
        var bench = new Bench();
        Client[] clients = [bench.Connect("one"), bench.Connect("two")];
        foreach (Client client in clients) client.Subscribe("a", QoS.AtLeastOnce);
        PropertyBuilder properties = PropertyBuilder.For(PacketType.Publish, stackalloc byte[64]);
        properties.AddUserProperty("k"u8, "v"u8);
        bench.Publish("a", "m", QoS.AtLeastOnce, expirySeconds: 9, properties: properties.Block.Bytes.ToArray());
        Assert.All(clients, client => Assert.Equal(("k=v", 9u), (client.Sent[0].UserProperties[0], client.Sent[0].ExpirySeconds!.Value)));
    }
}
