using System.Buffers;
using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bench;

/// <summary>The payload of a SUBSCRIBE.</summary>
internal static class FilterPayload
{
    /// <summary>Encodes filters, all with the same QoS.</summary>
    public static byte[] Encode(IEnumerable<string> filters, QoS qos)
    {
        var payload = new ArrayBufferWriter<byte>();
        foreach (string filter in filters) SubscribePacket.AppendFilter(payload, Encoding.UTF8.GetBytes(filter), new SubscriptionOptions(qos));
        return payload.WrittenSpan.ToArray();
    }
}
