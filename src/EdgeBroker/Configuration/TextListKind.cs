using Tomlyn.Syntax;

namespace EdgeBroker.Configuration;

/// <summary>An array of strings that a predicate accepts; written as they stand, without the environment's values.</summary>
internal sealed class TextListKind(string expected, Predicate<string> accepts) : ValueKind<IReadOnlyList<string>>(expected)
{
    protected override bool TryRead(ValueSyntax syntax, string? text, out IReadOnlyList<string> value, ref string? hint)
    {
        value = [];
        if (syntax is not ArraySyntax array)
            return false;
        var texts = new List<string>(array.Items.ChildrenCount);
        foreach (ArrayItemSyntax item in array.Items)
        {
            if (item.Value is not StringValueSyntax { Value: { } one } || !accepts(one))
                return false;
            texts.Add(one);
        }
        value = texts;
        return true;
    }
}
