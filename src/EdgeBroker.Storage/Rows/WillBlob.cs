using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Storage.Rows;

/// <summary>A will as a blob.</summary>
internal static class WillBlob
{
    public static byte[] Of(Will will)
    {
        var blob = new BlobWriter();
        blob.Bytes(will.Message.Topic);
        blob.Bytes(will.Message.Payload);
        blob.Bytes(will.Message.Properties);
        blob.Byte((byte)((int)will.Message.QoS | (will.Message.Retain ? 4 : 0)));
        blob.Number(will.DelaySeconds);
        blob.Number(will.ExpirySeconds is { } seconds ? seconds + 1L : 0);
        return blob.ToArray();
    }

    /// <summary>The will; null when the blob is damaged.</summary>
    public static Will? Read(ReadOnlySpan<byte> bytes)
    {
        var blob = new BlobReader(bytes);
        byte[] topic = blob.Bytes().ToArray();
        byte[] payload = blob.Bytes().ToArray();
        byte[] properties = blob.Bytes().ToArray();
        byte flags = blob.Byte();
        uint delaySeconds = (uint)blob.Number();
        long expiry = blob.Number();
        if (blob.IsDamaged || (flags & 3) == 3) return null;
        var message = new Message { Topic = topic, Payload = payload, Properties = properties, QoS = (QoS)(flags & 3), Retain = (flags & 4) != 0 };
        return new Will(message, delaySeconds, expiry == 0 ? null : (uint)(expiry - 1));
    }
}
