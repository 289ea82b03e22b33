using System.Text;

namespace EdgeBroker.Protocol.Scram;

/// <summary>
/// SASLprep (RFC 4013), which gives user names and passwords one form whatever keyboard they come from: for all text that needs no normalisation. What does -
/// ligatures, full-width letters, letters with their accents apart - is refused and not guessed, and so is what the RFC prohibits and what Unicode 3.2 does not
/// know. So the answer is never another one than the RFC's; it may be that there is none.
/// </summary>
public static class SaslPrep
{
    /// <summary>Prepares a name or password; does not allocate for printable ASCII.</summary>
    /// <param name="text">The text as typed.</param>
    /// <param name="prepared">The prepared text; empty on failure.</param>
    /// <returns>False when it is empty, or holds what is prohibited or would need normalisation.</returns>
    public static bool TryPrepare(string text, out string prepared)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            prepared = text;
            return text.Length > 0;
        }

        prepared = "";
        var built = new StringBuilder(text.Length);
        bool hasRightToLeft = false;
        ReadOnlySpan<char> rest = text;
        while (!rest.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(rest, out Rune rune, out int taken) != System.Buffers.OperationStatus.Done) return false;
            rest = rest[taken..];
            if (IsMappedToNothing(rune.Value)) continue;
            Rune mapped = IsMappedToSpace(rune.Value) ? new Rune(' ') : rune;
            if (!IsUnchanged(mapped.Value)) return false;
            hasRightToLeft |= IsRightToLeft(mapped.Value);
            built.Append(mapped.ToString());
        }

        string result = built.ToString();
        if (result.Length == 0 || (hasRightToLeft && !MayStandTogether(result))) return false;
        prepared = result;
        return true;
    }

    // RFC 3454, table B.1; U+200B is in C.1.2 as well, so it has no one meaning and is left to be refused.
    private static bool IsMappedToNothing(int codePoint) =>
        codePoint is 0xAD or 0x34F or 0x1806 or (>= 0x180B and <= 0x180D) or 0x200C or 0x200D or 0x2060 or (>= 0xFE00 and <= 0xFE0F) or 0xFEFF;

    // RFC 3454, table C.1.2.
    private static bool IsMappedToSpace(int codePoint) => codePoint is 0xA0 or 0x1680 or (>= 0x2000 and <= 0x200A) or 0x202F or 0x205F or 0x3000;

    private static bool IsUnchanged(int codePoint) => codePoint < 0x80 ? codePoint is >= ' ' and <= '~' : IsWithin(SaslPrepTables.Unchanged, codePoint);

    private static bool IsRightToLeft(int codePoint) => codePoint >= 0x80 && IsWithin(SaslPrepTables.RightToLeft, codePoint);

    /// <summary>
    /// RFC 3454, section 6: text with letters that run from right to left begins and ends with one and holds none that run from left to right. Beside the
    /// former only ASCII that is no letter is taken.
    /// </summary>
    private static bool MayStandTogether(string text)
    {
        Rune last = default;
        bool isFirst = true;
        foreach (Rune rune in text.EnumerateRunes())
        {
            bool isRightToLeft = IsRightToLeft(rune.Value);
            if (isFirst && !isRightToLeft) return false;
            if (!isRightToLeft && (!rune.IsAscii || char.IsAsciiLetter((char)rune.Value))) return false;
            isFirst = false;
            last = rune;
        }

        return IsRightToLeft(last.Value);
    }

    /// <param name="ranges">First and last of each range, in order.</param>
    /// <param name="codePoint">What is looked for.</param>
    private static bool IsWithin(ReadOnlySpan<int> ranges, int codePoint)
    {
        int place = ranges.BinarySearch(codePoint);
        // A bound itself, or behind a first and before its last.
        return place >= 0 || (~place & 1) == 1;
    }
}
