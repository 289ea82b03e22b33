using System.Buffers;
using System.Buffers.Binary;

namespace EdgeBroker.Protocol;

/// <summary>Writes one control packet of known length straight into the memory an <see cref="IBufferWriter{T}"/> lends.</summary>
internal ref struct PacketWriter
{
    private readonly Span<byte> _span;
    private int _position;

    public PacketWriter(Span<byte> span) => _span = span;

    public readonly int Position => _position;

    /// <summary>Bytes of a packet whose body has <paramref name="bodyLength"/> bytes.</summary>
    /// <exception cref="ArgumentException">The body is longer than a remaining length can say.</exception>
    public static int PacketLength(int bodyLength)
    {
        if ((uint)bodyLength > VariableByteInteger.MaxValue) throw new ArgumentException("An MQTT packet holds at most 268,435,455 bytes.", nameof(bodyLength));
        return 1 + VariableByteInteger.Length((uint)bodyLength) + bodyLength;
    }

    /// <summary>Takes the memory for a whole packet and writes its fixed header.</summary>
    public static PacketWriter Begin(IBufferWriter<byte> output, byte header, int bodyLength)
    {
        var writer = new PacketWriter(output.GetSpan(PacketLength(bodyLength)));
        writer.WriteFixedHeader(header, bodyLength);
        return writer;
    }

    public readonly void End(IBufferWriter<byte> output) => output.Advance(_position);

    public void WriteFixedHeader(byte header, int bodyLength)
    {
        WriteByte(header);
        WriteVariableByteInteger((uint)bodyLength);
    }

    public void WriteByte(byte value) => _span[_position++] = value;

    public void WriteUInt16(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_span[_position..], value);
        _position += 2;
    }

    public void WriteUInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_span[_position..], value);
        _position += 4;
    }

    public void WriteVariableByteInteger(uint value) => _position += VariableByteInteger.Write(_span[_position..], value);

    public void WriteBytes(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_span[_position..]);
        _position += bytes.Length;
    }

    /// <summary>A string or binary data behind its two bytes of length.</summary>
    /// <exception cref="ArgumentException">More than 65,535 bytes.</exception>
    public void WriteBinary(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > Utf8Text.MaxBytes) throw new ArgumentException("An MQTT field holds at most 65,535 bytes.", nameof(bytes));
        WriteUInt16((ushort)bytes.Length);
        WriteBytes(bytes);
    }

    /// <summary>Property length and properties.</summary>
    public void WriteProperties(PropertyBlock properties)
    {
        WriteVariableByteInteger((uint)properties.Bytes.Length);
        WriteBytes(properties.Bytes);
    }
}
