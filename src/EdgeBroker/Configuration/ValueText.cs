using Tomlyn.Syntax;

namespace EdgeBroker.Configuration;

/// <summary>Shows a value in an error: short, and on one line whatever it holds.</summary>
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

    private static string Cut(string text) =>
        Printable.Escape(text.Length <= Longest ? text : string.Concat(text.AsSpan(0, Longest), "..."));
}
