using EdgeBroker.Protocol;

namespace EdgeBroker.Coap.Gateway;

/// <summary>The topic or filter that a path below <c>/ps</c> names: its segments are the levels.</summary>
internal static class TopicPath
{
    /// <summary>Reads the topic of a path; false: it is none.</summary>
    /// <param name="path">The segments, <c>ps</c> first.</param>
    /// <param name="topic">The topic or filter.</param>
    /// <param name="isFilter">Whether it has wildcards.</param>
    /// <param name="why">Where it is none, why not.</param>
    public static bool TryRead(IReadOnlyList<string> path, out string topic, out bool isFilter, out string why)
    {
        topic = "";
        isFilter = false;
        why = "the path ends before a topic: /ps/LEVEL/LEVEL ...";
        if (path.Count < 2) return false;
        // A slash within a segment would make two levels of one.
        why = "a level of the topic holds a slash";
        if (path.Any(segment => segment.Contains('/', StringComparison.Ordinal))) return false;
        topic = string.Join('/', path.Skip(1));
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(topic);
        why = "this is no topic of MQTT";
        if (bytes.Length is 0 or > ushort.MaxValue || !Utf8Text.IsValid(bytes)) return false;
        isFilter = bytes.AsSpan().ContainsAny((byte)'+', (byte)'#');
        if (!isFilter) return TopicName.IsValid(bytes);
        why = "+ and # stand for whole levels, # for the last";
        return TopicFilter.IsValid(bytes);
    }
}
