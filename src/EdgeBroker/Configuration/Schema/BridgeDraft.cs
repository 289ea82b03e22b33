using EdgeBroker.Bridge;
using EdgeBroker.Bridge.Planning;
using EdgeBroker.Configuration.Toml;

namespace EdgeBroker.Configuration.Schema;

/// <summary>One <c>[[bridge]]</c> as read, before its secrets are.</summary>
internal sealed record BridgeDraft(TomlTable Table)
{
    /// <summary>What needs no rule.</summary>
    public BridgeSettings Settings { get; init; } = new();

    public SecretSource? Password { get; init; }

    public SecretSource? DeviceKey { get; init; }

    public SecretSource? TokenKey { get; init; }

    public SecretSource? AwsKeyId { get; init; }

    public SecretSource? AwsSecretKey { get; init; }

    public SecretSource? AwsSessionToken { get; init; }

    public SecretSource? ProxyPassword { get; init; }

    public IReadOnlyList<BridgeRouteDraft> Routes { get; init; } = [];

    public IReadOnlyList<BridgeLaneDraft> Lanes { get; init; } = [];

    /// <summary>Whether it speaks TLS or WebSocket, or makes tokens.</summary>
    public bool NeedsOpenSsl =>
        Settings.Tls is not null || DeviceKey is not null || TokenKey is not null || BridgePlanner.IsSecure(Settings);

    /// <summary>The place of a key's value; of the table when the key is absent.</summary>
    public SourcePosition At(string key) => Table.Find(key)?.Node.Position ?? Table.Position;
}

/// <summary>One <c>[[bridge.lane]]</c> as read.</summary>
internal sealed record BridgeLaneDraft(TomlTable Table)
{
    public LaneOptions Lane { get; init; } = new() { Name = "", Queue = new BridgeSettings().Queue };
}

/// <summary>One <c>[[bridge.route]]</c> as read.</summary>
internal sealed record BridgeRouteDraft(TomlTable Table)
{
    public RouteSettings Settings { get; init; } = new();

    /// <summary>The place of a key's value; of the table when the key is absent.</summary>
    public SourcePosition At(string key) => Table.Find(key)?.Node.Position ?? Table.Position;
}
