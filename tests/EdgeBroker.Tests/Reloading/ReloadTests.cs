using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Tests.Reloading;

/// <summary>Users and rules, what a reload says, and that a bad one changes nothing.</summary>
public sealed class ReloadTests
{
    private const string Listener = "[[listener]]\nprotocol = \"mqtt\"\naddress = \"127.0.0.1:0\"\nallow_anonymous = true\n";
    private const string Users = "[auth]\npassword_file = \"users\"\nwatch_password_file = false\n";

    [Fact]
    public async Task What_has_not_changed_is_said_to_be_so()
    {
        await using BrokerInProcess broker = await BrokerInProcess.StartAsync(Listener);
        Assert.Equal("broker.toml: nothing has changed\n", broker.Apply());
        broker.Configure("# a comment\n" + Listener);
        Assert.Equal((0, "broker.toml: nothing has changed\n"), broker.Reload("--data-dir", "data"));
    }

    [Fact]
    public async Task A_bad_file_changes_nothing_and_every_error_is_in_the_answer_and_in_the_log()
    {
        await using BrokerInProcess broker = await WithUsersAsync("anna", "bert");
        TestClient anna = await broker.ConnectAsync("a", "anna");
        broker.Directory.Write("users", BrokerInProcess.User("carl"));
        broker.Configure(Listener + Users + "[mqtt]\nmax_qos = 7\nretian = true\n[log]\nlevel = \"debug\"\n");
        string[] errors =
        [
            "broker.toml:12:11: \"max_qos\" expects a whole number from 0 to 2; found 7",
            "broker.toml:13:1: unknown key \"retian\" in [mqtt]; did you mean \"retain\"?",
        ];
        (int exit, string said) = broker.Reload();
        Assert.Equal(78, exit);
        Assert.Equal([.. errors, "broker.toml is not applied; everything stays as it was", ""], said.Split('\n'));
        Assert.All(errors, error => Assert.Contains(error, broker.Log, StringComparison.Ordinal));
        await anna.ExpectNothingAsync();
        Assert.False(await broker.RefusesAsync("bert"));
        Assert.True(await broker.RefusesAsync("carl"));
        // And once it is right, what changed meanwhile is applied.
        Assert.Contains("user \"carl\": added", broker.Apply(Listener + Users), StringComparison.Ordinal);
        await anna.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
    }

    [Fact]
    public async Task A_wrong_line_of_the_password_file_is_an_error_like_any_other()
    {
        await using BrokerInProcess broker = await WithUsersAsync("anna");
        broker.Directory.Write("users", BrokerInProcess.User("anna") + "bert\n");
        (int exit, string said) = broker.Reload();
        Assert.Equal(78, exit);
        Assert.StartsWith("users:2:1: no colon between user name and password hash", said, StringComparison.Ordinal);
        Assert.False(await broker.RefusesAsync("anna"));
    }

    [Theory]
    [InlineData(ProtocolVersion.V5)]
    [InlineData(ProtocolVersion.V311)]
    public async Task Whoever_is_removed_or_has_another_password_is_disconnected_and_nobody_else(ProtocolVersion version)
    {
        await using BrokerInProcess broker = await WithUsersAsync("anna", "bert", "carl");
        TestClient anna = await broker.ConnectAsync("a", "anna", version);
        TestClient bert = await broker.ConnectAsync("b", "bert", version);
        TestClient carl = await broker.ConnectAsync("c", "carl", version);
        TestClient anonymous = await broker.ConnectAsync("d", version: version);
        string unchanged = Line(broker, "anna");
        broker.Directory.Write("users", unchanged + BrokerInProcess.User("bert", "neu") + BrokerInProcess.User("dora"));
        string said = broker.Apply();
        await bert.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
        await carl.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
        await anna.ExpectNothingAsync();
        await anonymous.ExpectNothingAsync();
        Assert.Equal(
            "broker.toml is applied\n  applied: user \"dora\": added\n  applied: user \"carl\": removed\n  applied: user \"bert\": changed, "
            + "with another password\n"
            + "  applied: 2 client(s) disconnected that are not permitted any more, or hold a subscription or will that is not\n",
            WithoutWarnings(said));
        Assert.True(await broker.RefusesAsync("bert"));
        Assert.True(await broker.RefusesAsync("carl"));
        Assert.False(await broker.RefusesAsync("bert", "neu"));
        Assert.False(await broker.RefusesAsync("dora"));
        await Deadline.Until(
            () => broker.Log.Contains("user \"carl\" was removed, or has another password now", StringComparison.Ordinal), "the cause in the log");
    }

    [Fact]
    public async Task Without_any_users_left_those_with_a_password_go_and_anonymous_ones_stay()
    {
        await using BrokerInProcess broker = await WithUsersAsync("anna");
        TestClient anna = await broker.ConnectAsync("a", "anna");
        TestClient anonymous = await broker.ConnectAsync("b");
        broker.Apply(Listener);
        await anna.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
        await anonymous.ExpectNothingAsync();
        broker.Apply(Listener + Users);
        await anonymous.ExpectNothingAsync();
        Assert.True(await broker.RefusesAsync("anna", "falsch"));
        Assert.False(await broker.RefusesAsync("anna"));
    }

    [Fact]
    public async Task New_rules_hold_for_clients_that_are_connected_and_what_was_in_flight_goes_on()
    {
        await using BrokerInProcess broker = await WithUsersAsync("anna", "bert");
        TestClient anna = await broker.ConnectAsync("a", "anna");
        TestClient bert = await broker.ConnectAsync("b", "bert");
        await anna.SubscribeAsync("plant/#", options: 1);
        await bert.PublishAsync("plant/x", "before", qos: 1);
        ReceivedPacket inFlight = await anna.ExpectPublishAsync("plant/x", "before", qos: 1);
        broker.Apply(Listener + Users + Rule("*", "subscribe", "plant/#") + Rule("bert", "publish", "plant/y"));
        await bert.SendAsync(bert.Packets.Publish("plant/x", "denied", qos: 1, packetId: 9));
        Assert.Equal(ReasonCode.NotAuthorized, (await bert.ExpectAsync(PacketType.Puback)).Reason);
        await bert.PublishAsync("plant/y", "permitted", qos: 1);
        await anna.AcknowledgeAsync(inFlight);
        await anna.AcknowledgeAsync(await anna.ExpectPublishAsync("plant/y", "permitted", qos: 1));
        await anna.SendAsync(anna.Packets.Subscribe(7, "other", 0));
        await anna.ExpectAsync(anna.Packets.Suback(7, 0x87));
        await anna.ExpectNothingAsync();
        await bert.ExpectNothingAsync();
    }

    [Fact]
    public async Task Whoever_holds_a_subscription_that_is_not_permitted_any_more_is_disconnected()
    {
        await using BrokerInProcess broker = await WithUsersAsync("anna", "bert");
        TestClient anna = await broker.ConnectAsync("a", "anna", properties: Prop.SessionExpiry(1000));
        TestClient bert = await broker.ConnectAsync("b", "bert");
        await anna.SubscribeAsync("$share/g/secret/#", options: 1);
        await bert.SubscribeAsync("open/#", options: 1);
        broker.Apply(Listener + Users + Rule("*", "subscribe", "open/#") + Rule("*", "publish", "#"));
        await anna.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
        await Deadline.Until(
            () =>
                broker.Log.Contains(
                    "may not receive \"$share/g/secret/#\" any more: no [[acl]] rule allows to subscribe to all of it", StringComparison.Ordinal),
                    "the cause in the log");
        // Its session is not given back to it, and nothing of it is delivered.
        await bert.PublishAsync("secret/a", "x", qos: 1);
        TestClient again = await broker.OpenAsync(broker.Port(), name: "a");
        await again.SendAsync(again.Packets.Connect("a", cleanStart: false, userName: "anna", password: "geheim"u8.ToArray()));
        await again.ExpectConnackAsync(sessionPresent: false);
        await again.ExpectNothingAsync();
        await bert.PublishAsync("open/a", "y", qos: 1);
        await bert.AcknowledgeAsync(await bert.ExpectPublishAsync("open/a", "y", qos: 1));
    }

    [Fact]
    public async Task A_will_that_is_not_permitted_any_more_is_not_published()
    {
        await using BrokerInProcess broker = await WithUsersAsync("anna", "bert", "carl");
        TestClient witness = await broker.ConnectAsync("w", "carl");
        await witness.SubscribeAsync("#", options: 1);
        TestClient anna = await broker.ConnectAsync("a", "anna", will: new TestWill("secret/will", "not this"));
        TestClient bert = await broker.ConnectAsync("b", "bert", will: new TestWill("open/will", "gone"));
        broker.Directory.Write("users", Line(broker, "anna") + Line(broker, "carl"));
        broker.Apply(Listener + Users + Rule("*", "subscribe", "#") + Rule("*", "publish", "open/#"));
        await anna.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
        await bert.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
        await witness.ExpectPublishAsync("open/will", "gone");
        await witness.ExpectNothingAsync();
    }

    [Fact]
    public async Task What_takes_a_restart_is_named_each_time_until_there_is_one()
    {
        await using BrokerInProcess broker = await BrokerInProcess.StartAsync(Listener);
        broker.Directory.Write(
            "broker.toml",
            "[node]\ndata_dir = \"elsewhere\"\n[storage]\nmax_bytes = \"1GB\"\n[mqtt]\nretain = false\nsys_interval = \"1s\"\nmax_keep_alive = \"1m\"\n"
                + Listener);
        // The file names another data directory by now, so the broker must be asked where it is.
        Assert.Equal(1, broker.Reload().Exit);
        foreach (string applied in new[] { "mqtt.max_keep_alive, for new connections", null! })
        {
            (int exit, string said) = broker.Reload("--data-dir=data");
            Assert.Equal(0, exit);
            foreach (string key in new[] { "node.name", "node.data_dir", "storage.max_bytes", "mqtt.retain", "mqtt.sys_interval" })
            {
                Assert.Contains("needs a restart: " + key, said, StringComparison.Ordinal);
            }

            Assert.Equal(applied is not null, said.Contains("mqtt.max_keep_alive, for new connections", StringComparison.Ordinal));
            Assert.StartsWith(
                applied is null ? "broker.toml: nothing to apply without a restart\n" : "broker.toml is applied\n", said, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Limits_are_for_new_connections_and_those_who_are_there_keep_what_they_were_told()
    {
        await using BrokerInProcess broker = await BrokerInProcess.StartAsync(Listener);
        TestClient before = await broker.ConnectAsync("before");
        broker.Apply(Listener + "[mqtt]\nmax_qos = 0\nmax_packet_size = \"256B\"\nreceive_maximum = 5\n");
        await before.PublishAsync("a", new string('x', 1000), qos: 2);
        TestClient after = await broker.ConnectAsync("after");
        byte[] granted = after.Connack.Bytes;
        Assert.True(granted.AsSpan().IndexOf((byte[])[0x24, 0]) > 0, "Maximum QoS 0");
        Assert.True(granted.AsSpan().IndexOf((byte[])[0x27, 0, 0, 1, 0]) > 0, "Maximum Packet Size 256");
        Assert.True(granted.AsSpan().IndexOf((byte[])[0x21, 0, 5]) > 0, "Receive Maximum 5");
        await after.SendAsync(after.Packets.Publish("a", "x", qos: 1, packetId: 1));
        await after.ExpectDisconnectAsync(ReasonCode.QoSNotSupported);
        await before.ExpectNothingAsync();
    }

    [Fact]
    public async Task The_log_says_more_or_less_from_then_on()
    {
        await using BrokerInProcess broker = await BrokerInProcess.StartAsync(Listener);
        broker.Apply(Listener + "[log]\nlevel = \"debug\"\n");
        TestClient client = await broker.ConnectAsync("c");
        await client.SubscribeAsync("debug/line");
        await Deadline.Until(() => broker.Log.Contains("c subscribed to debug/line", StringComparison.Ordinal), "the line");
        broker.Apply(Listener + "[log]\nlevel = \"error\"\n");
        Assert.Contains("applied: log.level", broker.Log, StringComparison.Ordinal);
        string before = broker.Log;
        await client.SubscribeAsync("debug/other");
        broker.Apply(Listener + "[log]\nlevel = \"error\"\n[mqtt]\nmax_qos = 1\n");
        Assert.Equal(before, broker.Log);
    }

    private static async Task<BrokerInProcess> WithUsersAsync(params string[] names)
    {
        var broker = new BrokerInProcess();
        broker.Directory.Write("users", string.Concat(names.Select(name => BrokerInProcess.User(name))));
        broker.Configure(Listener + Users);
        broker.Start();
        await broker.AnswersAsync();
        return broker;
    }

    private static string Rule(string user, string action, string topic) => $"[[acl]]\nuser = \"{user}\"\nallow = [\"{action}\"]\ntopics = [\"{topic}\"]\n";

    private static string Line(BrokerInProcess broker, string user) =>
        File.ReadLines(Path.Combine(broker.Directory.Path, "users")).First(line => line.StartsWith(user + ":", StringComparison.Ordinal)) + "\n";

    private static string WithoutWarnings(string said) =>
        string.Concat(
            said.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Where(line => !line.StartsWith("warning: ", StringComparison.Ordinal)).Select(line => line + "\n"));
}
