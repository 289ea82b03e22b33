using System.Buffers.Binary;

namespace EdgeBroker.Storage.Rows;

/// <summary>Writes a blob of the store: numbers of seven bits a byte, byte strings with their length, a checksum at the end.</summary>
internal sealed class BlobWriter
{
    private byte[] _buffer = new byte[256];

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    /// <summary>Begins anew.</summary>
    public void Clear() => Length = 0;

    /// <summary>A number; negative ones take ten bytes.</summary>
    public void Number(long value)
    {
        Reserve(10);
        ulong rest = (ulong)value;
        while (rest >= 0x80)
        {
            _buffer[Length++] = (byte)(rest | 0x80);
            rest >>= 7;
        }

        _buffer[Length++] = (byte)rest;
    }

    /// <summary>A byte.</summary>
    public void Byte(byte value)
    {
        Reserve(1);
        _buffer[Length++] = value;
    }

    /// <summary>A byte string and its length.</summary>
    public void Bytes(ReadOnlySpan<byte> value)
    {
        Number(value.Length);
        Reserve(value.Length);
        value.CopyTo(_buffer.AsSpan(Length));
        Length += value.Length;
    }

    /// <summary>What was written, with its checksum behind it.</summary>
    public byte[] ToArray()
    {
        Reserve(4);
        BinaryPrimitives.WriteUInt32LittleEndian(_buffer.AsSpan(Length), Checksum.Of(_buffer.AsSpan(0, Length)));
        return _buffer[..(Length + 4)];
    }

    private void Reserve(int bytes)
    {
        if (_buffer.Length - Length < bytes) Array.Resize(ref _buffer, Math.Max(2 * _buffer.Length, Length + bytes));
    }
}
