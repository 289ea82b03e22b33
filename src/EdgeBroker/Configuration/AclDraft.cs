using EdgeBroker.Core.Security;

namespace EdgeBroker.Configuration;

/// <summary>One <c>[[acl]]</c> as read.</summary>
internal sealed record AclDraft(TomlTable Table)
{
    public string User { get; init; } = Glob.Any;

    public string Client { get; init; } = Glob.Any;

    public string Group { get; init; } = Glob.Any;

    public string Listener { get; init; } = Glob.Any;

    public IReadOnlyList<string>? Allow { get; init; }

    public IReadOnlyList<string>? Deny { get; init; }

    public int MaxQos { get; init; } = 2;

    public IReadOnlyList<string> Topics { get; init; } = [];

    /// <summary>The place of a key's value; of the table when the key is absent.</summary>
    public SourcePosition At(string key) => Table.Find(key)?.Node.Position ?? Table.Position;
}

/// <summary>One <c>[[group]]</c> as read.</summary>
internal sealed record GroupDraft(TomlTable Table)
{
    public string Name { get; init; } = "";

    public IReadOnlyList<string> Users { get; init; } = [];
}
