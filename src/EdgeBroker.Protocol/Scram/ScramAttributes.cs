using System.Globalization;

namespace EdgeBroker.Protocol.Scram;

/// <summary>Walks the attributes of a SCRAM message, <c>x=value</c> between commas, in the order the message has to have them (RFC 5802, 7).</summary>
/// <param name="text">What is left to be read.</param>
internal ref struct ScramAttributes(ReadOnlySpan<char> text)
{
    private ReadOnlySpan<char> _rest = text;
    private bool _isAtEnd;

    /// <summary>Takes the next attribute, when it has this name and a value.</summary>
    public bool TryTake(char name, out ReadOnlySpan<char> value)
    {
        value = default;
        if (_isAtEnd || _rest.Length < 3 || _rest[0] != name || _rest[1] != '=') return false;
        int comma = _rest.IndexOf(',');
        value = comma < 0 ? _rest[2..] : _rest[2..comma];
        _isAtEnd = comma < 0;
        _rest = comma < 0 ? default : _rest[(comma + 1)..];
        return !value.IsEmpty;
    }

    /// <summary>Whether the message goes on with an extension that must not be passed over.</summary>
    public readonly bool IsMandatoryExtension => !_isAtEnd && _rest.StartsWith("m=");

    /// <summary>Steps over the optional extensions up to the end; false when something else stands there, a mandatory one included.</summary>
    public bool SkipExtensions()
    {
        while (!_isAtEnd)
        {
            if (_rest.IsEmpty || !char.IsAsciiLetter(_rest[0]) || _rest[0] == 'm' || !TryTake(_rest[0], out _)) return false;
        }

        return true;
    }

    /// <summary>Whether this can be a nonce: printable ASCII but for the comma, of a bounded length.</summary>
    public static bool IsNonce(ReadOnlySpan<char> value, int maxLength) =>
        !value.IsEmpty && value.Length <= maxLength && !value.ContainsAnyExceptInRange('!', '~') && !value.Contains(',');

    /// <summary>Decodes base64 in its one canonical form; null when it is another, or of another length.</summary>
    public static byte[]? Decode(ReadOnlySpan<char> base64, int minBytes, int maxBytes)
    {
        if (base64.Length > 4 * ((maxBytes + 2) / 3)) return null;
        Span<byte> bytes = stackalloc byte[3 * (base64.Length / 4) + 3];
        if (!Convert.TryFromBase64Chars(base64, bytes, out int written) || written < minBytes || written > maxBytes) return null;
        return base64.SequenceEqual(Convert.ToBase64String(bytes[..written])) ? bytes[..written].ToArray() : null;
    }

    /// <summary>Reads a positive number without leading zeros.</summary>
    public static bool TryReadNumber(ReadOnlySpan<char> text, out int number)
    {
        number = 0;
        return !text.IsEmpty && text[0] != '0' && !text.ContainsAnyExceptInRange('0', '9')
            && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }
}
