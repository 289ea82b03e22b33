using EdgeBroker.Core;
using EdgeBroker.Core.Security;
using EdgeBroker.Http.Tls;
using EdgeBroker.Logging;
using EdgeBroker.Storage;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Configuration;

/// <summary>
/// Every key broker.toml may hold: its name, its kind with its bounds, and the option it sets. The default is that option's own.
/// A key that is not here does not exist; a feature adds its keys on the day it works.
/// </summary>
internal static class BrokerSchema
{
    private static readonly BooleanKind Boolean = new();

    private static readonly TableSchema<NodeOptions> Node = new TableSchema<NodeOptions>("[node]")
        .Key("name", new TextKind("a name of 1 to 64 letters, digits, \".\", \"_\" or \"-\"", IsNodeName), (o, v) => o with { Name = v })
        .Key("data_dir", new TextKind("the path of a directory", IsPath), (o, v) => o with { DataDirectory = v });

    private static readonly TableSchema<CertificateDraft> Certificate = new TableSchema<CertificateDraft>("[[listener.tls.certificate]]")
        .Key("cert", FileName(), (o, v) => o with { Certificate = v }, required: true)
        .Key("key", FileName(), (o, v) => o with { Key = v }, required: true);

    private static readonly TableSchema<TlsDraft> Tls = new TableSchema<TlsDraft>("[listener.tls]")
        .Key("cert", FileName(), (o, v) => o with { Certificate = v })
        .Key("key", FileName(), (o, v) => o with { Key = v })
        .TableArray("certificate", Certificate, _ => new CertificateDraft(), (o, v) => o with { Certificates = v })
        .Key("client_ca", FileName(), (o, v) => o with { Options = o.Options with { ClientCaFile = v } })
        .Key("client_auth", ClientAuth(), (o, v) => o with { Options = o.Options with { ClientAuthentication = v } })
        .Key("identity", Identity(), (o, v) => o with { Options = o.Options with { Identity = v } })
        .Key("min_version", new ChoiceKind<bool>(("1.2", false), ("1.3", true)), (o, v) => o with { Options = o.Options with { Tls13Only = v } })
        .Key("crl", FileName(), (o, v) => o with { Options = o.Options with { RevocationFile = v } })
        .Key("handshake_timeout", Milliseconds(100, 600_000), (o, v) => o with { Options = o.Options with { HandshakeTimeout = v } })
        .Key("max_handshakes", Integer(1, 100_000), (o, v) => o with { Options = o.Options with { MaxHandshakes = v } });

    private static readonly TableSchema<ListenerDraft> Listener = new TableSchema<ListenerDraft>("[[listener]]")
        .Key("protocol", new TextKind("\"mqtt\", \"mqtts\", \"ws\", \"wss\", \"http\" or \"https\"", _ => true), (o, v) => o with { Protocol = v }, required: true)
        .Key("address", new AddressKind(), (o, v) => o with { Address = v }, required: true)
        .Key("allow_anonymous", Boolean, (o, v) => o with { AllowAnonymous = v })
        .Key("max_connections", Integer(1, 1_000_000), (o, v) => o with { Options = o.Options with { MaxConnections = v } })
        .Key("proxy_protocol", Boolean, (o, v) => o with { IsProxied = v })
        .Key("proxy_from", new TextListKind("addresses or networks, as in [\"10.0.0.0/8\"]", PeerRules.IsNetwork), (o, v) => o with { ProxyFrom = v })
        .Key("mode", new TextKind("the permissions of a file, as in \"0660\"", PeerRules.IsMode), (o, v) => o with { Mode = (UnixFileMode)Convert.ToInt32(v, 8) })
        .Key("owner", new TextKind("\"user\", \"user:group\" or \":group\"", PeerRules.IsOwner), (o, v) => o with { Owner = v })
        .Key("identity", new ChoiceKind<bool>(("none", false), ("peer", true)), (o, v) => o with { IdentifiesPeers = v })
        .Key("path", new TextKind("a path that begins with \"/\"", IsUrlPath), (o, v) => o with { Web = o.Web with { Path = v } })
        .Key("allowed_origins", new TextListKind("origins, as in [\"https://plant.example\"]", IsOrigin, mayBeEmpty: true), (o, v) => o with { Web = o.Web with { AllowedOrigins = v } })
        .Table("tls", Tls, o => o.Tls ?? new TlsDraft(), (o, v) => o with { Tls = v });

    private static readonly TableSchema<MqttOptions> Mqtt = new TableSchema<MqttOptions>("[mqtt]")
        .Key("max_packet_size", Size(256, 256 * SizeKind.MB), (o, v) => o with { MaxPacketSizeBytes = (int)v })
        .Key("max_qos", Integer(0, 2), (o, v) => o with { MaxQos = v })
        .Key("retain", Boolean, (o, v) => o with { RetainAvailable = v })
        .Key("receive_maximum", Integer(1, 65_535), (o, v) => o with { ReceiveMaximum = v })
        .Key("topic_alias_maximum", Integer(0, 65_535), (o, v) => o with { TopicAliasMaximum = v })
        .Key("max_keep_alive", Seconds(0, 65_535), (o, v) => o with { MaxKeepAlive = v })
        .Key("max_session_expiry", Seconds(0, 49_710L * 86_400), (o, v) => o with { MaxSessionExpiry = v })
        .Key("max_topic_levels", Integer(1, 1_000), (o, v) => o with { MaxTopicLevels = v })
        .Key("max_subscriptions_per_client", Integer(1, 1_000_000), (o, v) => o with { MaxSubscriptionsPerClient = v })
        .Key("max_queued_messages", Integer(1, 10_000_000), (o, v) => o with { MaxQueuedMessages = v })
        .Key("max_queued_bytes", Size(SizeKind.KB, 64 * SizeKind.GB), (o, v) => o with { MaxQueuedBytes = v })
        .Key("queue_overflow", Overflow(), (o, v) => o with { QueueOverflow = v })
        .Key("max_outbound_bytes", Size(4 * SizeKind.KB, SizeKind.GB), (o, v) => o with { MaxOutboundBytes = (int)v })
        .Key("sys_interval", Seconds(0, 86_400), (o, v) => o with { SysInterval = v });

    private static readonly TableSchema<StorageOptions> Storage = new TableSchema<StorageOptions>("[storage]")
        .Key("durability", Durability(), (o, v) => o with { Durability = v })
        .Key("max_bytes", Size(16 * SizeKind.MB, 1_024 * SizeKind.GB), (o, v) => o with { MaxBytes = v })
        .Key("on_corruption", OnCorruption(), (o, v) => o with { OnCorruption = v });

    private static readonly TableSchema<JwtDraft> Jwt = new TableSchema<JwtDraft>("[auth.jwt]")
        .Key("key", new SecretKind(), (o, v) => o with { Key = v })
        .Key("jwks", new LocatedKind<string>(new TextKind("the path of a file or an https URL", IsPath)), (o, v) => o with { Jwks = v })
        .Key("jwks_refresh", Seconds(10, 7 * 86_400), (o, v) => o with { JwksRefresh = v })
        .Key("issuer", new TextKind("the \"iss\" tokens have", IsName), (o, v) => o with { Tokens = o.Tokens with { Issuer = v } })
        .Key("audience", new TextKind("the \"aud\" tokens have", IsName), (o, v) => o with { Tokens = o.Tokens with { Audience = v } })
        .Key("leeway", Seconds(0, 600), (o, v) => o with { Tokens = o.Tokens with { Leeway = v } })
        .Key("username_claim", new TextKind("the name of a claim", IsName), (o, v) => o with { Tokens = o.Tokens with { UserNameClaim = v } })
        .Key("acl_claim", new TextKind("the name of a claim", IsName), (o, v) => o with { Tokens = o.Tokens with { AclClaim = v } });

    private static readonly TableSchema<AuthDraft> Auth = new TableSchema<AuthDraft>("[auth]")
        .Key("password_file", new LocatedKind<string>(new TextKind("the path of a file", IsPath)), (o, v) => o with { PasswordFile = v })
        .Key("on_denied_publish_v311", new ChoiceKind<bool>(("ignore", false), ("disconnect", true)), (o, v) => o with { DisconnectOnDeniedPublish = v })
        .Table("jwt", Jwt, (a, table) => a.Jwt ?? new JwtDraft(table.Position), (a, v) => a with { Jwt = v });

    private static readonly TableSchema<GroupDraft> Group = new TableSchema<GroupDraft>("[[group]]")
        .Key("name", new TextKind("the name of a group", IsName), (o, v) => o with { Name = v }, required: true)
        .Key("users", new TextListKind("user names", IsName), (o, v) => o with { Users = v }, required: true);

    private static readonly TableSchema<AclDraft> Acl = new TableSchema<AclDraft>("[[acl]]")
        .Key("user", new TextKind("a user name, in which \"*\" stands for anything", IsText), (o, v) => o with { User = v })
        .Key("client", new TextKind("a client id, in which \"*\" stands for anything", IsText), (o, v) => o with { Client = v })
        .Key("group", new TextKind("the name of a [[group]]", IsName), (o, v) => o with { Group = v })
        .Key("listener", new TextKind("the address of a listener, in which \"*\" stands for anything", IsName), (o, v) => o with { Listener = v })
        .Key("allow", Actions(), (o, v) => o with { Allow = v })
        .Key("deny", Actions(), (o, v) => o with { Deny = v })
        .Key("max_qos", Integer(0, 2), (o, v) => o with { MaxQos = v })
        .Key("topics", new TextListKind("topic filters, in which \"%u\" is the user name and \"%c\" the client id", AclPattern.IsValid), (o, v) => o with { Topics = v }, required: true);

    private static readonly TableSchema<LogOptions> Log = new TableSchema<LogOptions>("[log]")
        .Key("level", Level(), (o, v) => o with { Level = v })
        .Key("format", Format(), (o, v) => o with { Format = v });

    /// <summary>The whole file.</summary>
    public static readonly TableSchema<ConfigurationDraft> File = new TableSchema<ConfigurationDraft>("")
        .Table("node", Node, d => d.Node, (d, v) => d with { Node = v })
        .TableArray("listener", Listener, table => new ListenerDraft(table), (d, v) => d with { Listeners = v })
        .Table("mqtt", Mqtt, d => d.Mqtt, (d, v) => d with { Mqtt = v })
        .Table("limits", LimitSchema.Table, d => d, (_, v) => v)
        .Table("storage", Storage, d => d.Storage, (d, v) => d with { Storage = v })
        .Table("auth", Auth, d => d.Auth, (d, v) => d with { Auth = v })
        .TableArray("group", Group, table => new GroupDraft(table), (d, v) => d with { Groups = v })
        .TableArray("acl", Acl, table => new AclDraft(table), (d, v) => d with { Acl = v })
        .Table("log", Log, d => d.Log, (d, v) => d with { Log = v });

    private static IntegerKind Integer(int min, int max) => new(min, max);

    private static SizeKind Size(long min, long max) => new(min, max);

    private static DurationKind Seconds(long min, long max) =>
        new(TimeSpan.FromSeconds(min), TimeSpan.FromSeconds(max), DurationKind.Second);

    private static DurationKind Milliseconds(long min, long max) =>
        new(TimeSpan.FromMilliseconds(min), TimeSpan.FromMilliseconds(max), DurationKind.Millisecond);

    private static ChoiceKind<QueueOverflow> Overflow() => new(
        ("drop-oldest", QueueOverflow.DropOldest), ("drop-newest", QueueOverflow.DropNewest), ("reject", QueueOverflow.Reject));

    private static ChoiceKind<StoreDurability> Durability() => new(
        ("strict", StoreDurability.Strict), ("balanced", StoreDurability.Balanced), ("flash-saver", StoreDurability.FlashSaver), ("memory", StoreDurability.Memory));

    private static ChoiceKind<CorruptionPolicy> OnCorruption() => new(
        ("quarantine", CorruptionPolicy.Quarantine), ("stop", CorruptionPolicy.Stop));

    private static ChoiceKind<LogLevel> Level() => new(
        ("trace", LogLevel.Trace), ("debug", LogLevel.Debug), ("info", LogLevel.Information), ("warning", LogLevel.Warning), ("error", LogLevel.Error));

    private static ChoiceKind<LogFormat> Format() => new(
        ("auto", LogFormat.Auto), ("text", LogFormat.Text), ("json", LogFormat.Json));

    private static TextListKind Actions() => new("\"publish\", \"subscribe\" or \"retain\"", text => text is "publish" or "subscribe" or "retain");

    private static bool IsName(string text) => text.Length > 0 && IsText(text);

    private static bool IsText(string text) => text.Length <= 1024 && !text.Any(char.IsControl);

    private static TextKind FileName() => new("the path of a file", IsPath);

    private static ChoiceKind<ClientAuthentication> ClientAuth() => new(
        ("none", ClientAuthentication.None), ("request", ClientAuthentication.Request), ("require", ClientAuthentication.Require));

    private static ChoiceKind<CertificateIdentity> Identity() => new(
        ("cn", CertificateIdentity.CommonName), ("san-dns", CertificateIdentity.DnsName), ("san-uri", CertificateIdentity.Uri), ("fingerprint", CertificateIdentity.Fingerprint));

    private static bool IsUrlPath(string path) => path.StartsWith('/') && path.All(c => c is > ' ' and <= '~' and not ('?' or '#' or '%'));

    private static bool IsOrigin(string origin) =>
        Uri.TryCreate(origin, UriKind.Absolute, out Uri? uri) && uri is { Scheme: "http" or "https", AbsolutePath: "/", Query: "", Fragment: "", UserInfo: "" } && !origin.EndsWith('/');

    private static bool IsPath(string path) => path.Length > 0 && !path.Contains('\0');

    private static bool IsNodeName(string name)
    {
        foreach (char c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or '-')) return false;
        }

        return name.Length is > 0 and <= 64;
    }
}
