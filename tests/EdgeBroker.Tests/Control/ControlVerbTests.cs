using System.Text.Json;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using EdgeBroker.Tests.Reloading;

namespace EdgeBroker.Tests.Control;

/// <summary>The verbs that ask a running broker, from words on the command line to its answer over the control socket.</summary>
public sealed class ControlVerbTests
{
    private const string Settings = """
        [[listener]]
        protocol = "mqtt"
        address = "127.0.0.1:0"
        allow_anonymous = true
        [[acl]]
        user = "*"
        deny = ["publish"]
        topics = ["secret/#"]
        [[acl]]
        user = "*"
        allow = ["publish", "subscribe", "retain"]
        topics = ["#"]
        """;

    [Fact]
    public async Task What_a_broker_does_is_told_to_people_and_to_programs()
    {
        await using BrokerInProcess broker = await BrokerInProcess.StartAsync(Settings);
        TestClient client = await broker.ConnectAsync("press7");
        await client.SendAsync(client.Packets.Subscribe(1, "plant/#", 1));
        await client.ExpectAsync(PacketType.Suback);
        await client.SendAsync(client.Packets.Subscribe(2, "$share/g/plant/+", 0));
        await client.ExpectAsync(PacketType.Suback);
        await client.SendAsync(client.Packets.Publish("secret/x", "1", 1, packetId: 3));
        await client.ExpectAsync(PacketType.Puback);
        await client.SendAsync(client.Packets.Publish("kept", "71.5", 1, packetId: 4, retain: true));
        await client.ExpectAsync(PacketType.Puback);

        Assert.Contains("1 connected", Said(broker, 0, "status"), StringComparison.Ordinal);
        Assert.Matches(@"mqtt\.connections\.current +[^ \n]*=mqtt,[^ \n]*=5\.0 +1 ", Said(broker, 0, "status", "--all"));
        JsonElement status = Json(broker, "status");
        Assert.Equal(("good", "n"), (status.GetProperty("health").GetString(), status.GetProperty("node").GetString()));

        Assert.Matches(@"CLIENT +USER [^\n]*\npress7 +- +127\.0\.0\.1:\d+ +5\.0 [^\n]*\n1 sessions\n", Said(broker, 0, "clients"));
        Assert.Equal("press7", Json(broker, "clients", "press*", "--connected").GetProperty("items")[0].GetProperty("client_id").GetString());
        Assert.Equal("0 sessions\n", Said(broker, 0, "clients", "--disconnected"));

        string session = Said(broker, 0, "session", "press7");
        Assert.StartsWith("press7, anonymous: connected, ends with its connection\n", session, StringComparison.Ordinal);
        Assert.Matches(@"\n  connection     from 127\.0\.0\.1:\d+ by 127\.0\.0\.1:0 \(tcp\) for \d+ s\n", session);
        Assert.Matches(@"\n  protocol       MQTT 5\.0, keep alive \d+ s\n", session);
        Assert.Matches(@"\n  received       2 messages, \d+ B; 0\.0/s\n  sent           0 messages, \d+ B; 0\.0/s\n", session);
        JsonElement summary = Json(broker, "session", "press7").GetProperty("summary");
        Assert.Equal(("tcp", "5.0"), (summary.GetProperty("transport").GetString(), summary.GetProperty("protocol").GetString()));
        Assert.Matches(@"SUBSCRIPTION +QOS +OPTIONS\n\$share/g/plant/\+ +0 +-\nplant/# +1 +-\n", session);
        Assert.Equal(2, Json(broker, "session", "press7").GetProperty("subscriptions").GetArrayLength());
        Assert.Equal("edgebroker session: there is no session of press8\n", Said(broker, 1, "session", "press8"));

        Assert.Matches(@"press7 +plant/# +1 ", Said(broker, 0, "subscriptions", "plant/x"));
        Assert.Equal("0 clients\n", Said(broker, 0, "subscriptions", "other"));
        Assert.Matches(@"\$share/g/plant/\+ +1 +press7\n1 shared groups\n", Said(broker, 0, "shared"));

        string refusals = Said(broker, 0, "refusals");
        Assert.Matches(@"1  publish  press7 +secret/x +denied by the rule at broker\.toml:\d+ \(0x87\)", refusals);
        Assert.Equal("publish", Json(broker, "refusals").GetProperty("refusals")[0].GetProperty("what").GetString());

        Assert.Matches(@"kept +1 +4 +-\n1 retained messages\n", Said(broker, 0, "retained"));
        Assert.Equal("NzEuNQ==", Json(broker, "retained", "get", "kept").GetProperty("payload").GetString());
        Assert.Equal("kept is deleted\n", Said(broker, 0, "retained", "delete", "kept"));
        Assert.Equal("kept has no retained message\n", Said(broker, 1, "retained", "delete", "kept"));
        Assert.Equal("edgebroker retained get: kept has no retained message\n", Said(broker, 1, "retained", "get", "kept"));
        Assert.Equal("0 retained messages\n", Said(broker, 0, "retained", "#"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_is_kicked_and_hears_why(bool forget)
    {
        await using BrokerInProcess broker = await BrokerInProcess.StartAsync(Settings);
        // Session expiry interval of an hour.
        TestClient client = await broker.ConnectAsync("press7", properties: [0x11, 0, 0, 0x0E, 0x10]);
        string[] options = forget ? ["--forget"] : [];
        Assert.Equal(forget ? "press7 is forgotten\n" : "press7 is disconnected\n", Said(broker, 0, ["kick", "press7", .. options]));
        ReceivedPacket goodbye = await client.ExpectAsync(PacketType.Disconnect);
        Assert.Equal(ReasonCode.AdministrativeAction, goodbye.Reason);
        string expected = forget ? "edgebroker kick: there is no session of press7\n" : "press7 has no connection; --forget ends its session\n";
        await Deadline.Until(() => Said(broker, 1, "kick", "press7") == expected, "the session to be detached");
        Assert.Contains($"press7 is {(forget ? "forgotten" : "disconnected")}, as asked on the control socket", broker.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("clients: --connected and --disconnected exclude each other", "clients", "--connected", "--disconnected")]
    [InlineData("clients: --limit 0: give a whole number from 1 to 10000", "clients", "--limit", "0")]
    [InlineData("session: CLIENT-ID is missing", "session")]
    [InlineData("kick: --will goes with --forget; otherwise the will is published anyway", "kick", "press7", "--will")]
    [InlineData("subscriptions: \"a/#\" is not a topic name", "subscriptions", "a/#")]
    [InlineData("retained: \"a#\" is not a topic filter", "retained", "a#")]
    [InlineData("retained get: TOPIC is missing", "retained", "get")]
    [InlineData("status: --data-dir says where the broker is; leave out -c", "status", "--data-dir", "x")]
    public async Task Wrong_usage_is_64(string expected, params string[] arguments)
    {
        await using BrokerInProcess broker = await BrokerInProcess.StartAsync(Settings);
        Assert.StartsWith($"edgebroker {expected}\nusage: ", Said(broker, 64, arguments), StringComparison.Ordinal);
    }

    private static JsonElement Json(BrokerInProcess broker, params string[] arguments) =>
        JsonDocument.Parse(Said(broker, 0, [.. arguments, "--json"])).RootElement;

    private static string Said(BrokerInProcess broker, int exit, params string[] arguments)
    {
        using var said = new StringWriter();
        int actual = broker.Run(said, said, [.. arguments, "-c", "broker.toml"]);
        Assert.True(actual == exit, $"{string.Join(' ', arguments)}: {actual}, {said}");
        return said.ToString();
    }
}
