using Tomlyn.Syntax;

namespace EdgeBroker.Configuration;

/// <summary>Another kind, whose values keep their places.</summary>
internal sealed class LocatedKind<T>(ValueKind<T> kind) : ValueKind<Located<T>>(kind.Expected)
{
    public override bool TryRead(TomlEntry entry, BindContext context, out Located<T> value)
    {
        value = null!;
        if (!kind.TryRead(entry, context, out T plain)) return false;
        value = new Located<T>(plain, entry.Node.Position);
        return true;
    }

    protected override bool TryRead(ValueSyntax syntax, string? text, out Located<T> value, ref string? hint) => throw new NotSupportedException();
}
