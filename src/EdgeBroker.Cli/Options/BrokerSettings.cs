using EdgeBroker.Core.Security;
using EdgeBroker.Storage;

namespace EdgeBroker.Cli.Options;

/// <summary>What commands need of a broker's configuration.</summary>
public sealed record BrokerSettings
{
    /// <summary>Where its data is; known also when there are errors.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Whether somebody has said so; otherwise it is a directory beside whoever asks.</summary>
    public bool IsDataDirectorySet { get; init; }

    /// <summary>What is wrong with it, each with its place; the rest does not count then.</summary>
    public IReadOnlyList<string> Errors { get; init; } = [];

    public StorageOptions Storage { get; init; } = new();

    public AclRuleSet Rules { get; init; } = AclRuleSet.Unrestricted;

    /// <summary>The addresses of its listeners, as configured.</summary>
    public IReadOnlyList<string> Listeners { get; init; } = [];

    /// <summary>Whether a user of this name may log in: by a password, a token, a certificate or its Unix account.</summary>
    public Func<string, bool> KnowsUser { get; init; } = _ => true;
}
