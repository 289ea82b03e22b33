using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace EdgeBroker.Cluster.Fields;

/// <summary>Writes fields in network byte order, as <see cref="FieldReader"/> reads them.</summary>
internal readonly struct FieldWriter(IBufferWriter<byte> output)
{
    /// <summary>One byte.</summary>
    public void Byte(byte value)
    {
        output.GetSpan(1)[0] = value;
        output.Advance(1);
    }

    /// <summary>A truth.</summary>
    public void Flag(bool value) => Byte(value ? (byte)1 : (byte)0);

    /// <summary>16 bits.</summary>
    public void UInt16(int value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(output.GetSpan(2), checked((ushort)value));
        output.Advance(2);
    }

    /// <summary>32 bits.</summary>
    public void UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(output.GetSpan(4), value);
        output.Advance(4);
    }

    /// <summary>64 bits.</summary>
    public void UInt64(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(output.GetSpan(8), value);
        output.Advance(8);
    }

    /// <summary>63 bits.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public void Number(long value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        UInt64((ulong)value);
    }

    /// <summary>16 bytes.</summary>
    public void Guid(Guid value)
    {
        value.TryWriteBytes(output.GetSpan(16), bigEndian: true, out int written);
        output.Advance(written);
    }

    /// <summary>Text in UTF-8 after 16 bits of its length in bytes.</summary>
    public void Text(string value)
    {
        int length = Encoding.UTF8.GetByteCount(value);
        UInt16(length);
        output.Advance(Encoding.UTF8.GetBytes(value, output.GetSpan(length)));
    }

    /// <summary>Bytes as they are.</summary>
    public void Bytes(ReadOnlySpan<byte> value) => output.Write(value);
}
