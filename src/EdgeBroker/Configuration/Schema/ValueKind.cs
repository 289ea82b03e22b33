using System.Globalization;
using System.Text;
using System.Text.Json;
using EdgeBroker.Configuration.Toml;
using Tomlyn.Syntax;

namespace EdgeBroker.Configuration.Schema;

/// <summary>What binding a table needs besides the table: where errors and places go, the environment, and the whole schema to give hints from.</summary>
internal sealed class BindContext(ConfigurationErrors errors, Func<string, string?> environment, TableSchema root)
{
    public ConfigurationErrors Errors { get; } = errors;

    public Func<string, string?> Environment { get; } = environment;

    /// <summary>The schema of the whole file, asked where a misplaced key would belong.</summary>
    public TableSchema Root { get; } = root;

    /// <summary>Where each key was set, by its path.</summary>
    public Dictionary<string, SourcePosition> Origins { get; } = new(StringComparer.Ordinal);
}

/// <summary>
/// A kind of value: what it looks like, how it is read, and how it is shown. Every misfit is answered in one form, so that all errors read alike.
/// </summary>
internal abstract class ValueKind<T>(string expected)
{
    /// <summary>What a person should write: completes "expects".</summary>
    public string Expected { get; } = expected;

    /// <summary>The words to choose from, as broker.toml lists them; null: there is no such list.</summary>
    public virtual string? Choices => null;

    /// <summary>Whether the value itself is kept out of the configuration, and only its place is shown.</summary>
    public virtual bool IsSecret => false;

    /// <summary>The value as TOML.</summary>
    public abstract string ToToml(T value);

    /// <summary>The value as JSON.</summary>
    public abstract void WriteJson(Utf8JsonWriter json, T value);

    /// <summary>What JSON Schema says of such values: members of an object that the caller has begun.</summary>
    public abstract void WriteSchema(Utf8JsonWriter json);

    /// <summary>Whether two values are the same; null: none.</summary>
    public virtual bool AreEqual(object? one, object? other) => Equals(one, other);

    public virtual bool TryRead(TomlEntry entry, BindContext context, out T value)
    {
        value = default!;
        string? hint = null;
        string? text = null;
        if (entry.Node is TomlScalar scalar)
        {
            if (scalar.Syntax is StringValueSyntax literal && !EnvironmentText.TryExpand(literal, scalar.Position, context, out text)) return false;
            if (TryRead(scalar.Syntax, text, out value, ref hint)) return true;
        }

        Reject(entry, text, hint, context);
        return false;
    }

    /// <summary>Reports a misfit.</summary>
    protected void Reject(TomlEntry entry, string? text, string? hint, BindContext context)
    {
        string found = text is null ? ValueText.Describe(entry.Node) : ValueText.Quote(text);
        string suffix = hint is null ? "" : hint.Contains('?') ? $"; did you mean {hint}" : $"; did you mean {hint}?";
        context.Errors.Add(entry.Node.Position, $"\"{entry.Name}\" expects {Expected}; found {found}{suffix}");
    }

    /// <summary>Reads the value; <paramref name="text"/> is that of a string, with the environment's values in place, and null for all else.</summary>
    protected abstract bool TryRead(ValueSyntax syntax, string? text, out T value, ref string? hint);
}

/// <summary>A kind whose values are written as strings.</summary>
internal abstract class StringKind<T>(string expected) : ValueKind<T>(expected)
{
    public sealed override string ToToml(T value) => ValueText.ToToml(Show(value));

    public sealed override void WriteJson(Utf8JsonWriter json, T value) => json.WriteStringValue(Show(value));

    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteString("type", "string");
        if (Pattern is not null) json.WriteString("pattern", Pattern);
    }

    /// <summary>A regular expression that all values match; null: none is given.</summary>
    protected virtual string? Pattern => null;

    /// <summary>The value as it is written, without quotes.</summary>
    protected abstract string Show(T value);
}

/// <summary>A kind that is read as a whole, and not as one scalar.</summary>
internal abstract class CompositeKind<T>(string expected) : ValueKind<T>(expected)
{
    public abstract override bool TryRead(TomlEntry entry, BindContext context, out T value);

    protected sealed override bool TryRead(ValueSyntax syntax, string? text, out T value, ref string? hint) => throw new NotSupportedException();
}

/// <summary>Shows a value: in an error short and on one line whatever it holds, in TOML so that it can be read again.</summary>
internal static class ValueText
{
    private const int Longest = 60;

    public static string Describe(TomlNode node) => node switch
    {
        TomlTable => "a table",
        TomlTableArray => "a list of tables",
        TomlScalar { Syntax: StringValueSyntax text } => Quote(text.Value ?? ""),
        TomlScalar { Syntax: ArraySyntax } => "an array",
        TomlScalar { Syntax: IntegerValueSyntax integer } => Cut(integer.Token?.Text ?? "a number"),
        TomlScalar { Syntax: FloatValueSyntax number } => Cut(number.Token?.Text ?? "a number"),
        TomlScalar { Syntax: BooleanValueSyntax boolean } => boolean.Value ? "true" : "false",
        TomlScalar { Syntax: DateTimeValueSyntax date } => $"the date or time {Cut(date.Token?.Text ?? "")}",
        _ => "something else",
    };

    public static string Quote(string text) => $"\"{Cut(text)}\"";

    /// <summary>A TOML string. What would stand for the environment's values is escaped, and whatever does not show as itself.</summary>
    public static string ToToml(string text)
    {
        var quoted = new StringBuilder("\"", text.Length + 2);
        foreach (Rune rune in text.Replace("${", "$${", StringComparison.Ordinal).EnumerateRunes())
        {
            if (rune.Value is '"' or '\\') quoted.Append('\\').Append((char)rune.Value);
            else if (Printable.Escape(rune.ToString()) == rune.ToString()) quoted.Append(rune.ToString());
            else quoted.Append(rune.IsBmp ? "\\u" : "\\U").Append(rune.Value.ToString(rune.IsBmp ? "x4" : "x8", CultureInfo.InvariantCulture));
        }

        return quoted.Append('"').ToString();
    }

    private static string Cut(string text) =>
        Printable.Escape(text.Length <= Longest ? text : string.Concat(text.AsSpan(0, Longest), "..."));
}
