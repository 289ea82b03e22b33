using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Security;

/// <summary>
/// How the sets of topics that two filters match lie to one another. Both filters are valid and without <c>$share/group/</c>; both answers are exact, take time
/// linear in the filters and allocate nothing. A topic name is a filter that matches itself.
/// </summary>
public static class FilterRelation
{
    /// <summary>Whether every topic <paramref name="narrow"/> matches is matched by <paramref name="wide"/>.</summary>
    public static bool Covers(ReadOnlySpan<byte> wide, ReadOnlySpan<byte> narrow)
    {
        if (StartsWild(wide) && TopicName.IsReserved(narrow)) return false;
        // A topic has at least one level, so below the root "+/#" says no less than "#".
        if (wide.SequenceEqual("+/#"u8)) return true;
        while (true)
        {
            ReadOnlySpan<byte> outer = CutLevel(ref wide, out bool wideEnds);
            if (outer is [(byte)'#']) return true;
            ReadOnlySpan<byte> inner = CutLevel(ref narrow, out bool narrowEnds);
            if (inner is [(byte)'#']) return false;
            if (outer is not [(byte)'+'] && !outer.SequenceEqual(inner)) return false;
            // "a/#" covers "a" (4.7.1.2).
            if (narrowEnds) return wideEnds || wide is [(byte)'#'];
            if (wideEnds) return false;
        }
    }

    /// <summary>Whether some topic is matched by both.</summary>
    public static bool Overlaps(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other)
    {
        if ((StartsWild(one) && TopicName.IsReserved(other)) || (StartsWild(other) && TopicName.IsReserved(one))) return false;
        while (true)
        {
            ReadOnlySpan<byte> left = CutLevel(ref one, out bool oneEnds);
            ReadOnlySpan<byte> right = CutLevel(ref other, out bool otherEnds);
            if (left is [(byte)'#'] || right is [(byte)'#']) return true;
            if (left is not [(byte)'+'] && right is not [(byte)'+'] && !left.SequenceEqual(right)) return false;
            if (oneEnds) return otherEnds || other is [(byte)'#'];
            if (otherEnds) return one is [(byte)'#'];
        }
    }

    private static bool StartsWild(ReadOnlySpan<byte> filter) => !filter.IsEmpty && filter[0] is (byte)'#' or (byte)'+';

    private static ReadOnlySpan<byte> CutLevel(ref ReadOnlySpan<byte> text, out bool isLast)
    {
        int slash = text.IndexOf(TopicName.Separator);
        isLast = slash < 0;
        ReadOnlySpan<byte> level = isLast ? text : text[..slash];
        text = isLast ? default : text[(slash + 1)..];
        return level;
    }
}
