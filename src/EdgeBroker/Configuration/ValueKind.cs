using Tomlyn.Syntax;

namespace EdgeBroker.Configuration;

/// <summary>A kind of value: what it looks like, and how it is read. Every misfit is answered in one form, so that all errors read alike.</summary>
internal abstract class ValueKind<T>(string expected)
{
    /// <summary>What a person should write: completes "expects".</summary>
    public string Expected { get; } = expected;

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
        string suffix = hint is null ? "" : $"; did you mean {hint}?";
        context.Errors.Add(entry.Node.Position, $"\"{entry.Name}\" expects {Expected}; found {found}{suffix}");
    }

    /// <summary>Reads the value; <paramref name="text"/> is that of a string, with the environment's values in place, and null for all else.</summary>
    protected abstract bool TryRead(ValueSyntax syntax, string? text, out T value, ref string? hint);
}
