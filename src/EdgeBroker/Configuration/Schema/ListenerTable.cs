using EdgeBroker.Configuration.Rules;
using EdgeBroker.Configuration.Toml;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Configuration.Schema;

/// <summary>One <c>[[listener]]</c> as read, before what its keys mean together is known.</summary>
internal sealed record ListenerDraft(TomlTable Table)
{
    public string? Protocol { get; init; }

    public ListenAddress? Address { get; init; }

    public bool? AllowAnonymous { get; init; }

    /// <summary>Whether a PROXY header comes first.</summary>
    public bool IsProxied { get; init; }

    /// <summary>The networks of proxies, as written; null: not said.</summary>
    public IReadOnlyList<string>? ProxyFrom { get; init; }

    /// <summary>The permissions of a Unix socket's file; null: not said.</summary>
    public UnixFileMode? Mode { get; init; }

    /// <summary>The owner of a Unix socket's file, as <c>user:group</c>; null: not said.</summary>
    public string? Owner { get; init; }

    /// <summary>Whether a client is the user that runs it.</summary>
    public bool IdentifiesPeers { get; init; }

    /// <summary>What needs no rule; protocol and address are not used.</summary>
    public ListenerSettings Settings { get; init; } = new() { Protocol = ListenerProtocol.Mqtt, Address = "" };

    public TlsDraft? Tls { get; init; }

    public PskDraft? Psk { get; init; }

    /// <summary>The place of a key's value; of the table when the key is absent.</summary>
    public SourcePosition At(string key) => Table.Find(key)?.Node.Position ?? Table.Position;
}

/// <summary>A <c>[listener.tls]</c> as read; paths as written.</summary>
internal sealed record TlsDraft
{
    public string? Certificate { get; init; }

    public string? Key { get; init; }

    /// <summary>The <c>[[listener.tls.certificate]]</c> tables.</summary>
    public IReadOnlyList<CertificateDraft> Certificates { get; init; } = [];

    /// <summary>All else; its certificates are not used.</summary>
    public TlsOptions Options { get; init; } = new() { Certificates = [] };
}

/// <summary>A <c>[listener.psk]</c> as read; the path as written.</summary>
internal sealed record PskDraft
{
    public string? File { get; init; }
}

/// <summary>A <c>[[listener.tls.certificate]]</c> as read.</summary>
internal sealed record CertificateDraft
{
    public string Certificate { get; init; } = "";

    public string Key { get; init; } = "";
}

/// <summary>The keys of <c>[[listener]]</c> and the tables inside it.</summary>
internal static class ListenerTable
{
    /// <summary>The protocol of a listener that names none, which is an error.</summary>
    public const string Plain = "mqtt";

    /// <summary>What a listener may speak. Other words are accepted here: the rules know which of them are to come.</summary>
    public static readonly WordKind Protocol = new(
        (Plain, ""), ("mqtts", "TLS"), ("ws", "WebSocket"), ("wss", "WebSocket over TLS"), ("http", "publishing, health, administration"), ("https", ""),
            ("coap", "UDP"), ("coaps", "DTLS"));

    private static readonly ChoiceKind<ClientAuthentication> ClientAuth = Kinds.Choice(
        ("none", ClientAuthentication.None), ("request", ClientAuthentication.Request), ("require", ClientAuthentication.Require));

    private static readonly ChoiceKind<CertificateIdentity> Identity = Kinds.Choice(
        ("cn", CertificateIdentity.CommonName),
        ("san-dns", CertificateIdentity.DnsName),
        ("san-uri", CertificateIdentity.Uri),
        ("fingerprint", CertificateIdentity.Fingerprint));

    private static readonly KeyScope<ListenerDraft> Http = Scope(listener => listener.Protocol is "http" or "https", "\"http\" and \"https\"");
    private static readonly KeyScope<ListenerDraft> WebSocket = Scope(listener => listener.Protocol is "ws" or "wss", "\"ws\" and \"wss\"");
    private static readonly KeyScope<ListenerDraft> Coap = Scope(listener => listener.Protocol is "coap" or "coaps", "\"coap\" and \"coaps\"");
    private static readonly KeyScope<ListenerDraft> Coaps = Scope(listener => listener.Protocol is "coaps", "\"coaps\"");
    private static readonly KeyScope<ListenerDraft> Connected =
        Scope(listener => listener.Protocol is not ("coap" or "coaps"), "listeners of connections; \"coap\" and \"coaps\" have none");
    private static readonly KeyScope<ListenerDraft> Secure =
        Scope(listener => listener.Protocol is "mqtts" or "wss" or "https" or "coaps", "\"mqtts\", \"wss\", \"https\" and \"coaps\"");

    private static readonly KeyScope<ListenerDraft> Unix = new(
        listener => listener.Address is not { IsUnix: false },
        "Unix sockets (address = \"unix:/path\")",
        listener => $"this listener's address is {ValueText.Quote(listener.Address?.Text ?? "")}");

    private static readonly KeyScope<TlsDraft> AskingClients = new(
        tls => tls.Options.ClientAuthentication != ClientAuthentication.None, "listeners that ask for certificates (client_auth)", _ => "this one does not");

    private static readonly TableSchema<CertificateDraft> Certificate =
        new TableSchema<CertificateDraft>("[[listener.tls.certificate]]")
        {
            IsExample = true,
            Comment = "further certificates, for clients that name another host (SNI)",
        }
            .Key(
                "cert", Kinds.File, o => o.Certificate, (o, v) => o with { Certificate = v }, Applies.ToNewConnections, "", required: true,
                example: "\"certs/other.crt\"")
            .Key("key", Kinds.File, o => o.Key, (o, v) => o with { Key = v }, Applies.ToNewConnections, "", required: true, example: "\"certs/other.key\"");

    private static readonly TableSchema<TlsDraft> Tls =
        new TableSchema<TlsDraft>("[listener.tls]")
        {
            IsExample = true,
            Comment = "mqtts, wss, https, coaps; all files are taken anew when they change, without dropping anybody",
        }
            .Key(
                "cert",
                Kinds.File,
                o => o.Certificate,
                (o, v) => o with { Certificate = v },
                Applies.ToNewConnections,
                "PEM, with its chain; `edgebroker cert` makes all of these",
                example: "\"certs/server.crt\"")
            .Key("key", Kinds.File, o => o.Key, (o, v) => o with { Key = v }, Applies.ToNewConnections, "", example: "\"certs/server.key\"")
            .Key(
                "client_ca",
                Kinds.File,
                o => o.Options.ClientCaFile,
                (o, v) => o with { Options = o.Options with { ClientCaFile = v } },
                Applies.ToNewConnections,
                "whose certificates of clients are good; nothing else is trusted",
                example: "\"certs/ca.crt\"")
            .Key(
                "client_auth",
                ClientAuth,
                o => o.Options.ClientAuthentication,
                (o, v) => o with { Options = o.Options with { ClientAuthentication = v } },
                Applies.ToNewConnections,
                "")
            .Key(
                "identity",
                Identity,
                o => o.Options.Identity,
                (o, v) => o with { Options = o.Options with { Identity = v } },
                Applies.ToNewConnections,
                "what of a client's certificate becomes its user name",
                scope: AskingClients)
            .Key(
                "min_version",
                Kinds.Choice(("1.2", false), ("1.3", true)),
                o => o.Options.Tls13Only,
                (o, v) => o with { Options = o.Options with { Tls13Only = v } },
                Applies.ToNewConnections,
                "")
            .Key(
                "crl",
                Kinds.File,
                o => o.Options.RevocationFile,
                (o, v) => o with { Options = o.Options with { RevocationFile = v } },
                Applies.ToNewConnections,
                "revoked certificates of clients; once the list has expired, its authority's clients are refused. `edgebroker cert revoke` writes it",
                example: "\"certs/ca.crl\"")
            .Key(
                "handshake_timeout",
                Kinds.Milliseconds(100, 600_000),
                o => o.Options.HandshakeTimeout,
                (o, v) => o with { Options = o.Options with { HandshakeTimeout = v } },
                Applies.ToNewConnections,
                "from accept on")
            .Key(
                "max_handshakes",
                Kinds.Integer(1, 100_000),
                o => o.Options.MaxHandshakes,
                (o, v) => o with { Options = o.Options with { MaxHandshakes = v } },
                Applies.ToNewConnections,
                "in progress at once; more are refused")
            .TableArray("certificate", Certificate, o => o.Certificates, _ => new CertificateDraft(), (o, v) => o with { Certificates = v });

    private static readonly TableSchema<PskDraft> PskTable =
        new TableSchema<PskDraft>("[listener.psk]")
        {
            IsExample = true,
            Comment = "coaps: clients with a key that both sides know, in place of certificates or besides",
        }
            .Key(
                "file",
                Kinds.File,
                o => o.File,
                (o, v) => o with { File = v },
                Applies.AtOnceWithReview,
                "made by `edgebroker psk add sensors.psk NAME`; a line each: identity:key[:user[:client id]]",
                required: true,
                example: "\"sensors.psk\"");

    private static readonly TableSchema<CoapLimits> CoapTable =
        new TableSchema<CoapLimits>("[listener.coap]") { IsExample = true, Comment = "coap, coaps: what its peers may take" }
            .Key(
                "max_peers",
                Kinds.Integer(1, 1_000_000),
                o => o.MaxPeers,
                (o, v) => o with { MaxPeers = v },
                Applies.AsAnotherListener,
                "remembered at once; one that has nothing open makes room, else the next hears 5.03")
            .Key(
                "max_peers_per_ip", Kinds.Integer(1, 1_000_000), o => o.MaxPeersPerNetwork, (o, v) => o with { MaxPeersPerNetwork = v },
                Applies.AsAnotherListener,
                "the same of one address, so that it leaves room for others; IPv6 counts by /64")
            .Key(
                "idle_timeout",
                Kinds.Seconds(1, 86_400),
                o => o.IdleTimeout,
                (o, v) => o with { IdleTimeout = v },
                Applies.AsAnotherListener,
                "a peer that is silent for so long and observes nothing is forgotten")
            .Key(
                "requests_per_second",
                Kinds.Integer(1, 100_000),
                o => o.RequestsPerSecond,
                (o, v) => o with { RequestsPerSecond = v },
                Applies.AsAnotherListener,
                "of a peer; beyond: 4.29")
            .Key(
                "max_exchanges",
                Kinds.Integer(1, 10_000),
                o => o.MaxExchanges,
                (o, v) => o with { MaxExchanges = v },
                Applies.AsAnotherListener,
                "requests of a peer remembered, so that one that comes twice is carried out once")
            .Key(
                "max_observations_per_peer",
                Kinds.Integer(0, 10_000),
                o => o.MaxObservationsPerPeer,
                (o, v) => o with { MaxObservationsPerPeer = v },
                Applies.AsAnotherListener,
                "")
            .Key(
                "max_observations",
                Kinds.Integer(0, 1_000_000),
                o => o.MaxObservations,
                (o, v) => o with { MaxObservations = v },
                Applies.AsAnotherListener,
                "of all peers")
            .Key(
                "observer_check",
                Kinds.Seconds(10, 86_400),
                o => o.ObserverCheck,
                (o, v) => o with { ObserverCheck = v },
                Applies.AsAnotherListener,
                "an observer must show so often that it is there")
            .Key(
                "max_body_size",
                Kinds.Size(16, 16 * SizeKind.MB),
                o => o.MaxBodyBytes,
                (o, v) => o with { MaxBodyBytes = (int)v },
                Applies.AsAnotherListener,
                "of a request, in one message or in blocks; beyond: 4.13")
            .Key(
                "block_size",
                Kinds.Choice(("16B", 16), ("32B", 32), ("64B", 64), ("128B", 128), ("256B", 256), ("512B", 512), ("1KB", 1_024)),
                o => o.BlockSize,
                (o, v) => o with { BlockSize = v },
                Applies.AsAnotherListener,
                "a peer may ask for smaller ones");

    public static readonly TableSchema<ListenerDraft> Schema =
        new TableSchema<ListenerDraft>("[[listener]]") { Comment = "one per socket, any number; without any: the one shown here" }
            .Key("protocol", Protocol, o => o.Protocol, (o, v) => o with { Protocol = v }, Applies.AsAnotherListener, "", required: true, example: "\"mqtt\"")
            .Key(
                "address",
                Kinds.Address,
                o => o.Address,
                (o, v) => o with { Address = v },
                Applies.AsAnotherListener,
                "host:port, [v6]:port, or unix:/run/edgebroker/mqtt.sock",
                required: true,
                example: $"\"{ListenerRules.DefaultAddress}\"")
            .Key(
                "allow_anonymous",
                Kinds.Boolean,
                o => o.AllowAnonymous,
                (o, v) => o with { AllowAnonymous = v },
                Applies.AtOnceWithReview,
                "default: true on loopback, while there is no [auth] and no listener asks for certificates of clients",
                example: "true",
                commented: false)
            .Key(
                "max_connections",
                Kinds.Integer(1, 1_000_000),
                o => o.Settings.MaxConnections,
                (o, v) => o with { Settings = o.Settings with { MaxConnections = v } },
                Applies.ToNewConnections,
                "the next one is refused; mqtt and mqtts: with 0x89",
                scope: Connected)
            .Key(
                "proxy_protocol",
                Kinds.Boolean,
                o => o.IsProxied,
                (o, v) => o with { IsProxied = v },
                Applies.ToNewConnections,
                "true: a proxy in front says with a PROXY header (v1 or v2) for whom it connects; who sends none is closed. Nobody is anonymous by default",
                commented: true,
                scope: Connected)
            .Key(
                "proxy_from",
                Kinds.List("addresses or networks, as in [\"10.0.0.0/8\"]", PeerRules.IsNetwork),
                o => o.ProxyFrom,
                (o, v) => o with { ProxyFrom = v },
                Applies.ToNewConnections,
                "the proxies: whoever connects from there may claim any client address. Default: this machine only",
                example: "[\"10.0.0.5\", \"fd00::/8\"]")
            .Key(
                "mode",
                Kinds.Text("the permissions of a file, as in \"0660\"", PeerRules.IsMode),
                o => o.Mode is { } mode ? "0" + Convert.ToString((int)mode, 8) : null,
                (o, v) => o with { Mode = (UnixFileMode)Convert.ToInt32(v, 8) },
                Applies.AsAnotherListener,
                "unix: who may write to the socket's file may connect",
                example: "\"0660\"",
                scope: Unix)
            .Key(
                "owner",
                Kinds.Text("\"user\", \"user:group\" or \":group\"", PeerRules.IsOwner),
                o => o.Owner,
                (o, v) => o with { Owner = v },
                Applies.AsAnotherListener,
                "unix: the file's user, user:group or :group. Default: the broker's own",
                example: "\"edgebroker:plant\"",
                scope: Unix)
            .Key(
                "identity",
                Kinds.Choice(("none", false), ("peer", true)),
                o => o.IdentifiesPeers,
                (o, v) => o with { IdentifiesPeers = v },
                Applies.ToNewConnections,
                "unix: a client is the user that runs it, as the kernel says, without a password; for [[acl]] as well",
                commented: true,
                scope: Unix)
            .Key(
                "path",
                Kinds.Text("a path that begins with \"/\"", IsUrlPath),
                o => o.Settings.Path,
                (o, v) => o with { Settings = o.Settings with { Path = v } },
                Applies.ToNewConnections,
                "ws, wss",
                commented: true,
                scope: WebSocket)
            .Key(
                "allowed_origins",
                Kinds.List("origins, as in [\"https://plant.example\"]", IsOrigin, mayBeEmpty: true),
                o => o.Settings.AllowedOrigins,
                (o, v) => o with { Settings = o.Settings with { AllowedOrigins = v } },
                Applies.ToNewConnections,
                "ws, wss: pages that may connect, as in [\"https://plant.example\"]; empty: pages of the same host and port only",
                commented: true,
                scope: WebSocket)
            .Key(
                "serve",
                Kinds.List(
                    string.Join(", ", HttpSurfaceWords.All.Select(word => $"\"{word}\"")),
                    text => HttpSurfaceWords.All.Contains(text, StringComparer.Ordinal),
                    suggest: text => NearestName.Of(text, HttpSurfaceWords.All) is { } nearest ? $"\"{nearest}\"" : null),
                o => o.Settings.Serve.ToWords(),
                (o, v) => o with { Settings = o.Settings with { Serve = HttpSurfaceWords.Of(v) } },
                Applies.AtOnce,
                "http, https: publish (by users and [[acl]], as MQTT), health (/live, /ready; open to all), api, console and metrics (see [http]; metrics "
                    + "alone, or with health or publish, need no login)",
                commented: true,
                scope: Http)
            .Key(
                "allow_query_credentials",
                Kinds.Boolean,
                o => o.Settings.AllowQueryCredentials,
                (o, v) => o with { Settings = o.Settings with { AllowQueryCredentials = v } },
                Applies.AtOnce,
                "coap: a query may hold user name and password (?u=NAME&p=PASSWORD), which anybody on the way can read; coaps: of who has shown no key",
                commented: true,
                scope: Coap)
            .Table("coap", CoapTable, o => o.Settings.Coap, _ => new CoapLimits(), (o, v) => o with { Settings = o.Settings with { Coap = v } }, Coap)
            .Table("psk", PskTable, o => o.Psk, _ => new PskDraft(), (o, v) => o with { Psk = v }, Coaps)
            .Table("tls", Tls, o => o.Tls, _ => new TlsDraft(), (o, v) => o with { Tls = v }, Secure);

    private static KeyScope<ListenerDraft> Scope(Func<ListenerDraft, bool> includes, string belongsTo) =>
        new(includes, belongsTo, listener => $"this listener's protocol is {ValueText.Quote(listener.Protocol ?? Plain)}");

    private static bool IsUrlPath(string path) => path.StartsWith('/') && path.All(c => c is > ' ' and <= '~' and not ('?' or '#' or '%'));

    private static bool IsOrigin(string origin) =>
        Uri.TryCreate(origin, UriKind.Absolute, out Uri? uri)
        && uri is { Scheme: "http" or "https", AbsolutePath: "/", Query: "", Fragment: "", UserInfo: "" } && !origin.EndsWith('/');
}
