using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Messages;
using EdgeBroker.Coap.Resources;
using EdgeBroker.Core.Messages;
using EdgeBroker.Protocol;

namespace EdgeBroker.Coap.Gateway;

// FETCH (RFC 8132): the values of several topics in one exchange, for who would have to wake up its radio for each.
internal sealed partial class TopicResource
{
    private const int MostFetched = 64;

    /// <summary>Answers a request to <c>/ps</c> itself, which has no topic.</summary>
    private void HandleRoot(PendingRequest pending)
    {
        CoapRequest request = pending.Request;
        if (request.Method != CoapCode.Fetch)
        {
            pending.Refuse(CoapCode.MethodNotAllowed, "/ps takes FETCH; a topic is /ps/LEVEL/LEVEL");
        }
        else if (!TopicQuery.TryRead(request.Query, out TopicQuery query, out string why))
        {
            pending.Refuse(CoapCode.BadRequest, why);
        }
        else if (request.ContentFormat != ContentFormats.Cbor)
        {
            pending.Refuse(CoapCode.UnsupportedContentFormat, "FETCH takes CBOR: Content-Format 60");
        }
        else if (request.Accept is { } accept && accept != ContentFormats.Cbor)
        {
            pending.Refuse(CoapCode.NotAcceptable, "several topics come as CBOR: Accept 60");
        }
        else if (!CborTextArray.TryRead(request.Payload, MostFetched, out List<byte[]> topics) || !topics.TrueForAll(IsTopic))
        {
            pending.Refuse(CoapCode.UnprocessableEntity, $"FETCH takes an array of at most {MostFetched} topics without wildcards");
        }
        else
        {
            door.Enter(pending, query, (one, client) => Fetch(one, client, topics));
        }
    }

    private static bool IsTopic(byte[] topic) => Utf8Text.IsValid(topic) && topic.Length <= ushort.MaxValue && TopicName.IsValid(topic);

    private void Fetch(PendingRequest pending, CoapClient client, List<byte[]> topics)
    {
        var values = new List<byte[]>();
        uint maxAge = MessageContent.DefaultMaxAge;
        long bytes = 0;
        foreach (byte[] topic in topics)
        {
            int most = client.Server.Layer.Limits.MaxBodyBytes;
            ReasonCode reason = client.Publisher.TryReadRetained(topic, out Message? message, most);
            if (reason is not (ReasonCode.Success or ReasonCode.PacketTooLarge))
            {
                pending.Refuse(CoapCode.Forbidden, "not permitted to read one of these topics");
                return;
            }

            // What has no value is left out.
            byte[] value = message is null ? [] : MessageContent.ToEntry(message);
            bytes += value.Length;
            if (reason == ReasonCode.PacketTooLarge || bytes > most)
            {
                pending.Refuse(CoapCode.UnprocessableEntity, "these values together are too long: fetch fewer");
                return;
            }

            if (message is null) continue;
            values.Add(value);
            if (message.RemainingExpirySeconds(broker.Clock.NowMs) is { } left) maxAge = Math.Min(maxAge, left);
        }

        pending.Respond(new CoapResponse(CoapCode.Content) { ContentFormat = ContentFormats.Cbor, MaxAge = maxAge, Payload = CborMap.ArrayOf(values) });
    }
}
