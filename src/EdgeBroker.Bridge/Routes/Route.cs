using System.Globalization;
using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bridge.Routes;

/// <summary>One direction of a route, ready to be asked about each message.</summary>
/// <param name="options">What is configured.</param>
/// <param name="map">From the topic as it comes to the topic as it goes.</param>
/// <param name="isOutward">Whether it leads out.</param>
internal sealed class Route(RouteOptions options, TopicMap map, bool isOutward)
{
    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;
    private readonly byte[][] _exclude = [.. options.Exclude.Select(Encoding.UTF8.GetBytes)];

    /// <summary>What is configured.</summary>
    public RouteOptions Options => options;

    /// <summary>The filter of the topics it carries, where they come from.</summary>
    public ReadOnlySpan<byte> Filter => map.Source;

    /// <summary>Whether it carries this topic.</summary>
    public bool Matches(ReadOnlySpan<byte> topic) => map.Matches(topic);

    /// <summary>The topic it becomes; null: the message is not carried.</summary>
    /// <param name="topic">The topic as it comes.</param>
    /// <param name="payloadBytes">The length of the payload.</param>
    public RoutedTopic? Carry(ReadOnlySpan<byte> topic, int payloadBytes)
    {
        if (isOutward && IsExcluded(topic)) return null;
        byte[]? mapped = map.Map(topic);
        if (mapped is null || (!isOutward && IsExcluded(mapped))) return null;
        return new RoutedTopic(options, mapped, FindExcess(isOutward ? mapped : topic, payloadBytes));
    }

    private string? FindExcess(ReadOnlySpan<byte> remoteTopic, int payloadBytes)
    {
        if (payloadBytes > options.MaximumPayloadBytes) return string.Create(Invariant, $"{payloadBytes} bytes, and {options.MaximumPayloadBytes} may go");
        if (!isOutward) return null;
        if (remoteTopic.Length > options.MaximumTopicBytes)
        {
            return string.Create(Invariant, $"a topic of {remoteTopic.Length} bytes, and the other side takes {options.MaximumTopicBytes}");
        }

        int levels = remoteTopic.Count((byte)'/') + 1;
        return levels > options.MaximumTopicLevels
            ? string.Create(Invariant, $"a topic of {levels} levels, and the other side takes {options.MaximumTopicLevels}")
            : null;
    }

    private bool IsExcluded(ReadOnlySpan<byte> localTopic)
    {
        foreach (byte[] filter in _exclude)
        {
            if (TopicFilter.Matches(filter, localTopic)) return true;
        }

        return false;
    }
}
