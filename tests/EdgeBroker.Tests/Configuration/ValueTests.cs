using EdgeBroker.Configuration;
using EdgeBroker.Core;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Logging;
using EdgeBroker.Storage;
using EdgeBroker.Transport.Listeners;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Tests.Configuration;

/// <summary>Values that are accepted, and what becomes of them.</summary>
public sealed class ValueTests
{
    [Theory]
    [InlineData("500ms", 500)]
    [InlineData("30s", 30_000)]
    [InlineData("10m", 600_000)]
    [InlineData("007s", 7_000)]
    public void Durations(string text, int milliseconds)
    {
        using var given = new Given($"[limits]\nconnect_timeout = \"{text}\"");
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), given.Valid().Mqtt.ConnectTimeout);
    }

    [Theory]
    [InlineData("0s", 0)]
    [InlineData("1h", 3_600)]
    [InlineData("7d", 604_800)]
    [InlineData("2000ms", 2)]
    public void Durations_in_whole_seconds(string text, int seconds)
    {
        using var given = new Given($"[mqtt]\nmax_session_expiry = \"{text}\"");
        Assert.Equal(TimeSpan.FromSeconds(seconds), given.Valid().Mqtt.MaxSessionExpiry);
    }

    [Theory]
    [InlineData("1024B", 1024L)]
    [InlineData("64KB", 65_536L)]
    [InlineData("64KiB", 65_536L)]
    [InlineData("512MB", 512L << 20)]
    [InlineData("512MiB", 512L << 20)]
    [InlineData("64GB", 64L << 30)]
    public void Sizes(string text, long bytes)
    {
        using var given = new Given($"[mqtt]\nmax_queued_bytes = \"{text}\"");
        Assert.Equal(bytes, given.Valid().Mqtt.MaxQueuedBytes);
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("0.25", 0.25)]
    [InlineData("1", 1)]
    [InlineData("1.0", 1)]
    public void Parts_of_something(string text, double part)
    {
        using var given = new Given($"[telemetry]\ntraces = true\ntrace_sample_rate = {text}");
        Assert.Equal((true, part), (given.Valid().Telemetry.Traces, given.Valid().Telemetry.TraceSampleRate));
    }

    [Theory]
    [InlineData("1.01")]
    [InlineData("-0.1")]
    [InlineData("nan")]
    [InlineData("2")]
    [InlineData("\"0.1\"")]
    public void More_than_all_or_less_than_nothing_is_no_part(string text)
    {
        using var given = new Given($"[telemetry]\ntrace_sample_rate = {text}");
        Assert.Contains("a number from 0 to 1", Assert.Single(given.Errors()), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_way_a_queue_overflows_can_be_chosen()
    {
        foreach (QueueOverflow overflow in Enum.GetValues<QueueOverflow>())
        {
            using var given = new Given($"[mqtt]\nqueue_overflow = \"{overflow.ToWord()}\"");
            Assert.Equal(overflow, given.Valid().Mqtt.QueueOverflow);
        }
    }

    [Fact]
    public void Every_key_reaches_its_option()
    {
        using var given = new Given("""
            [node]
            name = "gw-017"
            data_dir = "/var/lib/edgebroker"
            [[listener]]
            protocol = "mqtt"
            address = "127.0.0.1:1884"
            allow_anonymous = false
            max_connections = 7
            [mqtt]
            max_packet_size = "255MB"
            max_connect_bytes = "6KB"
            max_client_id_bytes = 23
            max_qos = 1
            retain = false
            receive_maximum = 65_535
            topic_alias_maximum = 0
            max_keep_alive = "65535s"
            max_session_expiry = "49710d"
            max_topic_levels = 8
            max_subscriptions_per_client = 9
            wide_subscriptions = "filter"
            max_queued_messages = 10
            max_queued_bytes = "11KB"
            queue_overflow = "reject"
            max_outbound_bytes = "12KB"
            sys_interval = "13s"
            [limits]
            connect_timeout = "14s"
            [storage]
            durability = "flash-saver"
            commits_per_second = 7
            max_bytes = "16MB"
            on_corruption = "stop"
            [log]
            level = "debug"
            format = "json"
            """);
        BrokerConfiguration configuration = given.Valid();
        Assert.Equal(new NodeOptions { Name = "gw-017", DataDirectory = "/var/lib/edgebroker" }, configuration.Node);
        Assert.Equal(
            new ListenerSettings { Protocol = ListenerProtocol.Mqtt, Address = "127.0.0.1:1884", AllowAnonymous = false, MaxConnections = 7 },
            Assert.Single(configuration.Listeners));
        Assert.Equal(
            new StorageOptions
            {
                Durability = StoreDurability.FlashSaver,
                CommitsPerSecond = 7,
                MaxBytes = 16 * 1024 * 1024,
                OnCorruption = CorruptionPolicy.Stop,
            },
            configuration.Storage);
        Assert.Equal(new LogOptions { Level = LogLevel.Debug, Format = LogFormat.Json }, configuration.Log);
        Assert.Equal(new MqttOptions
        {
            MaxPacketSizeBytes = 255 * 1024 * 1024,
            MaxConnectBytes = 6 * 1024,
            MaxClientIdBytes = 23,
            MaxQos = 1,
            RetainAvailable = false,
            ReceiveMaximum = 65_535,
            TopicAliasMaximum = 0,
            MaxKeepAlive = TimeSpan.FromSeconds(65_535),
            MaxSessionExpiry = TimeSpan.FromDays(49_710),
            MaxTopicLevels = 8,
            MaxSubscriptionsPerClient = 9,
            FiltersWideSubscriptions = true,
            MaxQueuedMessages = 10,
            MaxQueuedBytes = 11 * 1024,
            QueueOverflow = QueueOverflow.Reject,
            MaxOutboundBytes = 12 * 1024,
            SysInterval = TimeSpan.FromSeconds(13),
            ConnectTimeout = TimeSpan.FromSeconds(14),
        }, configuration.Mqtt);
        Assert.Empty(configuration.Warnings);
        Assert.Equal("broker.toml", configuration.File);
    }

    [Theory]
    [InlineData("mqtt.max_qos = 1\n")]
    [InlineData("mqtt = { max_qos = 1 }\n")]
    [InlineData("[mqtt]\r\nmax_qos = 1\r\n")]
    [InlineData("\uFEFF[mqtt]\nmax_qos = 0x1\n")]
    [InlineData("[\"mqtt\"]\n'max_qos' = 1")]
    public void However_TOML_lets_it_be_written(string text)
    {
        using var given = new Given(text);
        Assert.Equal(1, given.Valid().Mqtt.MaxQos);
    }

    [Fact]
    public void The_environment_is_put_in_place()
    {
        using Given given = new Given("[node]\nname = \"${SITE}-${N}\"\n[[listener]]\nprotocol = \"mqtt\"\naddress = '${HOST}:1883'\n")
            .WithEnvironment("SITE", "hall").WithEnvironment("N", "3").WithEnvironment("HOST", "127.0.0.1");
        BrokerConfiguration configuration = given.Valid();
        Assert.Equal("hall-3", configuration.Node.Name);
        Assert.Equal("127.0.0.1:1883", configuration.Listeners[0].Address);
    }

    [Fact]
    public void A_doubled_dollar_keeps_the_characters()
    {
        using var given = new Given("[node]\ndata_dir = \"/a/$${B}/$c\"\n");
        Assert.Equal("/a/${B}/$c", given.Valid().Node.DataDirectory);
    }

    [Theory]
    [InlineData("\"/a/${NOPE}/${SITE}\"", "2:16: the environment variable \"NOPE\" is not set")]
    [InlineData("\"${SITE}${NOPE}\"", "2:20: the environment variable \"NOPE\" is not set")]
    [InlineData("\"$${X}${NOPE}\"", "2:18: the environment variable \"NOPE\" is not set")]
    [InlineData("\"\"\"\n  é${NOPE}\"\"\"", "3:4: the environment variable \"NOPE\" is not set")]
    [InlineData("\"a${\"",
        "2:14: \"${\" starts the name of an environment variable, as in \"${NAME}\"; for the characters themselves write \"$${\"")]
    [InlineData("\"a${1-2}\"",
        "2:14: \"${\" starts the name of an environment variable, as in \"${NAME}\"; for the characters themselves write \"$${\"")]
    public void What_the_environment_lacks_is_an_error_at_its_place(string value, string expected)
    {
        using Given given = new Given($"[node]\ndata_dir = {value}\n").WithEnvironment("SITE", "hall");
        Assert.Equal(["broker.toml:" + expected], given.Errors());
    }

    [Fact]
    public void Several_missing_variables_are_all_named()
    {
        using var given = new Given("[node]\ndata_dir = \"${A}/${B}\"\n");
        Assert.Equal(
        [
            "broker.toml:2:13: the environment variable \"A\" is not set",
            "broker.toml:2:18: the environment variable \"B\" is not set",
        ], given.Errors());
    }
}
