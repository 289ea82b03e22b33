using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Sys;

public sealed class SysTopicsTests
{
    private static readonly MqttOptions EveryTenSeconds = new() { SysInterval = TimeSpan.FromSeconds(10) };

    [Fact]
    public void The_names_are_those_mosquitto_s_users_know()
    {
        var bench = new Bench(EveryTenSeconds);
        bench.Advance(1);
        Client client = bench.Connect("reader");
        client.Subscribe("$SYS/#");
        client.Pump();
        string[] names = [.. client.Sent.Select(packet => packet.Topic)];
        string[] expected =
        [
            "version", "uptime", "clients/total", "clients/connected", "clients/active", "clients/disconnected", "clients/inactive", "clients/maximum",
            "clients/expired",
            "messages/received", "messages/sent", "messages/stored", "publish/messages/received", "publish/messages/sent", "publish/messages/dropped",
            "bytes/received", "bytes/sent", "publish/bytes/received", "publish/bytes/sent", "subscriptions/count", "shared_subscriptions/count",
            "retained messages/count", "store/messages/count", "store/messages/bytes", "heap/current",
            "load/messages/received/1min", "load/messages/sent/5min", "load/publish/received/15min", "load/publish/sent/1min", "load/publish/dropped/1min",
            "load/bytes/received/1min", "load/bytes/sent/1min", "load/sockets/1min", "load/connections/15min",
        ];
        Assert.All(expected, name => Assert.Contains("$SYS/broker/" + name, names));
        Assert.Equal(names.Length, names.Distinct().Count());
        Assert.All(client.Sent, packet => Assert.True(packet.Retain && packet.QoS == QoS.AtMostOnce));
    }

    [Fact]
    public void What_a_part_registers_is_shown_with_the_rest_and_what_has_nothing_to_tell_is_not()
    {
        var bench = new Bench(EveryTenSeconds);
        long? count = null;
        string? word = null;
        bench.Broker.Meters.Counter("edgebroker.auth.refused", "{client}", "refused", () => count, "auth/refused", "auth");
        bench.Broker.Meters.State("auth/word", "a word", () => word);
        bench.Advance(1);
        Client client = bench.Connect("reader");
        client.Subscribe("$SYS/broker/auth/#");
        client.Subscribe("$SYS/broker/load/auth/#");
        client.Pump();
        Assert.Empty(client.Sent);
        count = 3;
        word = "open";
        bench.Advance(10);
        client.Pump();
        count = 5;
        bench.Advance(10);
        client.Pump();
        Assert.Equal(["word=open", "refused=3", "refused=5"], client.Sent.Where(packet => packet.Topic.Contains("/auth/", StringComparison.Ordinal)
            && !packet.Topic.Contains("/load/", StringComparison.Ordinal)).Select(packet => $"{packet.Topic.Split('/')[^1]}={packet.Payload}"));
        Assert.Contains(client.Sent, packet => packet.Topic == "$SYS/broker/load/auth/15min");
    }

    [Fact]
    public void Without_SYS_nobody_reads_what_is_registered()
    {
        var bench = new Bench(new MqttOptions { SysInterval = TimeSpan.Zero });
        bench.Broker.Meters.Counter("edgebroker.auth.refused", "{client}", "refused", () => throw new InvalidOperationException("nobody asks"), "auth/refused");
        bench.Advance(60);
    }

    [Fact]
    public void A_value_is_sent_again_only_when_it_has_changed_and_its_time_has_come()
    {
        var bench = new Bench(EveryTenSeconds);
        bench.Advance(1);
        Client client = bench.Connect("reader");
        client.Subscribe("$SYS/broker/clients/connected");
        client.Pump();
        Assert.Equal(["0"], client.Payloads);
        bench.Advance(5);
        Assert.Single(client.Sent);
        bench.Advance(5);
        Assert.Equal(["0", "1"], client.Payloads);
        bench.Advance(30);
        Assert.Equal(2, client.Sent.Count);
    }

    [Fact]
    public void Ordinary_wildcards_do_not_see_it()
    {
        var bench = new Bench(EveryTenSeconds);
        bench.Advance(1);
        Client client = bench.Connect("reader");
        client.Subscribe("#");
        client.Subscribe("+/broker/uptime");
        bench.Advance(60);
        client.Pump();
        Assert.Empty(client.Sent);
    }
}
