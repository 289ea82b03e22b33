using System.Text;
using EdgeBroker.Bridge.Presets;
using EdgeBroker.Bridge.Routes;
using EdgeBroker.Client;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bridge.Planning;

/// <summary>
/// Makes options of settings: what is not said comes from the preset, and what the other side would refuse is found now, before the first message.
/// </summary>
/// <param name="node">This broker's name: the client id where none is given.</param>
/// <param name="time">The clock.</param>
public sealed class BridgePlanner(string node, TimeProvider time)
{
    // Of the life of a token: then there is time to try again.
    private const double RenewedShare = 0.8;

    // They share what may be in flight.
    private const int MostLanes = 4;

    // Where nothing tells the other side to keep own messages to itself, as in 3.1.1 without the bit for bridges.
    private static readonly TimeSpan DefaultEchoWindow = TimeSpan.FromSeconds(30);

    /// <summary>The names of the presets.</summary>
    public static IReadOnlyList<string> Presets { get; } = [.. BridgePreset.All.Select(preset => preset.Name)];

    /// <summary>Whether TLS or WebSocket is spoken, which takes OpenSSL.</summary>
    public static bool IsSecure(BridgeSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        bool isSecure = settings.Preset is not null && BridgePreset.Find(settings.Preset) is { IsSecure: true };
        return settings.Addresses.Any(address => BridgeAddress.Read(address, isSecure) is { } read && (read.IsSecure || read.IsWebSocket));
    }

    /// <summary>Makes options; null: something is wrong.</summary>
    /// <param name="settings">As written.</param>
    /// <param name="fingerprint">Tells these settings from others.</param>
    /// <param name="problems">What is wrong.</param>
    public BridgeOptions? Plan(BridgeSettings settings, string fingerprint, BridgeProblems problems)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(problems);
        BridgePreset preset = settings.Preset is null ? new BridgePreset("") : BridgePreset.Find(settings.Preset) ?? new BridgePreset("");
        settings = settings with { ClientId = settings.ClientId ?? node };
        preset.Check?.Invoke(settings, problems);
        ProtocolVersion version = settings.Version ?? preset.Version ?? ProtocolVersion.V5;
        List<BridgeAddress> addresses = Addresses(settings, preset, problems);
        List<RouteOptions> routes = [.. settings.Routes.Select(route => RouteOf(route, preset))];
        CheckLimits(settings, preset, version, problems);
        CheckSignature(settings, preset, addresses, problems);
        CheckRoutes(settings, preset, routes, problems);
        CheckLanes(settings, preset, version, problems);
        CheckCaptureTime(settings, version, problems);
        if (problems.All.Count > 0) return null;
        bool isPrivate = settings.TryPrivate ?? (version == ProtocolVersion.V311 && preset.Name == "mosquitto");
        var credentials = new BridgeCredentials(settings, preset, addresses, time);
        IReadOnlyList<IClientTransport> transports = BridgeTransports.Create(addresses, settings, preset, credentials);
        BridgeNotifications notifications = settings.Notifications ?? preset.Notifications;
        string topic = settings.NotificationTopic.Replace("{client}", settings.ClientId, StringComparison.Ordinal);
        bool isV5 = version == ProtocolVersion.V5;
        return new BridgeOptions
        {
            Name = settings.Name,
            Fingerprint = fingerprint,
            Connection = new MqttClientOptions
            {
                Transport = transports[0],
                OtherServers = [.. transports.Skip(1)],
                ServerOrder = settings.ServerOrder,
                FailBackInterval = settings.FailBackInterval,
                Version = version,
                ClientId = settings.ClientId,
                CleanStart = settings.CleanStart ?? preset.CleanStart,
                SessionExpirySeconds = isV5 ? (uint)Shorter(settings.SessionExpiry, preset.MaximumSessionExpiry).TotalSeconds : 0,
                KeepAliveSeconds = (ushort)Shorter(settings.KeepAlive ?? TimeSpan.FromSeconds(60), preset.MaximumKeepAlive).TotalSeconds,
                MaximumPacketSizeBytes = settings.MaximumPacketBytes,
                TopicAliasMaximum = 0,
                Properties = isV5 && settings.TellsPath && preset.Name is "" or "mosquitto" ? AskForMark() : null,
                Credentials = credentials.FindAsync,
                IsBridge = isPrivate && !isV5,
                Will = notifications == BridgeNotifications.Both ? new Will(new PublishMessage(topic, "0"u8.ToArray()) { Retain = true }) : null,
                TimeProvider = time,
            },
            Routes = routes,
            Queue = settings.Queue,
            Start = settings.Start,
            IdleTimeout = settings.IdleTimeout,
            Reconnect = new ReconnectOptions { FirstDelay = settings.FirstRetry, LongestDelay = settings.LongestRetry },
            StallTimeout = settings.StallTimeout,
            DrainRate = settings.DrainRate,
            Lanes = settings.Lanes,
            CaptureTime = settings.CaptureTime,
            PublishRate = settings.PublishRate ?? preset.PublishRate,
            MaximumQoS = preset.MaximumQoS,
            RetainAvailable = preset.RetainAvailable,
            MaximumPacketBytes = preset.MaximumPacketBytes,
            FiltersPerSubscribe = preset.FiltersPerSubscribe,
            // Where a server cannot say how many it takes, mosquitto drops what goes beyond its 20.
            MaximumInflight = (ushort)Math.Min(settings.MaximumInflight ?? (isV5 ? 1000 : 20), preset.MaximumInflight),
            Notifications = notifications,
            NotificationTopic = topic,
            MaximumHops = settings.MaximumHops,
            TellsPath = settings.TellsPath && isV5,
            EchoWindow = settings.EchoWindow
                ?? (isV5 || isPrivate || !routes.Exists(route => route.Direction == RouteDirection.Both) ? null : DefaultEchoWindow),
            HasBoundClientId = preset.NeedsClientCertificate || preset.TokenResource is not null,
            ProbeTopic = preset.ProbeTopic?.Replace("{client}", settings.ClientId, StringComparison.Ordinal),
            ProbeComesBack = preset.ProbeComesBack,
            RenewAfter = settings.DeviceKey is null && settings.TokenKey is null ? null : settings.TokenLifetime * RenewedShare,
        };
    }

    // An EdgeBroker on the other side then tells its name; others do not mind, but for clouds that refuse what they do not know.
    private static MqttProperties AskForMark()
    {
        var properties = new MqttProperties();
        properties.AddUserProperty("edgebroker-bridge", "1");
        return properties;
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan? other) => other is { } limit && limit < one ? limit : one;

    private static List<BridgeAddress> Addresses(BridgeSettings settings, BridgePreset preset, BridgeProblems problems)
    {
        var addresses = new List<BridgeAddress>();
        foreach (string text in settings.Addresses)
        {
            if (BridgeAddress.Read(text, preset.IsSecure || settings.Tls is not null, preset.WebSocketPath) is { } address) addresses.Add(address);
            else problems.Add("addresses", $"\"{text}\" is no address; expected host:port, with mqtt://, mqtts://, ws:// or wss:// before it, or unix:/path");
        }

        if (settings.Addresses.Count == 0) problems.Add("addresses", "a bridge needs an address");
        if (settings.Tls is not null && addresses.Count > 0 && !addresses.Exists(address => address.IsSecure))
        {
            problems.Add("tls", "no address speaks TLS; write mqtts:// or wss:// before it, or leave the table out");
        }

        if (settings.Proxy is not null && BridgeTransports.ReadProxy(settings.Proxy) is null)
        {
            problems.Add("proxy", $"\"{settings.Proxy}\" is no proxy; expected http://host:port or socks5://host:port");
        }

        if (settings.BindAddress is not null && !System.Net.IPAddress.TryParse(settings.BindAddress, out _))
        {
            problems.Add("bind_address", $"\"{settings.BindAddress}\" is no address of this machine");
        }

        return addresses;
    }

    private static RouteOptions RouteOf(RouteSettings route, BridgePreset preset)
    {
        QoS qos = route.MaximumQoS ?? QoS.AtLeastOnce;
        int mostBytes = Math.Min(route.MaximumPayloadBytes ?? int.MaxValue, preset.MaximumPayloadBytes);
        return new RouteOptions
        {
            Direction = route.Direction,
            Local = route.Local,
            Remote = route.Remote ?? (route.Direction == RouteDirection.Out ? preset.OutTemplate : null),
            MaximumQoS = qos < preset.MaximumQoS ? qos : preset.MaximumQoS,
            KeepsRetain = (route.KeepsRetain ?? true) && preset.RetainAvailable,
            Lane = route.Lane ?? "",
            Exclude = route.Exclude,
            MaximumPayloadBytes = mostBytes == int.MaxValue ? null : mostBytes,
            MaximumTopicLevels = preset.MaximumTopicLevels,
            MaximumTopicBytes = preset.MaximumTopicBytes,
        };
    }

    private static void CheckLimits(BridgeSettings settings, BridgePreset preset, ProtocolVersion version, BridgeProblems problems)
    {
        if (preset.Version is { } only && settings.Version is { } asked && asked != only)
        {
            problems.Add("version", $"{preset.Name} speaks {(only == ProtocolVersion.V5 ? "5.0" : "3.1.1")} only; leave \"version\" out");
        }

        if (Encoding.UTF8.GetByteCount(settings.ClientId!) > preset.MaximumClientIdBytes)
        {
            problems.Add("client_id", $"{preset.Name} takes client ids of {preset.MaximumClientIdBytes} bytes at most");
        }

        if (settings.KeepAlive > preset.MaximumKeepAlive)
        {
            problems.Add("keep_alive", $"{preset.Name} takes a keep-alive of {preset.MaximumKeepAlive.TotalSeconds:0}s at most");
        }

        if (preset.NeedsUser && settings.UserName is null) problems.Add("user", $"{preset.Name} wants a user name and a password");
        bool hasOther = settings.UserName is not null || settings.TokenKey is not null || settings.IsSigned;
        if (preset.NeedsClientCertificate && !settings.HasClientCertificate && !hasOther)
        {
            problems.Add("tls", $"{preset.Name} wants the device's certificate: [bridge.tls] with \"cert\" and \"key\"");
        }

        if (preset.TokenResource is null && settings.DeviceKey is not null)
        {
            problems.Add("device_key", "tokens are made of a device's key for azure-iot-hub only; use \"password\"");
        }

        if (preset.TokenResource is not null && settings.DeviceKey is null && settings.Password is null && !settings.HasClientCertificate)
        {
            problems.Add("device_key", $"{preset.Name} wants \"device_key\", of which tokens are made and renewed, or a certificate: [bridge.tls]");
        }

        if (version == ProtocolVersion.V311 && (settings.Password ?? settings.TokenKey) is not null && settings.UserName is null && preset.UserName is null)
        {
            problems.Add("user", "MQTT 3.1.1 has no password without a user name; give \"user\", too");
        }
    }

    private static void CheckSignature(BridgeSettings settings, BridgePreset preset, List<BridgeAddress> addresses, BridgeProblems problems)
    {
        if (!settings.IsSigned) return;
        if (preset.SigningService is null)
        {
            problems.Add("aws_secret_key", "requests are signed for aws-iot-core only; use \"password\"");
            return;
        }

        if (settings.AwsKeyId is null) problems.Add("aws_key_id", "\"aws_key_id\" is missing: the id of the key of \"aws_secret_key\"");
        if (settings.AwsSecretKey is null) problems.Add("aws_secret_key", "\"aws_secret_key\" is missing: the secret of the key of \"aws_key_id\"");
        foreach (BridgeAddress address in addresses)
        {
            if (address.Scheme != "wss")
            {
                problems.Add("addresses", $"a signed request opens a WebSocket with TLS; write wss:// before {address.Host}, without a port, or with 443");
            }
            else if (BridgeCredentials.RegionOf(settings, address) is null)
            {
                problems.Add("aws_region", $"the region that requests are signed for does not show in {address.Host}; give \"aws_region\"");
            }
        }
    }

    private static void CheckRoutes(BridgeSettings settings, BridgePreset preset, List<RouteOptions> routes, BridgeProblems problems)
    {
        if (routes.Count == 0) problems.Add("route", "a bridge needs a [[bridge.route]]");
        int subscriptions = 0;
        for (int i = 0; i < routes.Count; i++)
        {
            RouteSettings written = settings.Routes[i];
            if (routes[i].ComesIn) subscriptions++;
            try
            {
                _ = new RouteTable([routes[i]], settings.ClientId!);
            }
            catch (FormatException exception)
            {
                problems.Add(written, written.Remote is null ? "local" : "remote", exception.Message);
                continue;
            }

            CheckLevels(written, routes[i], preset, problems);
        }

        if (subscriptions > preset.MaximumSubscriptions)
        {
            problems.Add(
                "route",
                $"{preset.Name} takes {preset.MaximumSubscriptions} subscriptions at most, and {subscriptions} routes lead in; join some by a wildcard");
        }
    }

    private static void CheckLanes(BridgeSettings settings, BridgePreset preset, ProtocolVersion version, BridgeProblems problems)
    {
        if (settings.Lanes.Count > MostLanes) problems.Add("lane", $"a bridge has {MostLanes} lanes at most");
        foreach (IGrouping<string, LaneOptions> same in settings.Lanes.GroupBy(lane => lane.Name, StringComparer.Ordinal).Where(same => same.Count() > 1))
        {
            problems.Add("lane", $"two [[bridge.lane]] are named \"{same.Key}\"");
        }

        foreach (LaneOptions lane in settings.Lanes.Where(lane => !settings.Routes.Any(route => route.Lane == lane.Name)))
        {
            problems.Add("lane", $"no route goes by the lane \"{lane.Name}\"; give one of them lane = \"{lane.Name}\"");
        }

        foreach (RouteSettings route in settings.Routes.Where(route => route.Lane is not null))
        {
            if (!settings.Lanes.Any(lane => lane.Name == route.Lane))
            {
                problems.Add(route, "lane", $"there is no [[bridge.lane]] named \"{route.Lane}\"");
            }
            else if (route.Direction == RouteDirection.In)
            {
                problems.Add(route, "lane", "a lane is for what goes out, and this route leads in");
            }
            else if (route.MaximumQoS == QoS.ExactlyOnce)
            {
                problems.Add(route, "lane", "a lane goes with QoS 1 at most; lower \"qos\", or leave \"lane\" out");
            }
        }

        int inflight = Math.Min(settings.MaximumInflight ?? (version == ProtocolVersion.V5 ? 1000 : 20), preset.MaximumInflight);
        if (inflight <= settings.Lanes.Count) problems.Add("max_inflight", $"each of {settings.Lanes.Count + 1} lanes needs one message in flight");
    }

    private static void CheckCaptureTime(BridgeSettings settings, ProtocolVersion version, BridgeProblems problems)
    {
        if (settings.CaptureTime == CaptureTime.Property && version != ProtocolVersion.V5)
        {
            problems.Add("capture_time", "MQTT 3.1.1 has no user properties; write \"json\", or version = \"5.0\"");
        }

        if (settings.CaptureTime == CaptureTime.Json && settings.Routes.Any(route => route.Direction == RouteDirection.Both))
        {
            problems.Add("capture_time", "\"json\" changes what goes out, and a route goes both ways; make it two routes, or write \"property\"");
        }
    }

    private static void CheckLevels(RouteSettings written, RouteOptions route, BridgePreset preset, BridgeProblems problems)
    {
        string remote = route.Remote ?? route.Local;
        int levels = remote.Split('/').Length;
        if (levels > preset.MaximumTopicLevels)
        {
            problems.Add(
                written, written.Remote is null ? "local" : "remote",
                $"{preset.Name} takes topics of {preset.MaximumTopicLevels} levels at most, and this has {levels}; give it a shorter \"remote\"");
        }

        if (written.MaximumQoS > preset.MaximumQoS)
        {
            problems.Add(written, "qos", $"{preset.Name} takes QoS {(int)preset.MaximumQoS} at most; lower \"qos\", or leave it out");
        }
    }
}
