using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Topics;

/// <summary>Steps through the levels of a topic or filter.</summary>
internal static class TopicLevels
{
    /// <summary>Cuts the first level off; <paramref name="isLast"/> when nothing follows it.</summary>
    public static ReadOnlySpan<byte> Cut(ReadOnlySpan<byte> topic, out ReadOnlySpan<byte> rest, out bool isLast)
    {
        int slash = topic.IndexOf(TopicName.Separator);
        isLast = slash < 0;
        rest = isLast ? default : topic[(slash + 1)..];
        return isLast ? topic : topic[..slash];
    }

    public static bool IsSingleWildcard(ReadOnlySpan<byte> level) => level.Length == 1 && level[0] == (byte)'+';

    public static bool IsMultiWildcard(ReadOnlySpan<byte> level) => level.Length == 1 && level[0] == (byte)'#';
}
