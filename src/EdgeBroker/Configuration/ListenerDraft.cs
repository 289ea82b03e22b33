using EdgeBroker.Http;
using EdgeBroker.Mqtt;

namespace EdgeBroker.Configuration;

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

    public ListenerOptions Options { get; init; } = new() { Address = "" };

    /// <summary>What only TLS and WebSocket listeners have; protocol and address are not used.</summary>
    public WebListenerOptions Web { get; init; } = new() { Protocol = WebProtocol.Mqtts, Address = "" };

    public TlsDraft? Tls { get; init; }

    /// <summary>The place of a key's value; of the table when the key is absent.</summary>
    public SourcePosition At(string key) => Table.Find(key)?.Node.Position ?? Table.Position;
}
