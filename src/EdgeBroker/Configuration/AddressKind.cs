using Tomlyn.Syntax;

namespace EdgeBroker.Configuration;

/// <summary>An address to listen at.</summary>
internal sealed class AddressKind() : ValueKind<ListenAddress>(ListenAddress.Expected)
{
    protected override bool TryRead(ValueSyntax syntax, string? text, out ListenAddress value, ref string? hint)
    {
        value = null!;
        if (text is null) return false;
        if (ListenAddress.TryParse(text, out value)) return true;
        // A bare port or path is the usual slip.
        if (ListenAddress.TryParse($"127.0.0.1:{text.TrimStart(':', '*')}", out ListenAddress guess) && !text.Contains('.')) hint = $"\"{guess.Text}\"";
        else if (ListenAddress.TryParse($"unix:{text}", out guess)) hint = $"\"{guess.Text}\"";
        return false;
    }
}
