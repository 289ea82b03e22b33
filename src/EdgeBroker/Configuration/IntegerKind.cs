using Tomlyn.Syntax;

namespace EdgeBroker.Configuration;

/// <summary>A whole number within bounds.</summary>
internal sealed class IntegerKind(int min, int max) : ValueKind<int>($"a whole number from {min} to {max}")
{
    protected override bool TryRead(ValueSyntax syntax, string? text, out int value, ref string? hint)
    {
        value = 0;
        if (syntax is not IntegerValueSyntax integer || integer.Value < min || integer.Value > max) return false;
        value = (int)integer.Value;
        return true;
    }
}
