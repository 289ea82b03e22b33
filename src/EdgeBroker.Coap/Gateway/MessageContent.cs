using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Messages;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Protocol;

namespace EdgeBroker.Coap.Gateway;

/// <summary>What CoAP says of a payload, as MQTT says it, and back: Content-Format and content type, Max-Age and expiry, ETag.</summary>
internal static class MessageContent
{
    /// <summary>Max-Age of what does not expire: what the RFC means where nothing is said.</summary>
    public const uint DefaultMaxAge = 60;

    /// <summary>The properties of a publish that came with this format; null: none came.</summary>
    public static byte[] PropertiesOf(ushort? format)
    {
        if (format is not { } number) return [];
        PropertyBuilder properties = PropertyBuilder.For(PacketType.Publish, stackalloc byte[128]);
        if (ContentFormats.IsText(number)) properties.Add(PropertyId.PayloadFormatIndicator, 1);
        if (ContentFormats.MediaTypeOf(number) is { } mediaType) properties.Add(PropertyId.ContentType, Encoding.UTF8.GetBytes(mediaType));
        else properties.AddUserProperty("coap-cf"u8, Encoding.UTF8.GetBytes(number.ToString(CultureInfo.InvariantCulture)));
        byte[] bytes = properties.Block.Bytes.ToArray();
        properties.Dispose();
        return bytes;
    }

    /// <summary>The format of a message; null: nobody has said, or none has a number.</summary>
    public static ushort? FormatOf(Message message)
    {
        if (!PropertyBlock.TryRead(message.Properties, out PropertyBlock properties)) return null;
        if (properties.Has(PropertyId.ContentType)) return ContentFormats.FormatOf(Encoding.UTF8.GetString(properties.GetValue(PropertyId.ContentType)));
        foreach (Property property in properties)
        {
            if (property.Id == PropertyId.UserProperty && property.Name.SequenceEqual("coap-cf"u8)
                && ushort.TryParse(property.Value, NumberStyles.None, CultureInfo.InvariantCulture, out ushort number))
            {
                return number;
            }
        }

        return properties.GetNumber(PropertyId.PayloadFormatIndicator, 0) == 1 ? ContentFormats.Text : null;
    }

    /// <summary>Names payload and properties: the same for the same.</summary>
    public static byte[] ETagOf(Message message)
    {
        // In one piece: so few bytes are hashed sooner than a hash of several parts is begun, and every answer has one.
        int length = message.Properties.Length + message.Payload.Length;
        Span<byte> whole = length <= 512 ? stackalloc byte[length] : new byte[length];
        message.Properties.CopyTo(whole);
        message.Payload.CopyTo(whole[message.Properties.Length..]);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(whole, hash);
        return hash[..8].ToArray();
    }

    /// <summary>A message as the state of its topic.</summary>
    public static CoapResponse ToResponse(Message message, long nowMs) => new(CoapCode.Content)
    {
        ETag = ETagOf(message),
        ContentFormat = FormatOf(message),
        MaxAge = message.RemainingExpirySeconds(nowMs) is { } left ? left : DefaultMaxAge,
        Payload = message.Payload,
    };

    /// <summary>A retained message with its topic, among others: CBOR {0: topic, 1: payload, 2: content type}.</summary>
    public static byte[] ToEntry(Message message)
    {
        bool hasType = PropertyBlock.TryRead(message.Properties, out PropertyBlock properties) && properties.Has(PropertyId.ContentType);
        var entry = new CborMap(hasType ? 3 : 2);
        entry.AddText(0, message.Topic);
        entry.AddBytes(1, message.Payload);
        if (hasType) entry.AddText(2, properties.GetValue(PropertyId.ContentType));
        return entry.ToArray();
    }

    /// <summary>A message with its topic, for observers of several: CBOR {0: topic, 1: payload, 2: content type, 3: retain, 4: QoS}.</summary>
    public static CoapResponse ToEnvelope(in LocalDelivery delivery, long nowMs)
    {
        Message message = delivery.Message;
        bool hasType = PropertyBlock.TryRead(message.Properties, out PropertyBlock properties) && properties.Has(PropertyId.ContentType);
        var envelope = new CborMap(hasType ? 5 : 4);
        envelope.AddText(0, message.Topic);
        envelope.AddBytes(1, message.Payload);
        if (hasType) envelope.AddText(2, properties.GetValue(PropertyId.ContentType));
        envelope.AddBoolean(3, delivery.Retain);
        envelope.AddNumber(4, (uint)delivery.QoS);
        return new CoapResponse(CoapCode.Content)
        {
            ContentFormat = ContentFormats.Cbor,
            MaxAge = message.RemainingExpirySeconds(nowMs) is { } left ? left : DefaultMaxAge,
            Payload = envelope.ToArray(),
        };
    }
}
