using System.Diagnostics;
using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Telemetry;

/// <summary>The trace a client's message belongs to: its user properties <c>traceparent</c> and <c>tracestate</c> (W3C Trace Context, 3.2 and 3.3).</summary>
internal static class TraceParent
{
    // What every vendor has to let through (3.3.1.1); longer ones may be left out.
    private const int LongestState = 512;

    /// <summary>Finds it among the properties of a message.</summary>
    /// <param name="encoded">The properties as they came.</param>
    /// <returns>The default: there is none, or not one that can be read.</returns>
    public static ActivityContext Find(ReadOnlySpan<byte> encoded)
    {
        if (encoded.IndexOf("traceparent"u8) < 0 || !PropertyBlock.TryRead(encoded, out PropertyBlock properties)) return default;
        string? parent = null;
        string? state = null;
        foreach (Property property in properties)
        {
            if (property.Id != PropertyId.UserProperty) continue;
            if (property.Name.SequenceEqual("traceparent"u8))
            {
                // Which of two would be meant?
                if (parent is not null) return default;
                parent = Encoding.UTF8.GetString(property.Value[..Math.Min(property.Value.Length, LongestState)]);
            }
            else if (property.Name.SequenceEqual("tracestate"u8) && property.Value.Length <= LongestState)
            {
                state = Encoding.UTF8.GetString(property.Value);
            }
        }

        return parent is not null && ActivityContext.TryParse(parent, state, isRemote: true, out ActivityContext context) ? context : default;
    }
}
