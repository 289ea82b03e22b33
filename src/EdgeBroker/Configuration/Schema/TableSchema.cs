using System.Text.Json;
using EdgeBroker.Configuration.Toml;

namespace EdgeBroker.Configuration.Schema;

/// <summary>The names one table may hold; what hints about unknown keys are made of.</summary>
internal abstract class TableSchema(string title)
{
    /// <summary>As a person writes it: <c>[mqtt]</c>, <c>[[listener]]</c>; empty for the top of the file.</summary>
    public string Title { get; } = title;

    /// <summary>What broker.toml says beside its name.</summary>
    public string Comment { get; init; } = "";

    /// <summary>A paragraph that stands above it in broker.toml.</summary>
    public string? Introduction { get; init; }

    /// <summary>Whether broker.toml shows it commented out as a whole.</summary>
    public bool IsExample { get; init; }

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

    public void WriteHeader(TomlDocument document, bool isExample, bool isInArray)
    {
        if (!isInArray) document.Blank();
        if (Introduction is not null) document.Paragraph(Introduction);
        document.Header(Title, isExample, Comment);
    }
}

/// <summary>
/// The keys of one table and where each goes in a <typeparamref name="T"/>: one declaration a key, holding its name, its kind with its bounds, how it is read
/// from and put into a T, when a change of it applies, and what it means. The default is what a new T holds. Everything that knows keys follows from this list.
/// </summary>
internal sealed class TableSchema<T>(string title) : TableSchema(title)
    where T : class
{
    private readonly List<SchemaKey<T>> _keys = [];
    private readonly Dictionary<string, SchemaKey<T>> _byName = new(StringComparer.Ordinal);
    private readonly List<TableSchema> _tables = [];

    public override IEnumerable<string> Names => _byName.Keys;

    public override IEnumerable<TableSchema> Tables => _tables;

    /// <summary>A key holding one value.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="kind">What its value must be.</param>
    /// <param name="get">Reads it; null: there is none.</param>
    /// <param name="set">Puts it in place.</param>
    /// <param name="applies">When a change comes into force.</param>
    /// <param name="comment">What it means, for broker.toml and the API's schema; choices are added to it.</param>
    /// <param name="required">Whether a table must have it.</param>
    /// <param name="example">What broker.toml shows in place of the default, commented out unless required; TOML.</param>
    /// <param name="commented">Whether broker.toml shows it commented out; null: as said of the example.</param>
    /// <param name="scope">Which tables may hold it; null: all.</param>
    /// <param name="introduction">A paragraph that stands above it in broker.toml.</param>
    public TableSchema<T> Key<TValue>(
        string name,
        ValueKind<TValue> kind,
        Func<T, TValue?> get,
        Func<T, TValue, T> set,
        Applies applies,
        string comment,
        bool required = false,
        string? example = null,
        bool? commented = null,
        KeyScope<T>? scope = null,
        string? introduction = null)
        where TValue : class => Add(Make(name, kind, get, set, applies, comment, required, example, commented, scope, introduction));

    /// <summary>A key holding one value, of a kind that is no reference.</summary>
    public TableSchema<T> Key<TValue>(
        string name,
        ValueKind<TValue> kind,
        Func<T, TValue?> get,
        Func<T, TValue, T> set,
        Applies applies,
        string comment,
        bool required = false,
        string? example = null,
        bool? commented = null,
        KeyScope<T>? scope = null,
        string? introduction = null)
        where TValue : struct => Add(Make(name, kind, owner => get(owner), set, applies, comment, required, example, commented, scope, introduction));

    /// <summary>A table <c>[name]</c> that is always there.</summary>
    public TableSchema<T> Table<TChild>(string name, TableSchema<TChild> schema, Func<T, TChild> get, Func<T, TChild, T> set)
        where TChild : class => Table(name, schema, get, _ => throw new InvalidOperationException($"There is always a [{name}]."), set);

    /// <summary>A table <c>[name]</c> that may be absent; where it stands it begins with what <paramref name="make"/> makes of it.</summary>
    public TableSchema<T> Table<TChild>(
        string name, TableSchema<TChild> schema, Func<T, TChild?> get, Func<TomlTable, TChild> make, Func<T, TChild, T> set, KeyScope<T>? scope = null)
        where TChild : class
    {
        _tables.Add(schema);
        return Add(new TableKey<T, TChild>(name, schema, get, make, set) { Scope = scope });
    }

    /// <summary>Any number of tables <c>[[name]]</c>, each beginning with what <paramref name="make"/> makes of it.</summary>
    public TableSchema<T> TableArray<TChild>(
        string name, TableSchema<TChild> schema, Func<T, IReadOnlyList<TChild>> get, Func<TomlTable, TChild> make, Func<T, List<TChild>, T> set)
        where TChild : class
    {
        _tables.Add(schema);
        return Add(new TableArrayKey<T, TChild>(name, schema, get, make, set));
    }

    /// <summary>Applies every key of the table to <paramref name="target"/>, reporting whatever does not fit.</summary>
    /// <param name="table">The table.</param>
    /// <param name="target">The defaults.</param>
    /// <param name="context">Where errors and places go.</param>
    /// <param name="path">The table's path, with a dot at its end; null: places are of no interest.</param>
    public T Bind(TomlTable table, T target, BindContext context, string? path)
    {
        foreach (TomlEntry entry in table.Entries)
        {
            if (_byName.TryGetValue(entry.Name, out SchemaKey<T>? key)) target = key.Bind(target, entry, context, path);
            else context.Errors.Add(entry.Position, Unknown(entry, context));
        }

        foreach (SchemaKey<T> key in _keys)
        {
            if (key.IsRequired && table.Find(key.Name) is null) context.Errors.Add(table.Position, $"{Title} needs the key \"{key.Name}\": {key.Expected}");
        }

        return target;
    }

    /// <summary>Reports keys that this table may not hold, being what it is.</summary>
    public void FindMisplaced(T owner, TomlTable table, ConfigurationErrors errors)
    {
        foreach (SchemaKey<T> key in _keys)
        {
            if (key.FindMisplaced(owner, table) is { } found) errors.Add(found.Position, found.Problem);
        }
    }

    /// <summary>The keys whose values differ, but for those in lists of tables.</summary>
    public List<KeyChange> Compare(T before, T after)
    {
        var changes = new List<KeyChange>();
        Compare(before, after, "", changes);
        return changes;
    }

    public void Compare(T before, T after, string path, List<KeyChange> changes)
    {
        foreach (SchemaKey<T> key in _keys) key.Compare(before, after, path, changes);
    }

    /// <summary>What was read, but for values that take a restart: they stay as they run.</summary>
    public T KeepUntilRestart(T running, T read) => _keys.Aggregate(read, (merged, key) => key.KeepUntilRestart(running, merged));

    public void WriteTemplate(TomlDocument document, T defaults, bool isExample, bool isInArray)
    {
        foreach (SchemaKey<T> key in _keys) key.WriteTemplate(document, defaults, isExample, isInArray);
    }

    public void WriteValues(TomlDocument document, T owner, T defaults, string path, IReadOnlyDictionary<string, SourcePosition> origins)
    {
        foreach (SchemaKey<T> key in _keys) key.WriteValue(document, owner, defaults, path, origins);
    }

    public void WriteJson(
        Utf8JsonWriter json, T owner, T defaults, string path = "", IReadOnlyDictionary<string, SourcePosition>? origins = null)
    {
        json.WriteStartObject();
        foreach (SchemaKey<T> key in _keys) key.WriteJson(json, owner, defaults, path, origins);
        json.WriteEndObject();
    }

    public void WriteSchema(Utf8JsonWriter json, T defaults)
    {
        json.WriteStartObject();
        WriteSchemaMembers(json, defaults);
        json.WriteEndObject();
    }

    /// <summary>What JSON Schema says of the table, inside an object that the caller has begun.</summary>
    public void WriteSchemaMembers(Utf8JsonWriter json, T defaults)
    {
        json.WriteString("type", "object");
        if (Comment.Length > 0) json.WriteString("description", Comment);
        json.WriteBoolean("additionalProperties", false);
        if (_keys.Exists(key => key.IsRequired))
        {
            json.WriteStartArray("required");
            foreach (SchemaKey<T> key in _keys.Where(key => key.IsRequired)) json.WriteStringValue(key.Name);
            json.WriteEndArray();
        }

        json.WriteStartObject("properties");
        foreach (SchemaKey<T> key in _keys) key.WriteSchema(json, defaults);
        json.WriteEndObject();
    }

    private static ValueKey<T, TValue> Make<TValue>(
        string name,
        ValueKind<TValue> kind,
        Func<T, object?> get,
        Func<T, TValue, T> set,
        Applies applies,
        string comment,
        bool required,
        string? example,
        bool? commented,
        KeyScope<T>? scope,
        string? introduction) => new(name, kind, get, set, applies, comment)
        {
            IsRequired = required,
            Example = example,
            IsCommented = commented ?? (example is not null && !required),
            Scope = scope,
            Introduction = introduction,
        };

    private TableSchema<T> Add(SchemaKey<T> key)
    {
        _keys.Add(key);
        _byName.Add(key.Name, key);
        return this;
    }

    private static readonly string[] NotBuilt = ["sensor", "output", "sparkplug", "coap"];

    private string Unknown(TomlEntry entry, BindContext context)
    {
        string shown = Printable.Escape(entry.Name);
        string what = entry.Node switch
        {
            TomlTable { IsInline: false } => $"unknown table [{shown}]",
            TomlTableArray { Tables: [{ IsInline: false }, ..] } => $"unknown table [[{shown}]]",
            _ => $"unknown key \"{shown}\"",
        };
        // Known from elsewhere, and not to be taken for a slip of the finger.
        if (Title.Length == 0 && NotBuilt.Contains(entry.Name, StringComparer.Ordinal)) return $"{what}: this build has no such part; remove the table";
        what += Title.Length > 0 ? $" in {Title}" : what.StartsWith("unknown key", StringComparison.Ordinal) ? " outside of any table" : "";
        if (NearestName.Of(entry.Name, Names) is { } nearest) return $"{what}; did you mean \"{nearest}\"?";
        if (context.Root.TitleOfTableWith(entry.Name) is { } title) return $"{what}; it belongs in {title}";
        return what;
    }
}
