using System.Globalization;
using System.Text.Json;
using EdgeBroker.Configuration.Toml;
using Tomlyn.Syntax;

namespace EdgeBroker.Configuration.Schema;

/// <summary>The kinds of values that keys may have.</summary>
internal static partial class Kinds
{
    public static readonly BooleanKind Boolean = new();

    public static readonly SecretKind Secret = new();

    public static readonly AddressKind Address = new();

    /// <summary>A file's path, absolute or from the configuration's directory on.</summary>
    public static readonly TextKind File = new("the path of a file", IsPath);

    public static readonly TextKind Directory = new("the path of a directory", IsPath);

    public static IntegerKind Integer(int min, int max) => new(min, max);

    /// <summary>A string that <paramref name="accepts"/> takes.</summary>
    public static TextKind Text(string expected, Predicate<string> accepts) => new(expected, accepts);

    /// <summary>A string of at least one character, without control characters.</summary>
    public static TextKind Name(string expected) => new(expected, IsName);

    /// <summary>As <see cref="Name"/>, and may be empty.</summary>
    public static TextKind MaybeEmpty(string expected) => new(expected, IsText);

    /// <summary>A list of strings that <paramref name="accepts"/> takes; <paramref name="suggest"/> says what was probably meant by another.</summary>
    public static TextListKind List(string expected, Predicate<string> accepts, bool mayBeEmpty = false, Func<string, string?>? suggest = null) =>
        new(expected, accepts, mayBeEmpty, suggest);

    public static TextListKind Names(string expected) => new(expected, IsName, mayBeEmpty: false);

    public static ChoiceKind<T> Choice<T>(params (string Word, T Value)[] choices)
        where T : struct => new([.. choices.Select(choice => (choice.Word, choice.Value, ""))]);

    /// <summary>One of a few words, each with what broker.toml says of it; empty: nothing.</summary>
    public static ChoiceKind<T> Choice<T>(params (string Word, T Value, string Remark)[] choices)
        where T : struct => new(choices);

    public static LocatedKind<T> Located<T>(ValueKind<T> kind) => new(kind);

    private static bool IsName(string text) => text.Length > 0 && IsText(text);

    private static bool IsText(string text) => text.Length <= 1024 && !text.Any(char.IsControl);

    public static bool IsPath(string path) => path.Length > 0 && !path.Contains('\0');
}

/// <summary>true or false.</summary>
internal sealed class BooleanKind() : ValueKind<bool>("true or false")
{
    public override string ToToml(bool value) => value ? "true" : "false";

    public override void WriteJson(Utf8JsonWriter json, bool value) => json.WriteBooleanValue(value);

    public override void WriteSchema(Utf8JsonWriter json) => json.WriteString("type", "boolean");

    protected override bool TryRead(ValueSyntax syntax, string? text, out bool value, ref string? hint)
    {
        value = syntax is BooleanValueSyntax { Value: true };
        hint = text?.ToLowerInvariant() switch { "true" or "yes" or "on" or "1" => "true", "false" or "no" or "off" or "0" => "false", _ => null };
        if (hint is not null) hint += ", without quotes";
        return syntax is BooleanValueSyntax;
    }
}

/// <summary>A whole number within bounds.</summary>
internal sealed class IntegerKind(int min, int max) : ValueKind<int>($"a whole number from {min} to {max}")
{
    public override string ToToml(int value) => value.ToString("#,0", CultureInfo.InvariantCulture).Replace(',', '_');

    public override void WriteJson(Utf8JsonWriter json, int value) => json.WriteNumberValue(value);

    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteString("type", "integer");
        json.WriteNumber("minimum", min);
        json.WriteNumber("maximum", max);
    }

    protected override bool TryRead(ValueSyntax syntax, string? text, out int value, ref string? hint)
    {
        value = 0;
        if (text is not null && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int meant) && meant >= min && meant <= max)
        {
            hint = ToToml(meant) + ", without quotes";
        }

        if (syntax is not IntegerValueSyntax integer || integer.Value < min || integer.Value > max) return false;
        value = (int)integer.Value;
        return true;
    }
}

/// <summary>A string that a predicate accepts.</summary>
internal sealed class TextKind(string expected, Predicate<string> accepts) : StringKind<string>(expected)
{
    protected override string Show(string value) => value;

    protected override bool TryRead(ValueSyntax syntax, string? text, out string value, ref string? hint)
    {
        value = text ?? "";
        return text is not null && accepts(text);
    }
}

/// <summary>Words to choose from, each with a remark that may be empty.</summary>
internal static class Words
{
    /// <summary>As broker.toml lists them: <c>a | b (what b does)</c>.</summary>
    public static string List(IEnumerable<(string Word, string Remark)> words) =>
        string.Join(" | ", words.Select(one => one.Remark.Length == 0 ? one.Word : $"{one.Word} ({one.Remark})"));

    /// <summary>As an error enumerates them: <c>"a", "b" or "c"</c>.</summary>
    public static string Enumerate(string[] words) =>
        string.Join(", ", words[..^1].Select(word => $"\"{word}\"")) + (words.Length > 1 ? " or " : "") + $"\"{words[^1]}\"";

    public static void WriteSchema(Utf8JsonWriter json, IEnumerable<string> words)
    {
        json.WriteStartArray("enum");
        foreach (string word in words) json.WriteStringValue(word);
        json.WriteEndArray();
    }
}

/// <summary>One of a few words, of which a rule says later what is wrong with others.</summary>
internal sealed class WordKind(params (string Word, string Remark)[] words) : StringKind<string>(Words.Enumerate([.. words.Select(one => one.Word)]))
{
    public override string Choices { get; } = Words.List(words);

    public override void WriteSchema(Utf8JsonWriter json) => Words.WriteSchema(json, words.Select(one => one.Word));

    protected override string Show(string value) => value;

    protected override bool TryRead(ValueSyntax syntax, string? text, out string value, ref string? hint)
    {
        value = text ?? "";
        return text is not null;
    }
}

/// <summary>One of a few words.</summary>
internal sealed class ChoiceKind<T>(params (string Word, T Value, string Remark)[] choices)
    : StringKind<T>(Words.Enumerate([.. choices.Select(choice => choice.Word)]))
    where T : struct
{
    public override string Choices { get; } = Words.List(choices.Select(choice => (choice.Word, choice.Remark)));

    public override void WriteSchema(Utf8JsonWriter json) => Words.WriteSchema(json, choices.Select(choice => choice.Word));

    protected override string Show(T value) => choices.First(choice => Equals(choice.Value, value)).Word;

    protected override bool TryRead(ValueSyntax syntax, string? text, out T value, ref string? hint)
    {
        value = default!;
        if (text is null) return false;
        foreach ((string word, T meaning, _) in choices)
        {
            if (word != text) continue;
            value = meaning;
            return true;
        }

        // "warn" begins one word and no other.
        string[] begun = [.. choices.Select(choice => choice.Word).Where(word => text.Length > 1 && word.StartsWith(text, StringComparison.OrdinalIgnoreCase))];
        if ((begun is [var only] ? only : NearestName.Of(text, choices.Select(choice => choice.Word))) is { } nearest) hint = $"\"{nearest}\"";
        return false;
    }
}

/// <summary>A list of strings, each accepted by a predicate; of at least one, unless it may be empty.</summary>
internal sealed class TextListKind(string expected, Predicate<string> accepts, bool mayBeEmpty, Func<string, string?>? suggest = null)
    : CompositeKind<IReadOnlyList<string>>($"a list of {expected}")
{
    public override string ToToml(IReadOnlyList<string> value) => $"[{string.Join(", ", value.Select(ValueText.ToToml))}]";

    public override void WriteJson(Utf8JsonWriter json, IReadOnlyList<string> value)
    {
        json.WriteStartArray();
        foreach (string text in value) json.WriteStringValue(text);
        json.WriteEndArray();
    }

    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteString("type", "array");
        if (!mayBeEmpty) json.WriteNumber("minItems", 1);
        json.WriteStartObject("items");
        json.WriteString("type", "string");
        json.WriteEndObject();
    }

    public override bool AreEqual(object? one, object? other) =>
        one is IReadOnlyList<string> texts && other is IReadOnlyList<string> others ? texts.SequenceEqual(others, StringComparer.Ordinal) : Equals(one, other);

    public override bool TryRead(TomlEntry entry, BindContext context, out IReadOnlyList<string> value)
    {
        value = [];
        if (entry.Node is not TomlScalar { Syntax: ArraySyntax array } scalar || (array.Items.ChildrenCount == 0 && !mayBeEmpty))
        {
            string? hint = entry.Node is TomlScalar { Syntax: StringValueSyntax { Value: { } single } } && accepts(single)
                ? $"[{ValueText.Quote(single)}]"
                : null;
            Reject(entry, null, hint, context);
            return false;
        }

        var texts = new List<string>(array.Items.ChildrenCount);
        foreach (ArrayItemSyntax item in array.Items)
        {
            SourcePosition position = scalar.Position with { Line = item.Span.Start.Line + 1, Column = item.Span.Start.Column + 1 };
            if (item.Value is not StringValueSyntax literal) context.Errors.Add(position, $"\"{entry.Name}\" expects {Expected}; an item is something else");
            else if (!EnvironmentText.TryExpand(literal, position, context, out string text)) continue;
            else if (!accepts(text)) context.Errors.Add(position, $"\"{entry.Name}\" expects {Expected}; found {ValueText.Quote(text)}{Meant(text)}");
            else texts.Add(text);
        }

        value = texts;
        return texts.Count == array.Items.ChildrenCount;
    }

    private string Meant(string text) => suggest?.Invoke(text) is { } meant ? $"; did you mean {meant}?" : "";
}

/// <summary>An address to listen at.</summary>
internal sealed class AddressKind() : StringKind<ListenAddress>(ListenAddress.Expected)
{
    protected override string Show(ListenAddress value) => value.Text;

    protected override bool TryRead(ValueSyntax syntax, string? text, out ListenAddress value, ref string? hint)
    {
        value = null!;
        if (text is null) return false;
        if (ListenAddress.TryParse(text, out value)) return true;
        if (ListenAddress.IsPathTooLong(text))
        {
            hint = $"a shorter path? A socket's has {ListenAddress.LongestUnixPath} bytes at most, and this one has more";
            return false;
        }

        // A bare port, host or path is the usual slip; a star means all addresses.
        string all = text.StartsWith('*') ? "0.0.0.0" : "127.0.0.1";
        if (ListenAddress.TryParse($"{all}:{text.TrimStart('*').TrimStart(':')}", out ListenAddress guess) && !text.Contains('.')) hint = $"\"{guess.Text}\"";
        else if (ListenAddress.TryParse($"{text}:1883", out guess) && text.Contains('.')) hint = $"\"{guess.Text}\"";
        else if (ListenAddress.TryParse($"unix:{text}", out guess)) hint = $"\"{guess.Text}\"";
        return false;
    }
}

/// <summary>Another kind, whose values keep their places.</summary>
internal sealed class LocatedKind<T>(ValueKind<T> kind) : CompositeKind<Located<T>>(kind.Expected)
{
    public override string? Choices => kind.Choices;

    public override bool IsSecret => kind.IsSecret;

    public override string ToToml(Located<T> value) => kind.ToToml(value.Value);

    public override void WriteJson(Utf8JsonWriter json, Located<T> value) => kind.WriteJson(json, value.Value);

    public override void WriteSchema(Utf8JsonWriter json) => kind.WriteSchema(json);

    public override bool AreEqual(object? one, object? other) =>
        one is Located<T> located && other is Located<T> elsewhere ? kind.AreEqual(located.Value, elsewhere.Value) : Equals(one, other);

    public override bool TryRead(TomlEntry entry, BindContext context, out Located<T> value)
    {
        value = null!;
        if (!kind.TryRead(entry, context, out T plain)) return false;
        value = new Located<T>(plain, entry.Node.Position);
        return true;
    }
}

/// <summary>Where a secret is kept, which is never the configuration itself; one of the two is named.</summary>
/// <param name="File">A file, as written.</param>
/// <param name="Variable">An environment variable.</param>
/// <param name="Position">Where the name stands.</param>
internal sealed record SecretSource(string? File, string? Variable, SourcePosition Position);

/// <summary>
/// A secret by its place: <c>{ file = "..." }</c> or <c>{ env = "NAME" }</c>. Written out it would be in every backup and every mail with the file. What is
/// shown of it is the place as well.
/// </summary>
internal sealed class SecretKind() : CompositeKind<SecretSource>("{ file = \"...\" } or { env = \"NAME\" }")
{
    private const string InFile = "file";
    private const string InEnvironment = "env";

    private static readonly TextKind Place = new("a file or the name of an environment variable", text => text.Length > 0 && !text.Contains('\0'));

    public override bool IsSecret => true;

    public override string ToToml(SecretSource value) =>
        value.File is null ? $"{{ {InEnvironment} = {Place.ToToml(value.Variable!)} }}" : $"{{ {InFile} = {Place.ToToml(value.File)} }}";

    public override void WriteJson(Utf8JsonWriter json, SecretSource value)
    {
        json.WriteStartObject();
        json.WriteString(value.File is null ? InEnvironment : InFile, value.File ?? value.Variable);
        json.WriteEndObject();
    }

    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteString("type", "object");
        json.WriteBoolean("additionalProperties", false);
        json.WriteNumber("minProperties", 1);
        json.WriteNumber("maxProperties", 1);
        json.WriteStartObject("properties");
        foreach (string name in (string[])[InFile, InEnvironment])
        {
            json.WriteStartObject(name);
            Place.WriteSchema(json);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    public override bool AreEqual(object? one, object? other) =>
        one is SecretSource source && other is SecretSource elsewhere
            ? (source.File, source.Variable) == (elsewhere.File, elsewhere.Variable)
            : Equals(one, other);

    public override bool TryRead(TomlEntry entry, BindContext context, out SecretSource value)
    {
        value = null!;
        if (entry.Node is not TomlTable { Entries: [{ Name: InFile or InEnvironment } place] })
        {
            // Not shown: what stands here instead may be the secret.
            context.Errors.Add(entry.Node.Position, $"\"{entry.Name}\" expects {Expected}; a secret does not stand in the configuration itself");
            return false;
        }

        if (!Place.TryRead(place, context, out string text)) return false;
        value = place.Name == InFile ? new SecretSource(text, null, place.Node.Position) : new SecretSource(null, text, place.Node.Position);
        return true;
    }
}
