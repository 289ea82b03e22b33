using System.Buffers.Binary;

namespace EdgeBroker.Cluster.Links;

/// <summary>Writes the fields of a body, big-endian. Each thread keeps one for its next body; who begins one disposes of it.</summary>
internal sealed class BodyWriter : IDisposable
{
    // One that a large message has made larger is not kept.
    private const int MostKeptBytes = 128 * 1024;

    [ThreadStatic]
    private static BodyWriter? _spare;

    private byte[] _bytes = new byte[1024];
    private int _length;

    private BodyWriter()
    {
    }

    /// <summary>What has been written.</summary>
    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _length);

    /// <summary>Begins a body.</summary>
    public static BodyWriter Begin()
    {
        BodyWriter writer = _spare ?? new BodyWriter();
        _spare = null;
        writer._length = 0;
        return writer;
    }

    public void Byte(byte value) => Room(1)[0] = value;

    public void UInt16(int value) => BinaryPrimitives.WriteUInt16BigEndian(Room(2), checked((ushort)value));

    public void Int32(int value) => BinaryPrimitives.WriteInt32BigEndian(Room(4), value);

    public void Int64(long value) => BinaryPrimitives.WriteInt64BigEndian(Room(8), value);

    public void Guid(Guid value) => value.TryWriteBytes(Room(16), bigEndian: true, out _);

    public void Bytes(ReadOnlySpan<byte> value) => value.CopyTo(Room(value.Length));

    /// <summary>UTF-8 text after 16 bits of its length in bytes.</summary>
    public void Text(string value)
    {
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(value);
        UInt16(bytes.Length);
        Bytes(bytes);
    }

    /// <summary>Goes back to nothing written.</summary>
    public void Clear() => _length = 0;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_bytes.Length <= MostKeptBytes) _spare = this;
    }

    private Span<byte> Room(int length)
    {
        if (_length + length > _bytes.Length) Array.Resize(ref _bytes, Math.Max(_length + length, 2 * _bytes.Length));
        _length += length;
        return _bytes.AsSpan(_length - length, length);
    }
}
