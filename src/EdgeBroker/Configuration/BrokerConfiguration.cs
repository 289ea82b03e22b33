using EdgeBroker.Bridge;
using EdgeBroker.Configuration.Rules;
using EdgeBroker.Configuration.Schema;
using EdgeBroker.Configuration.Toml;
using EdgeBroker.Core;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Security;
using EdgeBroker.Http.Access;
using EdgeBroker.Logging;
using EdgeBroker.Security.Passwords;
using EdgeBroker.Security.Tokens;
using EdgeBroker.Storage;
using EdgeBroker.Telemetry;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Webhooks;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Configuration;

/// <summary>Everything a broker is started with; valid as a whole once it is loaded. The schema binds keys to it.</summary>
internal sealed record BrokerConfiguration
{
    /// <summary>The file it was read from, as the user named it; null for the embedded default.</summary>
    public string? File { get; init; }

    public required NodeOptions Node { get; init; }

    /// <summary>At least one, in the order of the files.</summary>
    public required IReadOnlyList<ListenerSettings> Listeners { get; init; }

    public required MqttOptions Mqtt { get; init; }

    public LimitOptions Limits { get; init; } = new();

    public required StorageOptions Storage { get; init; }

    public AuthOptions Auth { get; init; } = new();

    /// <summary>Receivers of events, with the files they name read.</summary>
    public IReadOnlyList<WebhookOptions> Webhooks { get; init; } = [];

    public TelemetryOptions Telemetry { get; init; } = new();

    /// <summary>In the order of the files.</summary>
    public IReadOnlyList<BridgeOptions> Bridges { get; init; } = [];

    /// <summary>The cluster; null: this broker is alone.</summary>
    public ClusterOptions? Cluster { get; init; }

    public required LogOptions Log { get; init; }

    public HttpOptions Http { get; init; } = new();

    /// <summary>What works but should be known: shown at start and by <c>check</c>, each with its place in the file.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Keys that a later file sets in place of an earlier one, each with both places.</summary>
    public IReadOnlyList<string> Replaced { get; init; } = [];

    /// <summary>The tables whose meaning is found by rules, as they are written.</summary>
    public WrittenTables Written { get; init; } = new();

    /// <summary>Where each key was set, by its path.</summary>
    public IReadOnlyDictionary<string, SourcePosition> Origins { get; init; } = new Dictionary<string, SourcePosition>();

    /// <summary>What holds where nothing is said.</summary>
    /// <param name="node">Depends on the machine.</param>
    public static BrokerConfiguration Defaults(NodeOptions node) =>
        new() { Node = node, Listeners = [], Mqtt = new MqttOptions(), Storage = new StorageOptions(), Log = new LogOptions() };
}

/// <summary>The <c>[node]</c> table.</summary>
internal sealed record NodeOptions
{
    /// <summary>What this broker calls itself.</summary>
    public required string Name { get; init; }

    /// <summary>Where everything that must survive a restart is kept; a full path once it is loaded.</summary>
    public required string DataDirectory { get; init; }
}

/// <summary>The <c>[log]</c> table.</summary>
internal sealed record LogOptions
{
    /// <summary>The least severe level that is written.</summary>
    public LogLevel Level { get; init; } = LogLevel.Information;

    public LogFormat Format { get; init; } = LogFormat.Auto;
}

/// <summary>Who may come in and what they may do, with the files it stands in read.</summary>
internal sealed record AuthOptions
{
    /// <summary>The users of the password file; null: there is none.</summary>
    public PasswordFile? Users { get; init; }

    /// <summary>The password file's full path; null: there is none.</summary>
    public string? UsersFile { get; init; }

    /// <summary>A digest of what it held.</summary>
    public string? UsersDigest { get; init; }

    /// <summary>Whether users are taken when the file changes, and not by a reload alone.</summary>
    public bool WatchesUsers { get; init; } = true;

    /// <summary>What tokens must be; null: tokens are not accepted.</summary>
    public TokenOptions? Tokens { get; init; }

    /// <summary>The token keys as read at start; null where a server has them.</summary>
    public TokenKeySet? Keys { get; init; }

    /// <summary>Where newer keys come from: a file's full path or an https URL; null: they do not change.</summary>
    public string? KeySetPlace { get; init; }

    public TimeSpan KeySetRefresh { get; init; }

    public AclRuleSet Rules { get; init; } = AclRuleSet.Unrestricted;

    /// <summary>Whether a client can prove who it is.</summary>
    public bool HasCredentials => Users is not null || Tokens is not null;
}

/// <summary>Tables as they are written, before it is known what their keys mean together and what the files hold that they name.</summary>
internal sealed record WrittenTables
{
    public IReadOnlyList<ListenerDraft> Listeners { get; init; } = [];

    public AuthDraft Auth { get; init; } = new();

    public HttpDraft Http { get; init; } = new();

    public IReadOnlyList<AclDraft> Acl { get; init; } = [];

    public IReadOnlyList<GroupDraft> Groups { get; init; } = [];

    public IReadOnlyList<WebhookDraft> Webhooks { get; init; } = [];

    public TelemetryDraft Telemetry { get; init; } = new();

    public IReadOnlyList<BridgeDraft> Bridges { get; init; } = [];

    public ClusterDraft? Cluster { get; init; }
}
