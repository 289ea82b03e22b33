using EdgeBroker.Bridge;
using EdgeBroker.Bridge.Planning;
using EdgeBroker.Bridge.Routes;
using EdgeBroker.Client;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Configuration.Schema;

/// <summary>The keys of <c>[[bridge]]</c> and the tables inside it.</summary>
internal static class BridgeTable
{
    private static readonly Applies Anew = Applies.AsAnotherBridge;

    private static readonly ChoiceKind<RouteDirection> Direction =
        Kinds.Choice(("out", RouteDirection.Out, "from here"), ("in", RouteDirection.In, "to here"), ("both", RouteDirection.Both, ""));

    private static readonly ChoiceKind<BridgeStart> Start = Kinds.Choice(
        ("automatic", BridgeStart.Automatic, ""), ("lazy", BridgeStart.Lazy, "when something waits"),
        ("command", BridgeStart.OnCommand, "`edgebroker bridge start`"));

    private static readonly ChoiceKind<CaptureTime> CaptureTimes = Kinds.Choice(
        ("off", CaptureTime.Off, ""), ("property", CaptureTime.Property, "5.0: by the user property \"edgebroker-time\""),
        ("json", CaptureTime.Json, "by {\"time\":...,\"topic\":...,\"value\":...} around the payload"));

    private static readonly ChoiceKind<BridgeNotifications> Notifications = Kinds.Choice(
        ("off", BridgeNotifications.Off), ("local", BridgeNotifications.Local), ("both", BridgeNotifications.Both));

    private static readonly TableSchema<BridgeRouteDraft> Route = new TableSchema<BridgeRouteDraft>("[[bridge.route]]")
    {
        IsExample = true,
        Comment = "which topics, which way; of several that match, the first decides",
    }
        .Key(
            "direction", Direction, o => o.Settings.Direction, (o, v) => o with { Settings = o.Settings with { Direction = v } }, Anew, "", example: "\"out\"")
        .Key(
            "local",
            Kinds.Name("a topic filter"),
            o => o.Settings.Local,
            (o, v) => o with { Settings = o.Settings with { Local = v } },
            Anew,
            "the topics here",
            required: true,
            example: "\"plant/#\"")
        .Key(
            "remote",
            Kinds.Name("a topic filter, a topic or a template"),
            o => o.Settings.Remote,
            (o, v) => o with { Settings = o.Settings with { Remote = v } },
            Anew,
            "what they are called there: the same wildcards in the same order; or a template with {topic}, {1} (what the first wildcard matched), {client}, "
            + "each also as {topic:url}. Default: as here",
            example: "\"dt/gw-017/plant/#\"")
        .Key(
            "qos", Kinds.Integer(0, 2), o => (int?)o.Settings.MaximumQoS, (o, v) => o with { Settings = o.Settings with { MaximumQoS = (QoS)v } }, Anew,
            "at most", example: "1")
        .Key(
            "retain", Kinds.Boolean, o => o.Settings.KeepsRetain, (o, v) => o with { Settings = o.Settings with { KeepsRetain = v } }, Anew,
            "whether a retained message stays one", example: "true")
        .Key(
            "lane", Kinds.Name("the name of a [[bridge.lane]]"), o => o.Settings.Lane, (o, v) => o with { Settings = o.Settings with { Lane = v } }, Anew,
            "the queue by which messages go out. Default: one for all", example: "\"alarms\"")
        .Key(
            "exclude",
            Kinds.Names("topic filters"),
            o => o.Settings.Exclude.Count == 0 ? null : o.Settings.Exclude,
            (o, v) => o with { Settings = o.Settings with { Exclude = v } },
            Anew,
            "topics here that do not go, although they match",
            example: "[\"plant/+/debug/#\"]")
        .Key(
            "max_payload", Kinds.Size(1, 255 * SizeKind.MB), o => o.Settings.MaximumPayloadBytes,
            (o, v) => o with { Settings = o.Settings with { MaximumPayloadBytes = (int)v } }, Anew, "longer messages do not go", example: "\"64KB\"");

    private static readonly TableSchema<BridgeSettings> Queue = AddQueue(
        new TableSchema<BridgeSettings>("[bridge.queue]")
        {
            IsExample = true,
            Comment = "what waits to go out, on disk; it leaves there when the other side has acknowledged it",
        },
        o => o.Queue, (o, v) => o with { Queue = v }, o => o.DrainRate, (o, v) => o with { DrainRate = v });

    private static readonly TableSchema<BridgeLaneDraft> Lane = AddQueue(
        new TableSchema<BridgeLaneDraft>("[[bridge.lane]]")
        {
            IsExample = true,
            Comment = "a queue of its own, for routes that name it: what goes by it does not wait behind a backlog of others. Lanes go in the order in which "
                + "they stand here, and before what has none; at QoS 1 at most. The keys are those of [bridge.queue]",
        }
            .Key(
                "name", Kinds.Text("a name of letters, digits, \"-\", \"_\" and \".\"", IsName), o => o.Lane.Name,
                (o, v) => o with { Lane = o.Lane with { Name = v } }, Anew, "what waits belongs to it", required: true, example: "\"alarms\""),
        o => o.Lane.Queue, (o, v) => o with { Lane = o.Lane with { Queue = v } }, o => o.Lane.DrainRate,
        (o, v) => o with { Lane = o.Lane with { DrainRate = v } });

    private static readonly TableSchema<BridgeSettings> Tls = new TableSchema<BridgeSettings>("[bridge.tls]")
    {
        IsExample = true,
        Comment = "mqtts and wss; files are read anew at each connection",
    }
        .Key(
            "ca", Kinds.File, o => o.Tls?.AuthorityFile, (o, v) => With(o, tls => tls with { AuthorityFile = v }), Anew,
            "whose certificates of servers are good, and nobody else's. Default: the system's", example: "\"certs/cloud-ca.crt\"")
        .Key(
            "cert", Kinds.File, o => o.Tls?.CertificateFile, (o, v) => With(o, tls => tls with { CertificateFile = v }), Anew,
            "this gateway's own, PEM with its chain", example: "\"certs/gw-017.crt\"")
        .Key("key", Kinds.File, o => o.Tls?.KeyFile, (o, v) => With(o, tls => tls with { KeyFile = v }), Anew, "", example: "\"certs/gw-017.key\"")
        .Key(
            "alpn", Kinds.Name("a protocol's name"), o => o.Tls?.ApplicationProtocol, (o, v) => With(o, tls => tls with { ApplicationProtocol = v }), Anew,
            "application protocol to name; aws-iot-core on port 443 knows its own", example: "\"mqtt\"")
        .Key(
            "any_name", Kinds.Boolean, o => o.Tls?.AnyName, (o, v) => With(o, tls => tls with { AnyName = v }), Anew,
            "true: the server's certificate may be for another name", example: "false")
        .Key(
            "min_version", Kinds.Choice(("1.2", false), ("1.3", true)), o => o.Tls?.Only13, (o, v) => With(o, tls => tls with { Only13 = v }), Anew, "",
            example: "\"1.2\"");

    public static readonly TableSchema<BridgeDraft> Schema = Make();

    private static TableSchema<T> AddQueue<T>(
        TableSchema<T> table, Func<T, QueuePolicy> get, Func<T, QueuePolicy, T> set, Func<T, RateLimit?> getRate, Func<T, RateLimit?, T> setRate)
        where T : class => table
        .Key(
            "max_messages", Kinds.Integer(1, 100_000_000), o => get(o).MaxMessages, (o, v) => set(o, get(o) with { MaxMessages = v }), Anew, "")
        .Key(
            "max_bytes", Kinds.Size(1 * SizeKind.KB, 1_024 * SizeKind.GB), o => get(o).MaxBytes, (o, v) => set(o, get(o) with { MaxBytes = v }), Anew,
            "[storage] max_bytes bounds all queues together")
        .Key(
            "max_age", Kinds.Seconds(1, 3_650 * 86_400L), o => get(o).MaxAge, (o, v) => set(o, get(o) with { MaxAge = v }), Anew,
            "older messages are dropped")
        .Key("on_full", MqttTable.Overflow, o => get(o).Overflow, (o, v) => set(o, get(o) with { Overflow = v }), Anew, "")
        .Key("qos0", Kinds.Boolean, o => get(o).KeepsQoS0, (o, v) => set(o, get(o) with { KeepsQoS0 = v }), Anew, "whether QoS 0 waits, too")
        .Key(
            "drain_rate", Kinds.RateLimit("drain_rate"), o => getRate(o), (o, v) => setRate(o, v), Anew,
            "how fast what has waited goes; default: as fast as it is taken", example: "{ rate = \"50/s\" }");

    private static BridgeSettings With(BridgeSettings settings, Func<BridgeTls, BridgeTls> change) =>
        settings with { Tls = change(settings.Tls ?? new BridgeTls()) };

    private static TableSchema<BridgeDraft> Make()
    {
        var table = new TableSchema<BridgeDraft>("[[bridge]]")
        {
            IsExample = true,
            Introduction = "Bridges carry messages to another broker and from there. What goes out waits on disk until the other side has acknowledged it, "
                + "however long that is away. Try one with `edgebroker bridge test NAME`.",
        };
        AddPlace(table);
        AddLogin(table);
        AddBehaviour(table);
        return table
            .TableArray("route", Route, o => o.Routes, one => new BridgeRouteDraft(one), (o, v) => o with { Routes = v })
            .TableArray("lane", Lane, o => o.Lanes, one => new BridgeLaneDraft(one), (o, v) => o with { Lanes = v })
            .Table(
                "queue", Queue, o => o.Settings, _ => new BridgeSettings(),
                (o, v) => Set(o, s => s with { Queue = v.Queue, DrainRate = v.DrainRate }))
            .Table(
                "tls", Tls, o => o.Settings.Tls is null ? null : o.Settings, _ => new BridgeSettings { Tls = new BridgeTls() },
                (o, v) => Set(o, s => s with { Tls = v.Tls }));
    }

    private static BridgeDraft Set(BridgeDraft draft, Func<BridgeSettings, BridgeSettings> change) => draft with { Settings = change(draft.Settings) };

    private static void AddPlace(TableSchema<BridgeDraft> table) => table
        .Key(
            "name", Kinds.Text("a name of letters, digits, \"-\", \"_\" and \".\"", IsName), o => o.Settings.Name,
            (o, v) => Set(o, s => s with { Name = v }), Anew, "for logs, $SYS and verbs; what waits belongs to it", required: true, example: "\"cloud\"")
        .Key(
            "preset", Kinds.Text($"one of {string.Join(", ", BridgePlanner.Presets)}", text => BridgePlanner.Presets.Contains(text)), o => o.Settings.Preset,
            (o, v) => Set(o, s => s with { Preset = v }), Anew, "what the other side asks for and allows: " + string.Join(" | ", BridgePlanner.Presets),
            example: "\"aws-iot-core\"")
        .Key(
            "addresses", Kinds.Names("addresses"), o => o.Settings.Addresses.Count == 0 ? null : o.Settings.Addresses,
            (o, v) => Set(o, s => s with { Addresses = v }), Anew,
            "host:port, with mqtt://, mqtts://, ws:// or wss:// before it, or unix:/path; others stand in for the first", required: true,
            example: "[\"xxxx-ats.iot.eu-west-1.amazonaws.com:8883\"]")
        .Key(
            "order", Kinds.Choice(("primary-first", ServerOrder.PrimaryFirst), ("round-robin", ServerOrder.RoundRobin)), o => o.Settings.ServerOrder,
            (o, v) => Set(o, s => s with { ServerOrder = v }), Anew, "of several addresses: the first whenever it answers, or the next after each loss",
            commented: true)
        .Key(
            "fail_back", Kinds.Seconds(1, 86_400), o => o.Settings.FailBackInterval, (o, v) => Set(o, s => s with { FailBackInterval = v }), Anew,
            "how often to look whether the first answers again", commented: true)
        .Key(
            "proxy", Kinds.Name("http://host:port or socks5://host:port"), o => o.Settings.Proxy, (o, v) => Set(o, s => s with { Proxy = v }), Anew,
            "a proxy on the way, http:// (CONNECT) or socks5://", example: "\"http://proxy.plant.example:3128\"")
        .Key("proxy_user", Kinds.Name("a user name"), o => o.Settings.ProxyUser, (o, v) => Set(o, s => s with { ProxyUser = v }), Anew, "", example: "\"gw\"")
        .Key("proxy_password", Kinds.Secret, o => o.ProxyPassword, (o, v) => o with { ProxyPassword = v }, Anew, "", example: "{ env = \"PROXY_PASSWORD\" }")
        .Key(
            "bind_address", Kinds.Name("an address of this machine"), o => o.Settings.BindAddress, (o, v) => Set(o, s => s with { BindAddress = v }), Anew,
            "the local address to connect from", example: "\"192.168.1.10\"");

    private static void AddLogin(TableSchema<BridgeDraft> table) => table
        .Key(
            "client_id", Kinds.Name("a client id"), o => o.Settings.ClientId, (o, v) => Set(o, s => s with { ClientId = v }), Anew,
            "on the other side, and of no other client there. Default: node.name", example: "\"gw-017\"")
        .Key("user", Kinds.Name("a user name"), o => o.Settings.UserName, (o, v) => Set(o, s => s with { UserName = v }), Anew, "", example: "\"gw-017\"")
        .Key(
            "password", Kinds.Secret, o => o.Password, (o, v) => o with { Password = v }, Anew, "read anew at each connection",
            example: "{ file = \"cloud.password\" }")
        .Key(
            "device_key", Kinds.Secret, o => o.DeviceKey, (o, v) => o with { DeviceKey = v }, Anew,
            "azure-iot-hub: the device's key (base64), of which tokens are made at each connection", example: "{ file = \"azure.key\" }")
        .Key(
            "jwt_key", Kinds.Secret, o => o.TokenKey, (o, v) => o with { TokenKey = v }, Anew,
            "a private key (PEM, RSA or P-256), of which JSON Web Tokens are made as the password", example: "{ file = \"certs/token.key\" }")
        .Key(
            "jwt_audience", Kinds.Name("the \"aud\" of the tokens"), o => o.Settings.TokenAudience, (o, v) => Set(o, s => s with { TokenAudience = v }), Anew,
            "", example: "\"my-project\"")
        .Key(
            "aws_key_id", Kinds.Secret, o => o.AwsKeyId, (o, v) => o with { AwsKeyId = v }, Anew,
            "aws-iot-core at a wss:// address: the access key by which each connection is signed (SigV4), in place of a certificate",
            example: "{ env = \"AWS_ACCESS_KEY_ID\" }")
        .Key(
            "aws_secret_key", Kinds.Secret, o => o.AwsSecretKey, (o, v) => o with { AwsSecretKey = v }, Anew, "its secret",
            example: "{ env = \"AWS_SECRET_ACCESS_KEY\" }")
        .Key(
            "aws_session_token", Kinds.Secret, o => o.AwsSessionToken, (o, v) => o with { AwsSessionToken = v }, Anew,
            "of a temporary key; of the three, a file is read anew at each connection", example: "{ file = \"aws.token\" }")
        .Key(
            "aws_region", Kinds.Name("a region"), o => o.Settings.AwsRegion, (o, v) => Set(o, s => s with { AwsRegion = v }), Anew,
            "default: as the address says", example: "\"eu-west-1\"")
        .Key(
            "token_lifetime", Kinds.Seconds(60, 86_400 * 365L), o => o.Settings.TokenLifetime, (o, v) => Set(o, s => s with { TokenLifetime = v }), Anew,
            "of tokens made here; the connection is made anew before it is over", commented: true);

    private static void AddBehaviour(TableSchema<BridgeDraft> table) => table
        .Key(
            "version", Kinds.Choice(("3.1.1", ProtocolVersion.V311), ("5.0", ProtocolVersion.V5)), o => o.Settings.Version,
            (o, v) => Set(o, s => s with { Version = v }), Anew, "of MQTT; default: as the preset says, else 5.0", example: "\"5.0\"")
        .Key("start", Start, o => o.Settings.Start, (o, v) => Set(o, s => s with { Start = v }), Anew, "", commented: true)
        .Key(
            "idle_timeout", Kinds.Seconds(1, 86_400), o => o.Settings.IdleTimeout, (o, v) => Set(o, s => s with { IdleTimeout = v }), Anew,
            "lazy: leaves when nothing went out for so long", commented: true)
        .Key(
            "keep_alive", Kinds.Seconds(1, 65_535), o => o.Settings.KeepAlive, (o, v) => Set(o, s => s with { KeepAlive = v }), Anew, "", example: "\"1m\"")
        .Key(
            "clean_start", Kinds.Boolean, o => o.Settings.CleanStart, (o, v) => Set(o, s => s with { CleanStart = v }), Anew,
            "true: the other side keeps nothing for this gateway while it is away", example: "false")
        .Key(
            "session_expiry", Kinds.Seconds(0, 3_650 * 86_400L), o => o.Settings.SessionExpiry, (o, v) => Set(o, s => s with { SessionExpiry = v }), Anew,
            "how long it does (5.0)", commented: true)
        .Key(
            "max_inflight", Kinds.Integer(1, 65_535), o => o.Settings.MaximumInflight, (o, v) => Set(o, s => s with { MaximumInflight = v }), Anew,
            "sent and not acknowledged; default: 1000, in 3.1.1 20, or less where the other side says so", example: "100")
        .Key(
            "max_packet_size", Kinds.Size(256, 255 * SizeKind.MB), o => o.Settings.MaximumPacketBytes,
            (o, v) => Set(o, s => s with { MaximumPacketBytes = (int)v }), Anew, "that is accepted from the other side", commented: true)
        .Key(
            "publish_rate", Kinds.RateLimit("publish_rate"), o => o.Settings.PublishRate, (o, v) => Set(o, s => s with { PublishRate = v }), Anew,
            "how fast anything goes out; default: as the preset says", example: "{ rate = \"100/s\" }")
        .Key(
            "retry", Kinds.Seconds(1, 3_600), o => o.Settings.FirstRetry, (o, v) => Set(o, s => s with { FirstRetry = v }), Anew,
            "the wait before another attempt: random, growing from this", commented: true)
        .Key(
            "max_retry", Kinds.Seconds(1, 86_400), o => o.Settings.LongestRetry, (o, v) => Set(o, s => s with { LongestRetry = v }), Anew, "... to this",
            commented: true)
        .Key(
            "stall_timeout", Kinds.Seconds(5, 86_400), o => o.Settings.StallTimeout, (o, v) => Set(o, s => s with { StallTimeout = v }), Anew,
            "connected, and nothing acknowledged for so long: the connection is made anew", commented: true)
        .Key(
            "try_private", Kinds.Boolean, o => o.Settings.TryPrivate, (o, v) => Set(o, s => s with { TryPrivate = v }), Anew,
            "3.1.1: says that this is a bridge, as mosquitto does, so that own messages do not come back", example: "true")
        .Key(
            "max_hops", Kinds.Integer(1, 255), o => o.Settings.MaximumHops, (o, v) => Set(o, s => s with { MaximumHops = v }), Anew,
            "brokers a message may have come through (5.0)", commented: true)
        .Key(
            "path_property", Kinds.Boolean, o => o.Settings.TellsPath, (o, v) => Set(o, s => s with { TellsPath = v }), Anew,
            "5.0: messages carry the brokers they came through as the user property \"edgebroker-path\"", commented: true)
        .Key(
            "capture_time", CaptureTimes, o => o.Settings.CaptureTime, (o, v) => Set(o, s => s with { CaptureTime = v }), Anew,
            "whether messages tell when they were published here", commented: true)
        .Key(
            "echo_window", Kinds.Seconds(1, 3_600), o => o.Settings.EchoWindow, (o, v) => Set(o, s => s with { EchoWindow = v }), Anew,
            "for brokers that send back what came from here: an equal message within this time is left out. "
            + "Default: 30s where a 3.1.1 route goes both ways without try_private", example: "\"10s\"")
        .Key(
            "notifications", Notifications, o => o.Settings.Notifications, (o, v) => Set(o, s => s with { Notifications = v }), Anew,
            "who is told by a retained 1 or 0 whether it is connected; default: local, mosquitto both", example: "\"local\"")
        .Key(
            "notification_topic", Kinds.Name("a topic"), o => o.Settings.NotificationTopic, (o, v) => Set(o, s => s with { NotificationTopic = v }), Anew, "",
            commented: true);

    private static bool IsName(string name) => name.Length is > 0 and <= 64 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
