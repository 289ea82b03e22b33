using System.Net;
using System.Text;
using EdgeBroker.Client;
using EdgeBroker.Protocol;

namespace EdgeBroker.PubSub;

/// <summary>The options <c>pub</c> and <c>sub</c> share: where and how to connect.</summary>
internal sealed class ClientArguments
{
    private static readonly Encoding StrictUtf8 = new UTF8Encoding(false, true);
    private string _host = "localhost";
    private int? _port;
    private string? _unixPath;
    private bool _overWebSocket;
    private string? _webSocketPath;
    private string? _clientId;
    private string? _clientIdPrefix;
    private string? _userName;
    private string? _password;
    private string? _authMethod;
    private IPAddress? _bindAddress;
    private ProtocolVersion? _version;
    private bool _keepSession;
    private uint? _sessionExpirySeconds;
    private string? _willTopic;
    private string? _willPayload;
    private QoS? _willQoS;
    private bool _willRetain;
    private ushort _keepAliveSeconds = 60;

    /// <summary>The topics of <c>-t</c> and <c>-L</c>, in order.</summary>
    public List<string> Topics { get; } = [];

    public QoS QoS { get; private set; }

    public bool IsQuiet { get; private set; }

    public bool IsDebugging { get; private set; }

    public bool WantsHelp { get; private set; }

    public PropertyArguments Properties { get; } = new();

    private TlsArguments Tls { get; } = new();

    /// <summary>Takes an option; false when it is none of the shared ones.</summary>
    public bool TryTake(string option, OptionReader reader)
    {
        switch (option)
        {
            case "--host": _host = reader.Value(); break;
            case "--port": _port = (int)reader.Number(1, 65535); break;
            case "--unix": _unixPath = reader.Value(); break;
            case "--ws": _overWebSocket = true; break;
            case "--ws-path": _webSocketPath = reader.Value(); break;
            case "--url": TakeUrl(reader.Value()); break;
            case "--bind": _bindAddress = IPAddress.TryParse(reader.Value(), out IPAddress? address) ? address : throw new UsageException("-A: give an IP address of this machine."); break;
            case "--topic": Topics.Add(reader.Value()); break;
            case "--qos": QoS = (QoS)reader.Number(0, 2); break;
            case "--id": _clientId = reader.Value(); break;
            case "--id-prefix": _clientIdPrefix = reader.Value(); break;
            case "--username": _userName = reader.Value(); break;
            case "--pw": _password = reader.Value(); break;
            case "--pw-file": _password = ReadPassword(reader.Value()); break;
            case "--auth-method": _authMethod = reader.Value(); break;
            case "--protocol-version": TakeVersion(reader.Value()); break;
            case "--keepalive": _keepAliveSeconds = (ushort)reader.Number(0, 65535); break;
            case "--disable-clean-session": _keepSession = true; break;
            case "--session-expiry-interval": TakeSessionExpiry(reader.Value()); break;
            case "--property": Properties.Take(reader); break;
            case "--debug": IsDebugging = true; break;
            case "--quiet": IsQuiet = true; break;
            case "--help": WantsHelp = true; break;
            case "--nodelay": break; // always so
            default: return Tls.TryTake(option, reader) || TryTakeWill(option, reader);
        }

        return true;
    }

    /// <summary>The client options the command line amounts to.</summary>
    public MqttClientOptions ToOptions(string verb)
    {
        bool needsFive = Properties.Any || _sessionExpirySeconds is not null || _authMethod is not null;
        ProtocolVersion version = _version ?? (needsFive ? ProtocolVersion.V5 : ProtocolVersion.V311);
        if (version == ProtocolVersion.V311 && needsFive) throw new UsageException("-D, -x and --auth-method belong to MQTT 5; leave out -V 311.");
        if (_clientId is not null && _clientIdPrefix is not null) throw new UsageException("Give either -i or -I.");
        if (_willTopic is null && (_willPayload is not null || _willQoS is not null || _willRetain)) throw new UsageException("A will needs --will-topic.");
        string clientId = _clientId ?? (_clientIdPrefix is null ? "" : _clientIdPrefix + Environment.ProcessId);
        if (_keepSession && clientId.Length == 0) throw new UsageException("-c keeps the session under the client id; give one with -i.");
        if (version == ProtocolVersion.V311 && clientId.Length == 0) clientId = $"{verb}-{Random.Shared.NextInt64():x16}";
        return new MqttClientOptions
        {
            Transport = ToTransport(),
            Version = version,
            ClientId = clientId,
            CleanStart = !_keepSession,
            SessionExpirySeconds = _sessionExpirySeconds ?? Properties.SessionExpirySeconds ?? (_keepSession && version == ProtocolVersion.V5 ? uint.MaxValue : 0),
            // With a method neither goes over the wire by itself.
            UserName = _authMethod is null ? _userName : null,
            Password = _password is null || _authMethod is not null ? null : StrictUtf8.GetBytes(_password),
            Authentication = ToAuthentication(),
            KeepAliveSeconds = _keepAliveSeconds,
            ReceiveMaximum = Properties.ReceiveMaximum ?? 100,
            TopicAliasMaximum = Properties.TopicAliasMaximum ?? 16,
            MaximumPacketSizeBytes = Properties.MaximumPacketSizeBytes ?? 268_435_460,
            Will = ToWill(),
            Properties = Properties.Connect,
        };
    }

    private static string ReadPassword(string file)
    {
        try
        {
            using var text = new StreamReader(file, StrictUtf8);
            return text.ReadLine() ?? throw new UsageException($"--pw-file {file}: the file is empty.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or DecoderFallbackException)
        {
            throw new UsageException($"--pw-file {file}: {exception.Message}");
        }
    }

    private IClientTransport ToTransport()
    {
        if (_webSocketPath is not null && !_overWebSocket) throw new UsageException("--ws-path goes with --ws or -L ws://.");
        string path = _webSocketPath ?? "/mqtt";
        if (!path.StartsWith('/') || !path.All(c => c is > ' ' and <= '~')) throw new UsageException($"--ws-path {path}: a path begins with / and holds no spaces.");
        int usualPort = (_overWebSocket, Tls.Any) switch
        {
            (true, true) => 443,
            (true, false) => 80,
            (false, true) => 8883,
            _ => 1883,
        };
        int port = _port ?? usualPort;
        IClientTransport bytes = Tls.Around(_unixPath is null ? new TcpTransport(_host, port) { BindAddress = _bindAddress } : new UnixSocketTransport(_unixPath), _host);
        if (!_overWebSocket) return bytes;
        string host = _host.Contains(':', StringComparison.Ordinal) ? $"[{_host}]" : _host;
        return new WebSocketTransport(bytes, port == usualPort || _unixPath is not null ? host : $"{host}:{port}", path);
    }

    private IAuthenticationMethod? ToAuthentication()
    {
        if (_authMethod is null) return null;
        if (_authMethod.Equals("scram-sha-256", StringComparison.OrdinalIgnoreCase))
        {
            return _userName is not null && _password is not null ? new ScramAuthentication(_userName, _password) : throw new UsageException("--auth-method scram-sha-256 needs -u and -P or --pw-file.");
        }

        if (!_authMethod.Equals("jwt", StringComparison.OrdinalIgnoreCase)) throw new UsageException($"--auth-method {_authMethod}: give scram-sha-256 or jwt.");
        string token = _password ?? throw new UsageException("--auth-method jwt needs the token with -P or --pw-file.");
        return new TokenAuthentication(() => token);
    }

    private bool TryTakeWill(string option, OptionReader reader)
    {
        switch (option)
        {
            case "--will-topic": _willTopic = reader.Value(); return true;
            case "--will-payload": _willPayload = reader.Value(); return true;
            case "--will-qos": _willQoS = (QoS)reader.Number(0, 2); return true;
            case "--will-retain": _willRetain = true; return true;
            default: return false;
        }
    }

    private Will? ToWill()
    {
        if (_willTopic is null) return Properties.Will.Count == 0 ? null : throw new UsageException("-D will needs --will-topic.");
        byte[] payload = StrictUtf8.GetBytes(_willPayload ?? "");
        if (payload.Length > Utf8Text.MaxBytes) throw new UsageException("--will-payload: a will holds at most 65535 bytes.");
        return new Will(Message(_willTopic, payload, _willQoS ?? QoS.AtMostOnce, _willRetain), Properties.Will);
    }

    /// <summary>A message, with a wrong topic said in the terms of the command line.</summary>
    public static PublishMessage Message(string topic, ReadOnlyMemory<byte> payload, QoS qos, bool retain, ReadOnlyMemory<byte> properties = default, ushort topicAlias = 0)
    {
        try
        {
            return new PublishMessage(topic, payload) { QoS = qos, Retain = retain, EncodedProperties = properties, TopicAlias = topicAlias };
        }
        catch (ArgumentException)
        {
            throw new UsageException($"\"{topic}\" is not a topic to publish to: a topic is not empty and holds neither + nor #.");
        }
    }

    private void TakeVersion(string version) => _version = version switch
    {
        "mqttv311" or "311" or "3.1.1" => ProtocolVersion.V311,
        "mqttv5" or "5" or "5.0" => ProtocolVersion.V5,
        "mqttv31" or "31" or "3.1" => throw new UsageException("-V mqttv31: MQTT 3.1 is not supported; use 311 or 5."),
        _ => throw new UsageException($"-V {version}: give 311 or 5."),
    };

    private void TakeSessionExpiry(string seconds) => _sessionExpirySeconds = seconds is "∞" or "-1" ? uint.MaxValue
        : uint.TryParse(seconds, out uint value) ? value
        : throw new UsageException($"-x {seconds}: give seconds from 0 to 4294967294, or ∞.");

    private void TakeUrl(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? url) || url.Scheme is not ("mqtt" or "mqtts" or "ws" or "wss") || url.Host.Length == 0)
        {
            throw new UsageException($"-L {text}: write mqtt://[user[:password]@]host[:port]/topic, or mqtts:// for TLS, ws:// or wss:// for WebSocket.");
        }

        Tls.IsAsked = url.Scheme is "mqtts" or "wss";
        _overWebSocket |= url.Scheme is "ws" or "wss";
        _host = url.Host.Trim('[', ']');
        if (url.Port > 0 && !url.IsDefaultPort) _port = url.Port;
        if (url.UserInfo.Length > 0)
        {
            string[] parts = url.UserInfo.Split(':', 2);
            _userName = Uri.UnescapeDataString(parts[0]);
            if (parts.Length > 1) _password = Uri.UnescapeDataString(parts[1]);
        }

        // The text behind the host as it stands: # and + and double slashes belong to the topic.
        int slash = text.IndexOf('/', $"{url.Scheme}://".Length);
        if (slash >= 0 && slash + 1 < text.Length) Topics.Add(Uri.UnescapeDataString(text[(slash + 1)..]));
    }
}
