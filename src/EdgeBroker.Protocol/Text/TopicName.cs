namespace EdgeBroker.Protocol;

/// <summary>The grammar of topic names (4.7). Text is UTF-8 throughout; nothing is normalised [MQTT-4.7.3-4].</summary>
public static class TopicName
{
    /// <summary>The byte between two levels.</summary>
    public const byte Separator = (byte)'/';

    /// <summary>Whether valid UTF-8 <paramref name="topic"/> is a topic name: at least one character, no wildcard.</summary>
    public static bool IsValid(ReadOnlySpan<byte> topic) => !topic.IsEmpty && topic.IndexOfAny((byte)'+', (byte)'#') < 0;

    /// <summary>Number of levels: one more than separators.</summary>
    public static int CountLevels(ReadOnlySpan<byte> topic) => topic.Count(Separator) + 1;

    /// <summary>Whether <paramref name="topic"/> begins with <c>$</c>, which keeps it from filters that begin with a wildcard [MQTT-4.7.2-1].</summary>
    public static bool IsReserved(ReadOnlySpan<byte> topic) => !topic.IsEmpty && topic[0] == (byte)'$';
}
