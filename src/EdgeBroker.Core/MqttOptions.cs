namespace EdgeBroker.Core;

/// <summary>What a session does with a message when its queue is full (<c>mqtt.queue_overflow</c>).</summary>
public enum QueueOverflow
{
    /// <summary>The oldest queued message makes room.</summary>
    DropOldest,

    /// <summary>The message that does not fit is not queued.</summary>
    DropNewest,

    /// <summary>As <see cref="DropNewest"/>, and a 5.0 publisher is told 0x97 (Quota exceeded).</summary>
    Reject,

    /// <summary>
    /// A message takes the place of the one of its topic that waits already, whether the queue is full or not; beyond that the oldest makes room.
    /// </summary>
    KeepLatestPerTopic,

    /// <summary>The message is queued, and its publisher's acknowledgement waits until there is room for it. QoS 0 is dropped.</summary>
    HoldPublishers,
}

/// <summary>Versions of MQTT.</summary>
[Flags]
public enum MqttVersions : byte
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>3.1, of 2010.</summary>
    V31 = 1,

    /// <summary>3.1.1.</summary>
    V311 = 2,

    /// <summary>5.0.</summary>
    V5 = 4,

    /// <summary>All.</summary>
    All = V31 | V311 | V5,
}

/// <summary>The <c>[mqtt]</c> table and the limits that concern one connection: what the broker grants every MQTT client.</summary>
public sealed record MqttOptions
{
    /// <summary>The versions that clients may speak.</summary>
    public MqttVersions Versions { get; init; } = MqttVersions.All;

    /// <summary>Largest control packet accepted, in bytes, fixed header included; a larger one is refused with 0x95.</summary>
    public int MaxPacketSizeBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>Largest CONNECT, and AUTH before CONNACK, accepted, in bytes, where <see cref="MaxPacketSizeBytes"/> is not less: what anybody may send who
    /// has not shown who he is.</summary>
    public int MaxConnectBytes { get; init; } = 128 * 1024;

    /// <summary>Longest client id accepted, in bytes; a longer one is refused with 0x85.</summary>
    public int MaxClientIdBytes { get; init; } = 1024;

    /// <summary>Highest QoS a client may publish with: 0, 1 or 2.</summary>
    public int MaxQos { get; init; } = 2;

    /// <summary>Whether retained messages are kept.</summary>
    public bool RetainAvailable { get; init; } = true;

    /// <summary>QoS 1 and 2 messages in flight at most, in each direction of a connection (1 to 65,535).</summary>
    public int ReceiveMaximum { get; init; } = 100;

    /// <summary>Topic aliases at most, in each direction of a connection (0 to 65,535).</summary>
    public int TopicAliasMaximum { get; init; } = 32;

    /// <summary>Longest keep alive granted; a 5.0 client asking for more, or for none, is told this one. Zero: no limit.</summary>
    public TimeSpan MaxKeepAlive { get; init; } = TimeSpan.FromMinutes(20);

    /// <summary>Longest session expiry granted; a longer request is lowered to it.</summary>
    public TimeSpan MaxSessionExpiry { get; init; } = TimeSpan.FromDays(30);

    /// <summary>
    /// How long a client that was connected when the process was killed or the power cut has to be back before its will is published; a longer will delay
    /// counts instead.
    /// </summary>
    public TimeSpan RestartWillDelay { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Levels a topic or filter may have.</summary>
    public int MaxTopicLevels { get; init; } = 256;

    /// <summary>Subscriptions one session may hold; the next one is refused with 0x97 (3.1.1: 0x80).</summary>
    public int MaxSubscriptionsPerClient { get; init; } = 1_000;

    /// <summary>
    /// Whether a client may subscribe to more than it may receive, as <c>#</c>, and each message is judged when it is delivered; otherwise such a filter is
    /// refused with 0x87 (<c>mqtt.wide_subscriptions</c>).
    /// </summary>
    public bool FiltersWideSubscriptions { get; init; }

    /// <summary>Messages one session may have waiting behind its in-flight window.</summary>
    public int MaxQueuedMessages { get; init; } = 10_000;

    /// <summary>Bytes of messages one session may have waiting behind its in-flight window.</summary>
    public long MaxQueuedBytes { get; init; } = 64L * 1024 * 1024;

    /// <summary>What happens to a message that finds the queue full.</summary>
    public QueueOverflow QueueOverflow { get; init; } = QueueOverflow.DropOldest;

    /// <summary>Bytes one connection may have waiting for its socket before QoS 0 is dropped and reading from it pauses.</summary>
    public int MaxOutboundBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Time between two updates of <c>$SYS</c>; zero: no <c>$SYS</c> at all.</summary>
    public TimeSpan SysInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Whether a 3.1.1 client that publishes what it may not is disconnected; otherwise its publish is acknowledged and goes no further
    /// (<c>auth.on_denied_publish_v311</c>).
    /// </summary>
    public bool DisconnectOnDeniedPublish { get; init; }

    /// <summary>Time a new connection has to complete its CONNECT (<c>limits.connect_timeout</c>).</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);
}
