using Tomlyn.Syntax;

namespace EdgeBroker.Configuration;

/// <summary>A secret by its place: <c>{ file = "..." }</c> or <c>{ env = "NAME" }</c>. Written out it would be in every backup and every mail with the
/// file.</summary>
internal sealed class SecretKind() : ValueKind<SecretSource>("{ file = \"...\" } or { env = \"NAME\" }")
{
    private static readonly TextKind Text = new("a file or the name of an environment variable", text => text.Length > 0 && !text.Contains('\0'));

    public override bool TryRead(TomlEntry entry, BindContext context, out SecretSource value)
    {
        value = null!;
        if (entry.Node is not TomlTable { Entries: [{ Name: "file" or "env" } place] })
        {
            // Not shown: what stands here instead may be the secret.
            context.Errors.Add(entry.Node.Position, $"\"{entry.Name}\" expects {Expected}; a secret does not stand in the configuration itself");
            return false;
        }

        if (!Text.TryRead(place, context, out string text)) return false;
        value = place.Name == "file" ? new SecretSource(text, null, place.Node.Position) : new SecretSource(null, text, place.Node.Position);
        return true;
    }

    protected override bool TryRead(ValueSyntax syntax, string? text, out SecretSource value, ref string? hint) => throw new NotSupportedException();
}
