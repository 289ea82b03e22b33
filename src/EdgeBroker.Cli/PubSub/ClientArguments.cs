using System.Net;
using System.Text;
using EdgeBroker.Cli.Files;
using EdgeBroker.Cli.Options;
using EdgeBroker.Client;
using EdgeBroker.Protocol;

namespace EdgeBroker.Cli.PubSub;

/// <summary>What <c>pub</c> and <c>sub</c> share: where and how to connect. The options are those of mosquitto's clients.</summary>
internal sealed class ClientArguments
{
    private const int TlsPort = 8883;

    private static readonly CommandOption Host = CommandOption.Text("--host", 'h', "NAME", "server (localhost)");
    private static readonly CommandOption Port = CommandOption.Number("--port", 'p', "N", 1, 65535, "port (1883; with TLS 8883, and 8883 alone asks for TLS)");
    private static readonly CommandOption Unix = CommandOption.Path("--unix", null, "PATH", "Unix domain socket, in place of host and port");
    private static readonly CommandOption WebSocket = CommandOption.Flag("--ws", null, "over WebSocket (port 80; with TLS 443)");
    private static readonly CommandOption WebSocketPath = CommandOption.Text("--ws-path", null, "PATH", "the path of the WebSocket (/mqtt)");
    private static readonly CommandOption Url = CommandOption.Text(
        "--url", 'L', "URL", ServerUrl.Form + "; mqtts:// for TLS, ws:// and wss:// for WebSocket without and with it; other options hold before what it says");

    private static readonly CommandOption Bind = CommandOption.Text("--bind", 'A', "ADDRESS", "local address to connect from");
    private static readonly CommandOption Qos = CommandOption.Number("--qos", 'q', "N", 0, 2, "QoS 0, 1 or 2 (0)");
    private static readonly CommandOption Id = CommandOption.Text("--id", 'i', "ID", "client id (chosen at random)");
    private static readonly CommandOption IdPrefix = CommandOption.Text("--id-prefix", 'I', "TEXT", "client id of this text and the process number");
    private static readonly CommandOption UserName = CommandOption.Text("--username", 'u', "NAME", "user name");
    private static readonly CommandOption Password =
        CommandOption.Text("--pw", 'P', "TEXT", "password; every program on this machine can read it there, so rather:");
    private static readonly CommandOption PasswordFile = CommandOption.Path("--pw-file", null, "FILE", "password: the first line of this file");
    private static readonly CommandOption AuthMethod = CommandOption.Text(
        "--auth-method", null, "NAME",
            "scram-sha-256: prove the password instead of sending it, and have the server prove that it knows it; jwt: the password is a token (MQTT 5)");

    private static readonly CommandOption Version =
        CommandOption.Text("--protocol-version", 'V', "VERSION", "311 or 5 (5, and 311 where the server does not speak 5)");
    private static readonly CommandOption KeepAlive = CommandOption.Number("--keepalive", 'k', "S", 0, 65535, "keep alive in seconds, 0 for none (60)");
    private static readonly CommandOption KeepSession = CommandOption.Flag("--disable-clean-session", 'c', "keep the session; needs -i");
    private static readonly CommandOption SessionExpiry =
        CommandOption.Text("--session-expiry-interval", 'x', "S", "seconds for which the server keeps the session, ∞ for ever (MQTT 5)");
    private static readonly CommandOption WillTopic = CommandOption.Text("--will-topic", null, "TOPIC", "topic of the will");
    private static readonly CommandOption WillPayload = CommandOption.Text("--will-payload", null, "TEXT", "payload of the will");
    private static readonly CommandOption WillQos = CommandOption.Number("--will-qos", null, "N", 0, 2, "QoS of the will");
    private static readonly CommandOption WillRetain = CommandOption.Flag("--will-retain", null, "the server keeps the will as the topic's last value");
    private static readonly CommandOption Property = CommandOption.Sequence(
        "--property", 'D', "PACKET NAME VALUE [VALUE]", PropertyArguments.CountOf,
        "MQTT 5 property of connect, publish, subscribe, unsubscribe, disconnect or will, as in: -D publish user-property name value");

    private static readonly CommandOption NoDelay = CommandOption.Flag("--nodelay", null, "always so");
    private static readonly CommandOption Debug = CommandOption.Flag("--debug", 'd', "show packets on standard error");
    private static readonly CommandOption Quiet = CommandOption.Flag("--quiet", null, "no error messages");

    /// <summary>All but the topics.</summary>
    public static readonly OptionGroup Connection = new(
        "Connection", Host, Port, Unix, WebSocket, WebSocketPath, Url, Bind, Qos, Id, IdPrefix, UserName, Password, PasswordFile, AuthMethod, Version,
        KeepAlive, KeepSession,
        SessionExpiry, Property, NoDelay, Debug, Quiet);

    public static readonly OptionGroup Will = new("Will", WillTopic, WillPayload, WillQos, WillRetain);

    /// <summary>Options of mosquitto's clients that need something this build does not have.</summary>
    public static readonly string[] Unsupported =
        ["--keyform", "--ciphers", "--tls-engine", "--tls-engine-kpass-sha1", "--psk", "--psk-identity", "--proxy", "--random-filter", "-S"];

    private static readonly Encoding StrictUtf8 = new UTF8Encoding(false, true);
    private readonly Arguments _args;
    private readonly ServerUrl? _url;

    /// <param name="args">The arguments of either verb.</param>
    /// <param name="topics">The option by which it names topics.</param>
    public ClientArguments(Arguments args, CommandOption topics)
    {
        _args = args;
        _url = args.Text(Url) is { } url ? ServerUrl.Parse(url)
            ?? throw args.Wrong(Url, $"write {ServerUrl.Form}, or mqtts:// for TLS, ws:// or wss:// for WebSocket") : null;
        Topics = [.. args.Texts(topics), .. _url?.Topic is { } topic ? [topic] : Array.Empty<string>()];
        Properties = new PropertyArguments(args.Sequences(Property));
    }

    /// <summary>The topics of <c>-t</c>, and that of <c>-L</c>.</summary>
    public IReadOnlyList<string> Topics { get; }

    public PropertyArguments Properties { get; }

    public QoS QoS => (QoS)(_args.Number(Qos) ?? 0);

    public bool IsDebugging => _args.Has(Debug);

    private string? User => _args.Text(UserName) ?? _url?.User;

    /// <summary>Whether MQTT 3.1.1 does as well, since nobody asked for a version or for what 5.0 alone has; once the options have been made.</summary>
    public bool MayFallBack { get; private set; }

    /// <summary>The same options for MQTT 3.1.1.</summary>
    /// <param name="options">Those for 5.0.</param>
    /// <param name="verb">The verb.</param>
    public MqttClientOptions FallBack(MqttClientOptions options, string verb) =>
        options with { Version = ProtocolVersion.V311, ClientId = ToClientId(verb, ProtocolVersion.V311, !options.CleanStart) };

    /// <summary>Whether the user wants no error messages.</summary>
    public bool IsQuietly => _args.Has(Quiet);

    /// <summary>Whether the user wants no error messages.</summary>
    public static bool IsQuiet(Arguments args) => args.Has(Quiet);

    /// <summary>The client options the command line amounts to.</summary>
    public MqttClientOptions ToOptions(string verb)
    {
        bool keeps = _args.Has(KeepSession);
        uint? expiry = SessionExpirySeconds();
        ProtocolVersion version = ToVersion(needsFive: Properties.Any || expiry is not null || _args.Has(AuthMethod));
        string? password = ToPassword();
        return new MqttClientOptions
        {
            Transport = ToTransport(),
            Version = version,
            ClientId = ToClientId(verb, version, keeps),
            CleanStart = !keeps,
            SessionExpirySeconds = expiry ?? Properties.SessionExpirySeconds ?? (keeps && version == ProtocolVersion.V5 ? uint.MaxValue : 0),
            // With a method neither goes over the wire by itself.
            UserName = _args.Has(AuthMethod) ? null : User,
            Password = password is null || _args.Has(AuthMethod) ? null : StrictUtf8.GetBytes(password),
            Authentication = ToAuthentication(password),
            KeepAliveSeconds = (ushort)(_args.Number(KeepAlive) ?? 60),
            ReceiveMaximum = Properties.ReceiveMaximum ?? 100,
            TopicAliasMaximum = Properties.TopicAliasMaximum ?? 16,
            MaximumPacketSizeBytes = Properties.MaximumPacketSizeBytes ?? 268_435_460,
            Will = ToWill(),
            Properties = Properties.Connect,
        };
    }

    /// <summary>A message, with a wrong topic said in the terms of the command line.</summary>
    public static PublishMessage Message(
        string topic, ReadOnlyMemory<byte> payload, QoS qos, bool retain, ReadOnlyMemory<byte> properties = default, ushort topicAlias = 0)
    {
        try
        {
            return new PublishMessage(topic, payload) { QoS = qos, Retain = retain, EncodedProperties = properties, TopicAlias = topicAlias };
        }
        catch (ArgumentException)
        {
            throw new UsageException($"\"{topic}\" is not a topic to publish to: a topic is not empty and holds neither + nor #");
        }
    }

    private ProtocolVersion ToVersion(bool needsFive)
    {
        ProtocolVersion? asked = _args.Text(Version) switch
        {
            null => null,
            "mqttv311" or "311" or "3.1.1" => ProtocolVersion.V311,
            "mqttv5" or "5" or "5.0" => ProtocolVersion.V5,
            "mqttv31" or "31" or "3.1" => throw _args.Wrong(Version, "MQTT 3.1 is not supported; use 311 or 5"),
            _ => throw _args.Wrong(Version, "give 311 or 5"),
        };
        if (asked == ProtocolVersion.V311 && needsFive) throw new UsageException("-D, -x and --auth-method belong to MQTT 5; leave out -V 311");
        MayFallBack = asked is null && !needsFive;
        return asked ?? ProtocolVersion.V5;
    }

    private string ToClientId(string verb, ProtocolVersion version, bool keeps)
    {
        if (_args.Has(Id) && _args.Has(IdPrefix)) throw new UsageException("give either -i or -I");
        string id = _args.Text(Id) ?? (_args.Text(IdPrefix) is { } prefix ? prefix + Environment.ProcessId : "");
        if (keeps && id.Length == 0) throw new UsageException("-c keeps the session under the client id; give one with -i");
        return version == ProtocolVersion.V311 && id.Length == 0 ? $"{verb}-{Random.Shared.NextInt64():x16}" : id;
    }

    private uint? SessionExpirySeconds() => _args.Text(SessionExpiry) switch
    {
        null => null,
        "∞" or "-1" => uint.MaxValue,
        var text => uint.TryParse(text, out uint seconds) ? seconds : throw _args.Wrong(SessionExpiry, "give seconds from 0 to 4294967294, or ∞"),
    };

    private string? ToPassword()
    {
        if (_args.Text(PasswordFile) is not { } file) return _args.Text(Password) ?? _url?.Password;
        if (_args.Has(Password)) throw new UsageException("give either -P or --pw-file");
        try
        {
            using var text = new StreamReader(file, StrictUtf8);
            return text.ReadLine() ?? throw _args.Wrong(PasswordFile, "the file is empty");
        }
        catch (DecoderFallbackException)
        {
            throw _args.Wrong(PasswordFile, "the file is not UTF-8 text");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw _args.Wrong(PasswordFile, FileFailure.Explain(exception, file));
        }
    }

    private IClientTransport ToTransport()
    {
        // As mosquitto's clients do: nobody offers anything else there.
        var tls = new TlsArguments(_args, isAsked: _url is { IsTls: true } || (_args.Number(Port) == TlsPort && !_args.Has(Unix)));
        bool isWebSocket = _args.Has(WebSocket) || _url is { IsWebSocket: true };
        if ((tls.IsOn || isWebSocket || _args.Has(AuthMethod)) && !OpenSsl.IsThere()) throw new CommandException(OpenSsl.Missing);
        if (_args.Has(WebSocketPath) && !isWebSocket) throw new UsageException("--ws-path goes with --ws or -L ws://");
        string path = _args.Text(WebSocketPath) ?? "/mqtt";
        if (!path.StartsWith('/') || !path.All(c => c is > ' ' and <= '~')) throw _args.Wrong(WebSocketPath, "a path begins with / and holds no spaces");
        int usualPort = (isWebSocket, tls.IsOn) switch
        {
            (true, true) => 443,
            (true, false) => 80,
            (false, true) => TlsPort,
            _ => 1883,
        };
        int port = (int?)_args.Number(Port) ?? _url?.Port ?? usualPort;
        string host = _args.Text(Host) ?? _url?.Host ?? "localhost";
        string? unix = _args.Text(Unix);
        IClientTransport bytes =
            tls.Around(unix is null ? new TcpTransport(host, port) { BindAddress = ToBindAddress() } : new UnixSocketTransport(unix), host);
        if (!isWebSocket) return bytes;
        string shown = host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host;
        return new WebSocketTransport(bytes, port == usualPort || unix is not null ? shown : $"{shown}:{port}", path);
    }

    private IPAddress? ToBindAddress()
    {
        if (_args.Text(Bind) is not { } text) return null;
        return IPAddress.TryParse(text, out IPAddress? address) ? address : throw _args.Wrong(Bind, "give an IP address of this machine");
    }

    private IAuthenticationMethod? ToAuthentication(string? password)
    {
        if (_args.Text(AuthMethod) is not { } method) return null;
        if (method.Equals("scram-sha-256", StringComparison.OrdinalIgnoreCase))
        {
            return User is { } user && password is not null ? new ScramAuthentication(user, password)
                : throw _args.Wrong(AuthMethod, "it needs -u and -P or --pw-file");
        }

        if (!method.Equals("jwt", StringComparison.OrdinalIgnoreCase)) throw _args.Wrong(AuthMethod, "give scram-sha-256 or jwt");
        string token = password ?? throw _args.Wrong(AuthMethod, "it needs the token with -P or --pw-file");
        return new TokenAuthentication(() => token);
    }

    private Will? ToWill()
    {
        if (_args.Text(WillTopic) is not { } topic)
        {
            if (_args.Has(WillPayload) || _args.Has(WillQos) || _args.Has(WillRetain)) throw new UsageException("a will needs --will-topic");
            return Properties.Will.Count == 0 ? null : throw new UsageException("-D will needs --will-topic");
        }

        byte[] payload = StrictUtf8.GetBytes(_args.Text(WillPayload) ?? "");
        if (payload.Length > Utf8Text.MaxBytes) throw new UsageException("--will-payload: a will holds at most 65535 bytes");
        return new Will(Message(topic, payload, (QoS)(_args.Number(WillQos) ?? 0), _args.Has(WillRetain)), Properties.Will);
    }
}
