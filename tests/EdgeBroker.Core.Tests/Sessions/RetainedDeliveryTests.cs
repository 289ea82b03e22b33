using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Sessions;

public sealed class RetainedDeliveryTests
{
    private readonly Bench _bench = new();

    [Theory]
    [InlineData(QoS.AtMostOnce)]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce)]
    public void All_of_them_come_as_the_client_acknowledges(QoS qos)
    {
        Retain(2_000, qos);
        Client client = _bench.Connect("c", receiveMaximum: 20);
        client.Subscribe("#", QoS.ExactlyOnce, identifier: 5);
        client.Pump();
        for (int next = 0; next < client.Sent.Count; next++)
        {
            Packet packet = client.Sent[next];
            if (packet.Type == PacketType.Pubrel) client.Pubcomp(packet.Id);
            else if (packet.QoS == QoS.AtLeastOnce) client.Puback(packet.Id);
            else if (packet.QoS == QoS.ExactlyOnce) client.Pubrec(packet.Id);
            client.Pump();
        }

        Packet[] publishes = [.. client.Sent.Where(packet => packet.Type == PacketType.Publish)];
        Assert.Equal(2_000, publishes.Select(packet => packet.Topic).Distinct().Count());
        Assert.Equal(2_000, publishes.Length);
        Assert.All(publishes, packet => Assert.True(packet.Retain && packet.SubscriptionIdentifiers is [5]));
    }

    [Fact]
    public void They_come_as_the_output_drains()
    {
        Retain(1_000, QoS.AtMostOnce);
        Client client = _bench.Connect("c");
        client.Link.HasRoom = false;
        client.Subscribe("#");
        client.Pump();
        Assert.Empty(client.Sent);
        client.Link.HasRoom = true;
        client.Pump();
        Assert.Equal(1_000, client.Sent.Count);
    }

    [Theory]
    [InlineData(RetainHandling.SendOnSubscribe, 2)]
    [InlineData(RetainHandling.SendIfNew, 1)]
    [InlineData(RetainHandling.DoNotSend, 0)]
    public void Retain_handling_says_when(RetainHandling handling, int expected)
    {
        Retain(1, QoS.AtMostOnce);
        Client client = _bench.Connect("c");
        for (int i = 0; i < 2; i++)
        {
            client.Subscribe("t/+", handling: handling);
            client.Pump();
        }

        Assert.Equal(expected, client.Sent.Count);
    }

    [Fact]
    public void Shared_subscriptions_get_none()
    {
        Retain(1, QoS.AtMostOnce);
        Client client = _bench.Connect("c");
        client.Subscribe("$share/g/#");
        client.Pump();
        Assert.Empty(client.Sent);
    }

    [Fact]
    public void Filters_are_served_in_the_order_of_subscribing()
    {
        _bench.Publish("a", "1", retain: true);
        _bench.Publish("b", "2", retain: true);
        Client client = _bench.Connect("c");
        client.Subscribe("b");
        client.Subscribe("a");
        client.Pump();
        Assert.Equal(["2", "1"], client.Payloads);
    }

    [Fact]
    public void Many_filters_are_served_in_few_turns()
    {
        Retain(10, QoS.AtMostOnce);
        Client client = _bench.Connect("c");
        for (int i = 0; i < 10; i++) client.Subscribe("t/" + i);
        for (int i = 0; i < 200; i++) client.Subscribe("+/none/" + i);
        client.Subscribe("t/+");
        int iterations = client.Pump();
        Assert.Equal([.. Enumerable.Range(0, 10).Select(i => "v" + i), .. Enumerable.Range(0, 10).Select(i => "v" + i)], client.Payloads);
        Assert.InRange(iterations, 1, 20);
    }

    [Fact]
    public void Of_many_filters_owed_one_is_given_up_and_the_others_come_in_order()
    {
        Retain(5, QoS.AtMostOnce);
        Client client = _bench.Connect("c");
        client.Link.HasRoom = false;
        for (int i = 0; i < 5; i++) client.Subscribe("t/" + i);
        client.Pump();
        client.Unsubscribe("t/3");
        client.Subscribe("t/1");
        client.Link.HasRoom = true;
        client.Pump();
        Assert.Equal(["v0", "v2", "v4", "v1"], client.Payloads);
    }

    [Fact]
    public void What_is_still_owed_is_sent_on_the_next_connection()
    {
        Retain(300, QoS.AtLeastOnce);
        Client client = _bench.Connect("c", expirySeconds: 60, receiveMaximum: 10);
        client.Subscribe("#", QoS.AtLeastOnce);
        client.Pump();
        Assert.Equal(10, client.Sent.Count);
        Client again = _bench.Connect("c", expirySeconds: 60, receiveMaximum: 10);
        again.Pump();
        for (int next = 0; next < again.Sent.Count; next++)
        {
            again.Puback(again.Sent[next].Id);
            again.Pump();
        }

        Assert.Equal(300, again.Sent.Select(packet => packet.Topic).Distinct().Count());
    }

    [Fact]
    public void Unsubscribing_stops_them()
    {
        Retain(300, QoS.AtLeastOnce);
        Client client = _bench.Connect("c", receiveMaximum: 10);
        client.Subscribe("#", QoS.AtLeastOnce);
        client.Pump();
        client.Unsubscribe("#");
        for (int next = 0; next < client.Sent.Count; next++)
        {
            client.Puback(client.Sent[next].Id);
            client.Pump();
        }

        Assert.InRange(client.Sent.Count, 10, 10 + 64);
    }

    [Fact]
    public void Subscribing_a_thousand_times_without_reading_owes_them_once()
    {
        Retain(10, QoS.AtMostOnce);
        Client client = _bench.Connect("c");
        client.Link.HasRoom = false;
        for (int i = 0; i < 1_000; i++) client.Subscribe("#");
        client.Link.HasRoom = true;
        client.Pump();
        Assert.Equal(10, client.Sent.Count);
    }

    private void Retain(int count, QoS qos)
    {
        for (int i = 0; i < count; i++) _bench.Publish("t/" + i, "v" + i, qos, retain: true);
    }
}
