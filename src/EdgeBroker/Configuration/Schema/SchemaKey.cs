using System.Text.Json;
using EdgeBroker.Configuration.Toml;

namespace EdgeBroker.Configuration.Schema;

/// <summary>A key whose value differs between two configurations.</summary>
/// <param name="Path">The key with its table: <c>mqtt.max_qos</c>.</param>
/// <param name="Applies">When the newer value comes into force.</param>
internal readonly record struct KeyChange(string Path, Applies Applies);

/// <summary>To which tables a key belongs that not every table of its kind may hold.</summary>
/// <param name="Includes">Whether it belongs to this one.</param>
/// <param name="BelongsTo">To which it does: completes "belongs to".</param>
/// <param name="Found">What this one is instead.</param>
internal sealed record KeyScope<T>(Func<T, bool> Includes, string BelongsTo, Func<T, string> Found);

/// <summary>One name a table may hold, and everything there is to know of it.</summary>
internal abstract class SchemaKey<T>(string name)
    where T : class
{
    public string Name { get; } = name;

    public bool IsRequired { get; init; }

    /// <summary>Which tables may hold it; null: all.</summary>
    public KeyScope<T>? Scope { get; init; }

    /// <summary>What a person should write, for errors: "true or false".</summary>
    public abstract string Expected { get; }

    /// <summary>Puts what is written in the owner's place.</summary>
    /// <param name="owner">The table's options so far.</param>
    /// <param name="entry">What is written.</param>
    /// <param name="context">Where errors go.</param>
    /// <param name="path">The path of the table, with a dot at its end; null: of no interest.</param>
    public abstract T Bind(T owner, TomlEntry entry, BindContext context, string? path);

    /// <summary>Adds the keys that differ.</summary>
    public abstract void Compare(T before, T after, string path, List<KeyChange> changes);

    /// <summary>What was read, but for values that take a restart: they stay as they run.</summary>
    public abstract T KeepUntilRestart(T running, T read);

    /// <summary>Writes it as broker.toml shows it.</summary>
    /// <param name="document">Where to.</param>
    /// <param name="defaults">Options nobody has changed.</param>
    /// <param name="isExample">Whether its table is commented out as a whole.</param>
    /// <param name="isInArray">Whether its table is one of several.</param>
    public abstract void WriteTemplate(TomlDocument document, T defaults, bool isExample, bool isInArray);

    /// <summary>Writes the value in force, and where it was set.</summary>
    public abstract void WriteValue(TomlDocument document, T owner, T defaults, string path, IReadOnlyDictionary<string, SourcePosition> origins);

    /// <summary>Writes the value in force, if there is one.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="owner">The table's options.</param>
    /// <param name="defaults">Options nobody has changed.</param>
    /// <param name="path">The path of the table, with a dot at its end.</param>
    /// <param name="origins">
    /// Where each key was set: each value becomes an object that tells its origin, too, and whether another one takes a restart. Null: values alone.
    /// </param>
    public abstract void WriteJson(Utf8JsonWriter json, T owner, T defaults, string path, IReadOnlyDictionary<string, SourcePosition>? origins);

    /// <summary>Writes what JSON Schema says of it.</summary>
    public abstract void WriteSchema(Utf8JsonWriter json, T defaults);

    /// <summary>Whether this table may hold it.</summary>
    public bool BelongsTo(T owner) => Scope is null || Scope.Includes(owner);

    /// <summary>Whether it is written in a table that may not hold it: the place, and what is wrong.</summary>
    public abstract (SourcePosition Position, string Problem)? FindMisplaced(T owner, TomlTable table);
}

/// <summary>A key with one value of some kind.</summary>
internal sealed class ValueKey<T, TValue>(string name, ValueKind<TValue> kind, Func<T, object?> get, Func<T, TValue, T> set, Applies applies, string comment)
    : SchemaKey<T>(name)
    where T : class
{
    public override string Expected => kind.Expected;

    /// <summary>A paragraph that stands above it in broker.toml.</summary>
    public string? Introduction { get; init; }

    /// <summary>What broker.toml shows where the default is none that can be written; TOML.</summary>
    public string? Example { get; init; }

    /// <summary>Whether broker.toml shows it commented out: set there, it would be wrong or needless.</summary>
    public bool IsCommented { get; init; }

    public override T Bind(T owner, TomlEntry entry, BindContext context, string? path)
    {
        if (!kind.TryRead(entry, context, out TValue value)) return owner;
        if (path is not null) context.Origins[path + Name] = entry.Position;
        return set(owner, value);
    }

    public override void Compare(T before, T after, string path, List<KeyChange> changes)
    {
        if (!kind.AreEqual(get(before), get(after))) changes.Add(new KeyChange(path + Name, applies));
    }

    public override T KeepUntilRestart(T running, T read) => applies.RestartReason is null ? read : set(read, (TValue)get(running)!);

    public override void WriteTemplate(TomlDocument document, T defaults, bool isExample, bool isInArray)
    {
        if (Introduction is not null) document.Paragraph(Introduction);
        string value = Example ?? kind.ToToml((TValue)get(defaults)!);
        document.Assignment(Name, value, isExample || IsCommented, kind.Choices is { } choices ? Join(choices, comment) : comment);
    }

    public override void WriteValue(TomlDocument document, T owner, T defaults, string path, IReadOnlyDictionary<string, SourcePosition> origins)
    {
        if (!TryGet(owner, defaults, out TValue value)) return;
        document.Assignment(Name, kind.ToToml(value), isCommented: false, OriginOf(path, origins));
    }

    public override void WriteJson(Utf8JsonWriter json, T owner, T defaults, string path, IReadOnlyDictionary<string, SourcePosition>? origins)
    {
        if (!TryGet(owner, defaults, out TValue value)) return;
        json.WritePropertyName(Name);
        if (origins is null)
        {
            kind.WriteJson(json, value);
            return;
        }

        json.WriteStartObject();
        json.WritePropertyName("value");
        kind.WriteJson(json, value);
        json.WriteString("from", OriginOf(path, origins));
        json.WriteBoolean("needs_restart", applies.RestartReason is not null);
        json.WriteEndObject();
    }

    public override void WriteSchema(Utf8JsonWriter json, T defaults)
    {
        json.WriteStartObject(Name);
        kind.WriteSchema(json);
        json.WriteString("description", comment.Length > 0 ? comment : kind.Expected);
        if (get(defaults) is { } value && Example is null)
        {
            json.WritePropertyName("default");
            kind.WriteJson(json, (TValue)value);
        }

        json.WriteString("x-expects", kind.Expected);
        json.WriteString("x-applies", applies.When);
        if (kind.IsSecret) json.WriteBoolean("x-secret", true);
        json.WriteEndObject();
    }

    public override (SourcePosition Position, string Problem)? FindMisplaced(T owner, TomlTable table) =>
        Scope is null || Scope.Includes(owner) || table.Find(Name) is not { } entry
            ? null
            : (entry.Position, $"\"{Name}\" belongs to {Scope.BelongsTo}; {Scope.Found(owner)}");

    private string OriginOf(string path, IReadOnlyDictionary<string, SourcePosition> origins) =>
        origins.TryGetValue(path + Name, out SourcePosition position) ? position.ToString() : "default";

    /// <summary>The value, unless the table may not hold it or there is none. Where there is one by default, none is a value as well.</summary>
    private bool TryGet(T owner, T defaults, out TValue value)
    {
        object? found = get(owner);
        value = found is null ? default! : (TValue)found;
        return BelongsTo(owner) && (found is not null || get(defaults) is not null);
    }

    private static string Join(string choices, string comment) => comment.Length == 0 ? choices : $"{choices}: {comment}";
}

/// <summary>A key that is a table.</summary>
/// <param name="name">Its name.</param>
/// <param name="schema">What it may hold.</param>
/// <param name="get">The table of an owner; null: it has none.</param>
/// <param name="make">Makes what a table begins with that the owner does not have yet.</param>
/// <param name="set">Puts it in the owner's place.</param>
internal sealed class TableKey<T, TChild>(string name, TableSchema<TChild> schema, Func<T, TChild?> get, Func<TomlTable, TChild> make, Func<T, TChild, T> set)
    : SchemaKey<T>(name)
    where T : class
    where TChild : class
{
    public override string Expected => $"a table {schema.Title}";

    public override T Bind(T owner, TomlEntry entry, BindContext context, string? path)
    {
        if (entry.Node is TomlTable table) return set(owner, schema.Bind(table, get(owner) ?? make(table), context, path is null ? null : $"{path}{Name}."));
        context.Errors.Add(entry.Node.Position, entry.Node is TomlTableArray { Tables: [{ IsInline: false }, ..] }
            ? $"[[{Name}]] is one table, written {schema.Title}"
            : $"\"{Name}\" is a table, written {schema.Title}; found {ValueText.Describe(entry.Node)}");
        return owner;
    }

    public override void Compare(T before, T after, string path, List<KeyChange> changes)
    {
        // A table that comes or goes is more than its keys: whoever knows what it means tells of that.
        if (get(before) is { } former && get(after) is { } newer) schema.Compare(former, newer, $"{path}{Name}.", changes);
    }

    public override T KeepUntilRestart(T running, T read) =>
        get(running) is { } former && get(read) is { } newer ? set(read, schema.KeepUntilRestart(former, newer)) : read;

    public override void WriteTemplate(TomlDocument document, T defaults, bool isExample, bool isInArray)
    {
        isExample |= schema.IsExample;
        schema.WriteHeader(document, isExample, isInArray);
        schema.WriteTemplate(document, DefaultsIn(defaults), isExample, isInArray);
    }

    public override void WriteValue(TomlDocument document, T owner, T defaults, string path, IReadOnlyDictionary<string, SourcePosition> origins)
    {
        if (get(owner) is not { } child || !BelongsTo(owner)) return;
        document.Blank();
        document.Header(schema.Title);
        schema.WriteValues(document, child, DefaultsIn(defaults), $"{path}{Name}.", origins);
    }

    public override void WriteJson(Utf8JsonWriter json, T owner, T defaults, string path, IReadOnlyDictionary<string, SourcePosition>? origins)
    {
        if (get(owner) is not { } child || !BelongsTo(owner)) return;
        json.WritePropertyName(Name);
        schema.WriteJson(json, child, DefaultsIn(defaults), $"{path}{Name}.", origins);
    }

    public override void WriteSchema(Utf8JsonWriter json, T defaults)
    {
        json.WritePropertyName(Name);
        schema.WriteSchema(json, DefaultsIn(defaults));
    }

    public override (SourcePosition Position, string Problem)? FindMisplaced(T owner, TomlTable table) =>
        Scope is null || Scope.Includes(owner) || table.Find(Name) is not { } entry
            ? null
            : (entry.Node.Position, $"{schema.Title} belongs to {Scope.BelongsTo}; {Scope.Found(owner)}");

    private TChild DefaultsIn(T defaults) => get(defaults) ?? make(TomlTable.Nowhere);
}

/// <summary>A key that is any number of tables. Two lists of tables are compared by whoever knows which of them are the same.</summary>
internal sealed class TableArrayKey<T, TChild>(
    string name, TableSchema<TChild> schema, Func<T, IReadOnlyList<TChild>> get, Func<TomlTable, TChild> make,
    Func<T, List<TChild>, T> set) : SchemaKey<T>(name)
    where T : class
    where TChild : class
{
    public override string Expected => $"tables {schema.Title}";

    public override T Bind(T owner, TomlEntry entry, BindContext context, string? path)
    {
        if (entry.Node is TomlTableArray tables)
        {
            var children = new List<TChild>(tables.Tables.Count);
            foreach (TomlTable table in tables.Tables)
            {
                children.Add(schema.Bind(table, make(table), context, path is null ? null : $"{path}{Name}[{children.Count}]."));
            }

            return set(owner, children);
        }

        context.Errors.Add(entry.Node.Position, entry.Node is TomlTable { IsInline: false }
            ? $"[{Name}] may stand several times and is written {schema.Title}"
            : $"\"{Name}\" is a list of tables, each written {schema.Title}; found {ValueText.Describe(entry.Node)}");
        return owner;
    }

    public override void Compare(T before, T after, string path, List<KeyChange> changes)
    {
    }

    public override T KeepUntilRestart(T running, T read) => read;

    public override void WriteTemplate(TomlDocument document, T defaults, bool isExample, bool isInArray)
    {
        isExample |= schema.IsExample;
        schema.WriteHeader(document, isExample, isInArray);
        schema.WriteTemplate(document, make(TomlTable.Nowhere), isExample, isInArray: true);
    }

    public override void WriteValue(TomlDocument document, T owner, T defaults, string path, IReadOnlyDictionary<string, SourcePosition> origins)
    {
        IReadOnlyList<TChild> children = get(owner);
        for (int i = 0; i < children.Count; i++)
        {
            document.Blank();
            document.Header(schema.Title);
            schema.WriteValues(document, children[i], make(TomlTable.Nowhere), $"{path}{Name}[{i}].", origins);
        }
    }

    public override void WriteJson(Utf8JsonWriter json, T owner, T defaults, string path, IReadOnlyDictionary<string, SourcePosition>? origins)
    {
        json.WriteStartArray(Name);
        IReadOnlyList<TChild> children = get(owner);
        for (int i = 0; i < children.Count; i++) schema.WriteJson(json, children[i], make(TomlTable.Nowhere), $"{path}{Name}[{i}].", origins);
        json.WriteEndArray();
    }

    public override void WriteSchema(Utf8JsonWriter json, T defaults)
    {
        json.WriteStartObject(Name);
        json.WriteString("type", "array");
        json.WritePropertyName("items");
        schema.WriteSchema(json, make(TomlTable.Nowhere));
        json.WriteEndObject();
    }

    public override (SourcePosition Position, string Problem)? FindMisplaced(T owner, TomlTable table) => null;
}
