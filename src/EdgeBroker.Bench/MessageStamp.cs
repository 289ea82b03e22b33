using System.Buffers.Binary;

namespace EdgeBroker.Bench;

/// <summary>What stands at the front of every payload: whose message it is, which one, and when it was due.</summary>
/// <param name="Mark">Tells the messages of this run from those of others.</param>
/// <param name="Publisher">The publisher's number.</param>
/// <param name="Sequence">Its number in the publisher's stream, from 0.</param>
/// <param name="SentNs">Monotonic nanoseconds.</param>
internal readonly record struct MessageStamp(uint Mark, int Publisher, ulong Sequence, long SentNs)
{
    /// <summary>Bytes it takes.</summary>
    public const int Bytes = 24;

    /// <summary>What fills the payload behind it; the last byte is looked at on arrival.</summary>
    public const byte Filler = 0xA5;

    /// <summary>Writes it at the front of a payload.</summary>
    public void Write(Span<byte> payload)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(payload, Mark);
        BinaryPrimitives.WriteInt32LittleEndian(payload[4..], Publisher);
        BinaryPrimitives.WriteUInt64LittleEndian(payload[8..], Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(payload[16..], SentNs);
    }

    /// <summary>Reads it; false when the payload is not one of ours, of <paramref name="payloadBytes"/> bytes and whole.</summary>
    public static bool TryRead(ReadOnlySpan<byte> payload, int payloadBytes, out MessageStamp stamp)
    {
        stamp = default;
        if (payload.Length != payloadBytes || (payloadBytes > Bytes && payload[^1] != Filler)) return false;
        stamp = new MessageStamp(
            BinaryPrimitives.ReadUInt32LittleEndian(payload),
            BinaryPrimitives.ReadInt32LittleEndian(payload[4..]),
            BinaryPrimitives.ReadUInt64LittleEndian(payload[8..]),
            BinaryPrimitives.ReadInt64LittleEndian(payload[16..]));
        return true;
    }
}
