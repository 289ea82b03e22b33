using Tomlyn.Syntax;

namespace EdgeBroker.Configuration;

/// <summary>A string that a predicate accepts.</summary>
internal sealed class TextKind(string expected, Predicate<string> accepts) : ValueKind<string>(expected)
{
    protected override bool TryRead(ValueSyntax syntax, string? text, out string value, ref string? hint)
    {
        value = text ?? "";
        return text is not null && accepts(text);
    }
}
