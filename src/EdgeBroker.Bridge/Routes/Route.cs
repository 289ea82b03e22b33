using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bridge.Routes;

/// <summary>One direction of a route, ready to be asked about each message.</summary>
/// <param name="options">What is configured.</param>
/// <param name="map">From the topic as it comes to the topic as it goes.</param>
/// <param name="isOutward">Whether it leads out.</param>
internal sealed class Route(RouteOptions options, TopicMap map, bool isOutward)
{
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
    public byte[]? Carry(ReadOnlySpan<byte> topic, int payloadBytes)
    {
        if (payloadBytes > options.MaximumPayloadBytes || (isOutward && IsExcluded(topic))) return null;
        byte[]? mapped = map.Map(topic);
        return mapped is null || (!isOutward && IsExcluded(mapped)) ? null : mapped;
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
