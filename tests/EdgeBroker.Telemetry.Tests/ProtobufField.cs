using System.Buffers.Binary;

namespace EdgeBroker.Telemetry.Tests;

/// <summary>One field of a protobuf message, as it stands there: OTLP is decoded without the library that encoded it.</summary>
internal readonly record struct ProtobufField(int Number, ulong Value, ReadOnlyMemory<byte> Bytes)
{
    public double Double => BitConverter.UInt64BitsToDouble(Value);

    public string Text => System.Text.Encoding.UTF8.GetString(Bytes.Span);

    public IReadOnlyList<ProtobufField> Message => Read(Bytes);

    /// <summary>Numbers of eight bytes, packed.</summary>
    public long[] Packed => [.. Enumerable.Range(0, Bytes.Length / 8).Select(Number8)];

    public static List<ProtobufField> Read(ReadOnlyMemory<byte> bytes)
    {
        var fields = new List<ProtobufField>();
        while (bytes.Length > 0)
        {
            ulong key = Varint(ref bytes);
            (int number, ulong value, ReadOnlyMemory<byte> content) = ((int)(key >> 3), 0UL, ReadOnlyMemory<byte>.Empty);
            switch (key & 7)
            {
                case 0:
                    value = Varint(ref bytes);
                    break;
                case 1:
                    value = BinaryPrimitives.ReadUInt64LittleEndian(bytes.Span);
                    bytes = bytes[8..];
                    break;
                case 2:
                    int length = (int)Varint(ref bytes);
                    content = bytes[..length];
                    bytes = bytes[length..];
                    break;
                case 5:
                    value = BinaryPrimitives.ReadUInt32LittleEndian(bytes.Span);
                    bytes = bytes[4..];
                    break;
                default:
                    throw new FormatException($"wire type {key & 7}");
            }

            fields.Add(new ProtobufField(number, value, content));
        }

        return fields;
    }

    private long Number8(int index) => BinaryPrimitives.ReadInt64LittleEndian(Bytes.Span[(index * 8)..]);

    private static ulong Varint(ref ReadOnlyMemory<byte> bytes)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte one = bytes.Span[0];
            bytes = bytes[1..];
            value |= (ulong)(one & 0x7F) << shift;
            if (one < 0x80) return value;
        }
    }
}
