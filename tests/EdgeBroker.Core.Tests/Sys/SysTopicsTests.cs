using EdgeBroker.Core.Ports;
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
    public void What_an_adapter_counts_is_shown_with_the_rest()
    {
        var bench = new Bench(EveryTenSeconds);
        long count = 3;
        bench.Broker.ShowUnderSys("auth/refused", () => count);
        bench.Advance(1);
        Client client = bench.Connect("reader");
        client.Subscribe("$SYS/broker/auth/#");
        client.Pump();
        count = 5;
        bench.Advance(10);
        client.Pump();
        Assert.Equal(["3", "5"], client.Sent.Select(packet => packet.Payload));
        new Bench(new MqttOptions { SysInterval = TimeSpan.Zero }).Broker.ShowUnderSys(
            "auth/refused", () => throw new InvalidOperationException("nobody asks"));
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
    public void The_certificate_that_ends_first_is_told()
    {
        var bench = new Bench(EveryTenSeconds);
        bench.Time.SetUtcNow(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
        var certificates = new Certificates(
            new CertificateValidity("wss on [::]:443", "b.crt", "later", new DateTimeOffset(2027, 1, 1, 0, 0, 0, TimeSpan.Zero)),
            new CertificateValidity("mqtts on 0.0.0.0:8883", "a.crt", "gw", new DateTimeOffset(2026, 3, 11, 6, 0, 0, TimeSpan.FromHours(1))));
        bench.Broker.Certificates = certificates;
        bench.Advance(1);
        Client client = bench.Connect("reader");
        client.Subscribe("$SYS/broker/certificates/#");
        client.Pump();
        Assert.Equal(
            ["count 2", "days_left 9", "ends_first gw of mqtts on 0.0.0.0:8883", "valid_until 2026-03-11T05:00:00Z"],
            client.Sent.Select(packet => packet.Topic["$SYS/broker/certificates/".Length..])
                .Zip(client.Payloads, (topic, payload) => topic + " " + payload).Order(StringComparer.Ordinal));
        certificates.Validities = [certificates.Validities[1] with { NotAfter = new DateTimeOffset(2026, 2, 28, 0, 0, 0, TimeSpan.Zero) }];
        bench.Advance(10);
        // Over since a day and a half.
        Assert.Contains("-2", client.Payloads);
    }

    [Fact]
    public void Without_certificates_nothing_is_said_of_them()
    {
        var bench = new Bench(EveryTenSeconds);
        bench.Advance(1);
        Client client = bench.Connect("reader");
        client.Subscribe("$SYS/broker/certificates/#");
        client.Pump();
        Assert.Empty(client.Sent);
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

    private sealed class Certificates(params CertificateValidity[] validities) : ICertificateExpiry
    {
        public CertificateValidity[] Validities { get; set; } = validities;

        IReadOnlyList<CertificateValidity> ICertificateExpiry.Certificates => Validities;
    }
}
