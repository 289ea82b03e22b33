using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Security;

/// <summary>
/// One topic filter of a rule, in which <c>%u</c> stands for the user name, <c>%c</c> for the client id and <c>%%</c> for a percent sign. A client chooses its
/// id, and so what it puts there: a name that would change the filter's levels or wildcards never widens what is allowed.
/// </summary>
public sealed class AclPattern
{
    private readonly string _text;
    private readonly byte[] _filter;

    /// <param name="text">A text that <see cref="IsValid"/> accepts.</param>
    public AclPattern(string text)
    {
        if (!IsValid(text)) throw new FormatException($"\"{text}\" is not a topic filter of a rule");
        _text = text;
        UsesName = text.Replace("%%", "", StringComparison.Ordinal).Contains('%', StringComparison.Ordinal);
        _filter = UsesName ? [] : Encoding.UTF8.GetBytes(text.Replace("%%", "%", StringComparison.Ordinal));
    }

    /// <summary>Whether it depends on who the client is.</summary>
    public bool UsesName { get; }

    /// <summary>Whether a text is a topic filter once names stand for its <c>%u</c> and <c>%c</c>; other uses of <c>%</c> are not.</summary>
    public static bool IsValid(string text)
    {
        var plain = new StringBuilder(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '%' && (++i == text.Length || text[i] is not ('u' or 'c' or '%'))) return false;
            plain.Append(text[i]);
        }

        byte[] filter = Encoding.UTF8.GetBytes(plain.ToString());
        return filter.Length <= Utf8Text.MaxBytes && Utf8Text.IsValid(filter) && !TopicFilter.IsShared(filter) && TopicFilter.IsValid(filter);
    }

    /// <summary>The filter for one client; null where it does not apply to it.</summary>
    /// <param name="subject">The client.</param>
    /// <param name="allows">
    /// Whether the rule allows. Then a name must be part of one level and no more, or the pattern does not apply; "$" at the start would be another tree. In a
    /// rule that denies, the name stands for exactly what it is; what no topic can hold needs no denying.
    /// </param>
    public byte[]? FilterFor(AclSubject subject, bool allows)
    {
        if (!UsesName) return _filter;
        var filter = new StringBuilder(_text.Length + 32);
        for (int i = 0; i < _text.Length; i++)
        {
            if (_text[i] != '%')
            {
                filter.Append(_text[i]);
                continue;
            }

            string name = _text[++i] switch { 'u' => subject.UserName ?? "", 'c' => subject.ClientId, _ => "%" };
            if (_text[i] != '%' && !Fits(name, atStart: filter.Length == 0, allows)) return null;
            filter.Append(name);
        }

        byte[] bytes = Encoding.UTF8.GetBytes(filter.ToString());
        return bytes.Length is > 0 and <= Utf8Text.MaxBytes ? bytes : null;
    }

    /// <summary>The pattern as written.</summary>
    public override string ToString() => _text;

    private static bool Fits(string name, bool atStart, bool allows)
    {
        if (name.AsSpan().IndexOfAny('+', '#', '\0') >= 0) return false;
        return !allows || (name.Length > 0 && !name.Contains('/', StringComparison.Ordinal) && !(atStart && name[0] == '$'));
    }
}
