namespace EdgeBroker.Configuration;

/// <summary>The names one table may hold; what hints about unknown keys are made of.</summary>
internal abstract class TableSchema(string title)
{
    /// <summary>As a person writes it: <c>[mqtt]</c>, <c>[[listener]]</c>; empty for the top of the file.</summary>
    public string Title { get; } = title;

    public abstract IEnumerable<string> Names { get; }

    /// <summary>The schemas of the tables inside this one.</summary>
    public abstract IEnumerable<TableSchema> Tables { get; }

    /// <summary>The title of the table, this one or one inside it, that has a key of this name; null when none has.</summary>
    public string? TitleOfTableWith(string name)
    {
        foreach (string known in Names)
        {
            if (known == name && Title.Length > 0) return Title;
        }

        foreach (TableSchema table in Tables)
        {
            if (table.TitleOfTableWith(name) is { } found) return found;
        }

        return null;
    }
}

/// <summary>
/// The keys of one table and where each goes in a <typeparamref name="T"/>: one line of declaration per key, holding its name, its kind
/// with its bounds, and its target. Defaults are what the T held before.
/// </summary>
internal sealed class TableSchema<T>(string title) : TableSchema(title)
    where T : class
{
    private readonly Dictionary<string, SchemaKey<T>> _keys = new(StringComparer.Ordinal);
    private readonly List<TableSchema> _tables = [];

    public override IEnumerable<string> Names => _keys.Keys;

    public override IEnumerable<TableSchema> Tables => _tables;

    /// <summary>A key holding one value.</summary>
    public TableSchema<T> Key<TValue>(string name, ValueKind<TValue> kind, Func<T, TValue, T> set, bool required = false)
    {
        _keys.Add(name, new ValueKey<T, TValue>(name, kind, set, required));
        return this;
    }

    /// <summary>A table <c>[name]</c>; it adds to what <paramref name="get"/> returns.</summary>
    public TableSchema<T> Table<TChild>(string name, TableSchema<TChild> schema, Func<T, TChild> get, Func<T, TChild, T> set)
        where TChild : class => Table(name, schema, (owner, _) => get(owner), set);

    /// <summary>A table <c>[name]</c>, of which <paramref name="get"/> wants to see the place.</summary>
    public TableSchema<T> Table<TChild>(string name, TableSchema<TChild> schema, Func<T, TomlTable, TChild> get, Func<T, TChild, T> set)
        where TChild : class
    {
        _keys.Add(name, new TableKey<T, TChild>(name, schema, get, set));
        _tables.Add(schema);
        return this;
    }

    /// <summary>Any number of tables <c>[[name]]</c>, each starting from what <paramref name="create"/> makes of it.</summary>
    public TableSchema<T> TableArray<TChild>(string name, TableSchema<TChild> schema, Func<TomlTable, TChild> create, Func<T, List<TChild>, T> set)
        where TChild : class
    {
        _keys.Add(name, new TableArrayKey<T, TChild>(name, schema, create, set));
        _tables.Add(schema);
        return this;
    }

    /// <summary>Applies every key of the table to <paramref name="target"/>, reporting whatever does not fit.</summary>
    public T Bind(TomlTable table, T target, BindContext context)
    {
        foreach (TomlEntry entry in table.Entries)
        {
            if (_keys.TryGetValue(entry.Name, out SchemaKey<T>? key)) target = key.Bind(target, entry, context);
            else context.Errors.Add(entry.Position, Unknown(entry, context));
        }

        foreach (SchemaKey<T> key in _keys.Values)
        {
            if (key.IsRequired && table.Find(key.Name) is null) context.Errors.Add(table.Position, $"{Title} needs the key \"{key.Name}\": {key.Expected}");
        }

        return target;
    }

    private string Unknown(TomlEntry entry, BindContext context)
    {
        string shown = Printable.Escape(entry.Name);
        string what = entry.Node switch
        {
            TomlTable { IsInline: false } => $"unknown table [{shown}]",
            TomlTableArray { Tables: [{ IsInline: false }, ..] } => $"unknown table [[{shown}]]",
            _ => $"unknown key \"{shown}\"",
        };
        what += Title.Length > 0 ? $" in {Title}" : what.StartsWith("unknown key", StringComparison.Ordinal) ? " outside of any table" : "";
        if (NearestName.Of(entry.Name, Names) is { } nearest) return $"{what}; did you mean \"{nearest}\"?";
        if (context.Root.TitleOfTableWith(entry.Name) is { } title) return $"{what}; it belongs in {title}";
        return what;
    }
}
