using Tomlyn.Syntax;

namespace EdgeBroker.Configuration;

/// <summary>A list of strings, each accepted by a predicate; of at least one, unless it may be empty.</summary>
internal sealed class TextListKind(string expected, Predicate<string> accepts, bool mayBeEmpty = false) : ValueKind<IReadOnlyList<string>>($"a list of {expected}")
{
    public override bool TryRead(TomlEntry entry, BindContext context, out IReadOnlyList<string> value)
    {
        value = [];
        if (entry.Node is not TomlScalar { Syntax: ArraySyntax array } scalar || (array.Items.ChildrenCount == 0 && !mayBeEmpty))
        {
            string? hint = entry.Node is TomlScalar { Syntax: StringValueSyntax { Value: { } single } } && accepts(single) ? $"[{ValueText.Quote(single)}]" : null;
            Reject(entry, null, hint, context);
            return false;
        }

        var texts = new List<string>(array.Items.ChildrenCount);
        foreach (ArrayItemSyntax item in array.Items)
        {
            SourcePosition position = scalar.Position with { Line = item.Span.Start.Line + 1, Column = item.Span.Start.Column + 1 };
            if (item.Value is not StringValueSyntax literal) context.Errors.Add(position, $"\"{entry.Name}\" expects {Expected}; an item is something else");
            else if (!EnvironmentText.TryExpand(literal, position, context, out string text)) continue;
            else if (!accepts(text)) context.Errors.Add(position, $"\"{entry.Name}\" expects {Expected}; found {ValueText.Quote(text)}");
            else texts.Add(text);
        }

        value = texts;
        return texts.Count == array.Items.ChildrenCount;
    }

    protected override bool TryRead(ValueSyntax syntax, string? text, out IReadOnlyList<string> value, ref string? hint) => throw new NotSupportedException();
}
