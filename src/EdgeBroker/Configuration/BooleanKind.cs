using Tomlyn.Syntax;

namespace EdgeBroker.Configuration;

/// <summary>true or false.</summary>
internal sealed class BooleanKind() : ValueKind<bool>("true or false")
{
    protected override bool TryRead(ValueSyntax syntax, string? text, out bool value, ref string? hint)
    {
        value = syntax is BooleanValueSyntax { Value: true };
        return syntax is BooleanValueSyntax;
    }
}
