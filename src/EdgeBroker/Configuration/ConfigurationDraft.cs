using EdgeBroker.Core;
using EdgeBroker.Core.Limits;
using EdgeBroker.Storage;

namespace EdgeBroker.Configuration;

/// <summary>A configuration while it is read: starts as the defaults, and each key read replaces one.</summary>
internal sealed record ConfigurationDraft(NodeOptions Node)
{
    public List<ListenerDraft> Listeners { get; init; } = [];

    public MqttOptions Mqtt { get; init; } = new();

    public LimitOptions Limits { get; init; } = new();

    public StorageOptions Storage { get; init; } = new();

    public AuthDraft Auth { get; init; } = new();

    public List<AclDraft> Acl { get; init; } = [];

    public List<GroupDraft> Groups { get; init; } = [];

    public LogOptions Log { get; init; } = new();
}
