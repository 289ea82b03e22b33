using EdgeBroker.Http;
using EdgeBroker.Mqtt;

namespace EdgeBroker.Configuration;

/// <summary>One <c>[[listener]]</c> as read, before what its keys mean together is known.</summary>
internal sealed record ListenerDraft(TomlTable Table)
{
    public string? Protocol { get; init; }

    public ListenAddress? Address { get; init; }

    public bool? AllowAnonymous { get; init; }

    public ListenerOptions Options { get; init; } = new() { Address = "" };

    /// <summary>What only TLS and WebSocket listeners have; protocol and address are not used.</summary>
    public WebListenerOptions Web { get; init; } = new() { Protocol = WebProtocol.Mqtts, Address = "" };

    public TlsDraft? Tls { get; init; }

    /// <summary>The place of a key's value; of the table when the key is absent.</summary>
    public SourcePosition At(string key) => Table.Find(key)?.Node.Position ?? Table.Position;
}
