namespace EdgeBroker.Protocol;

/// <summary>The grammar of topic filters (4.7.1) and shared subscription filters (4.8.2).</summary>
public static class TopicFilter
{
    private static ReadOnlySpan<byte> SharePrefix => "$share/"u8;

    /// <summary>Whether <paramref name="filter"/> asks for a shared subscription.</summary>
    public static bool IsShared(ReadOnlySpan<byte> filter) => filter.StartsWith(SharePrefix);

    /// <summary>
    /// Whether valid UTF-8 <paramref name="filter"/> is a topic filter: at least one character, <c>+</c> alone in its level, <c>#</c> alone in the
    /// last one; behind <c>$share/</c> a share name of at least one character without wildcards, <c>/</c> and a filter.
    /// </summary>
    public static bool IsValid(ReadOnlySpan<byte> filter) =>
        IsShared(filter) ? TrySplitShared(filter, out _, out _) : IsPlainFilter(filter);

    /// <summary>Splits <c>$share/group/filter</c>; false when it is not of that form.</summary>
    public static bool TrySplitShared(ReadOnlySpan<byte> shared, out ReadOnlySpan<byte> group, out ReadOnlySpan<byte> filter)
    {
        group = default;
        filter = default;
        if (!IsShared(shared)) return false;
        ReadOnlySpan<byte> rest = shared[SharePrefix.Length..];
        int slash = rest.IndexOf(TopicName.Separator);
        if (slash <= 0) return false;
        group = rest[..slash];
        filter = rest[(slash + 1)..];
        return group.IndexOfAny((byte)'+', (byte)'#') < 0 && IsPlainFilter(filter);
    }

    /// <summary>
    /// Whether a topic matches a filter that is not shared (4.7): for one filter at a time. The broker's subscription tree, which answers for all at once, is
    /// tested against it.
    /// </summary>
    public static bool Matches(ReadOnlySpan<byte> filter, ReadOnlySpan<byte> topic)
    {
        // A leading wildcard does not meet topics that begin with $ [MQTT-4.7.2-1].
        if (filter.IsEmpty || (TopicName.IsReserved(topic) && filter[0] is (byte)'#' or (byte)'+')) return false;
        while (true)
        {
            ReadOnlySpan<byte> wanted = CutLevel(ref filter, out bool filterEnds);
            if (wanted is [(byte)'#']) return true;
            ReadOnlySpan<byte> level = CutLevel(ref topic, out bool topicEnds);
            if (wanted is not [(byte)'+'] && !wanted.SequenceEqual(level)) return false;
            // "a/#" matches "a" as well (4.7.1.2).
            if (topicEnds) return filterEnds || filter is [(byte)'#'];
            if (filterEnds) return false;
        }
    }

    private static ReadOnlySpan<byte> CutLevel(ref ReadOnlySpan<byte> text, out bool isLast)
    {
        int slash = text.IndexOf(TopicName.Separator);
        isLast = slash < 0;
        ReadOnlySpan<byte> level = isLast ? text : text[..slash];
        text = isLast ? default : text[(slash + 1)..];
        return level;
    }

    private static bool IsPlainFilter(ReadOnlySpan<byte> filter)
    {
        if (filter.IsEmpty) return false;
        for (int i = 0; i < filter.Length; i++)
        {
            if (filter[i] is not ((byte)'+' or (byte)'#')) continue;
            bool startsLevel = i == 0 || filter[i - 1] == TopicName.Separator;
            bool endsFilter = i == filter.Length - 1;
            bool endsLevel = endsFilter || (filter[i] == (byte)'+' && filter[i + 1] == TopicName.Separator);
            if (!startsLevel || !endsLevel) return false;
        }

        return true;
    }
}
