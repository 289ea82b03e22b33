using Tomlyn.Syntax;

namespace EdgeBroker.Configuration;

/// <summary>One of a few words.</summary>
internal sealed class ChoiceKind<T>(params (string Word, T Value)[] choices) : ValueKind<T>(List(choices))
{
    protected override bool TryRead(ValueSyntax syntax, string? text, out T value, ref string? hint)
    {
        value = default!;
        if (text is null) return false;
        var words = new string[choices.Length];
        for (int i = 0; i < choices.Length; i++)
        {
            if (choices[i].Word == text)
            {
                value = choices[i].Value;
                return true;
            }

            words[i] = choices[i].Word;
        }

        if (NearestName.Of(text, words) is { } nearest) hint = $"\"{nearest}\"";
        return false;
    }

    private static string List((string Word, T Value)[] choices)
    {
        string list = $"\"{choices[0].Word}\"";
        for (int i = 1; i < choices.Length; i++) list += (i == choices.Length - 1 ? " or " : ", ") + $"\"{choices[i].Word}\"";
        return list;
    }
}
