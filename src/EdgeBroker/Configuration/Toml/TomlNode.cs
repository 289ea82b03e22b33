using Tomlyn.Syntax;

namespace EdgeBroker.Configuration.Toml;

/// <summary>One value of the merged configuration, with the place it was written at.</summary>
internal abstract class TomlNode(SourcePosition position)
{
    public SourcePosition Position { get; } = position;
}

/// <summary>A string, number, boolean, date or array: read by the kind of the key it belongs to.</summary>
internal sealed class TomlScalar(SourcePosition position, ValueSyntax syntax) : TomlNode(position)
{
    public ValueSyntax Syntax { get; } = syntax;
}

/// <summary>The tables of one <c>[[name]]</c>, in order.</summary>
internal sealed class TomlTableArray(SourcePosition position) : TomlNode(position)
{
    public List<TomlTable> Tables { get; } = [];
}

/// <summary>A table: keys in the order they were written.</summary>
internal sealed class TomlTable(SourcePosition position) : TomlNode(position)
{
    /// <summary>An empty table that stands in no file.</summary>
    public static readonly TomlTable Nowhere = new(new SourceFile("", 0).Whole);

    private readonly Dictionary<string, TomlEntry> _byName = new(StringComparer.Ordinal);

    public List<TomlEntry> Entries { get; } = [];

    /// <summary>False while the table exists only because a table below it was named; a header of its own may still come.</summary>
    public bool IsDefined { get; set; }

    /// <summary>An inline table is complete where it is written; nothing may be added to it.</summary>
    public bool IsInline { get; init; }

    public TomlEntry? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>Takes an entry in place of the one of the same name.</summary>
    public void Replace(TomlEntry entry)
    {
        Entries[Entries.IndexOf(_byName[entry.Name])] = entry;
        _byName[entry.Name] = entry;
    }

    public void Add(TomlEntry entry)
    {
        _byName.Add(entry.Name, entry);
        Entries.Add(entry);
    }
}

/// <summary>A key and its value; the position is the key's.</summary>
internal sealed record TomlEntry(string Name, SourcePosition Position, TomlNode Node);
