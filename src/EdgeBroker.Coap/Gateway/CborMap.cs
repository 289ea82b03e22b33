using System.Buffers;
using System.Buffers.Binary;

namespace EdgeBroker.Coap.Gateway;

/// <summary>Writes a CBOR map whose keys are small numbers (RFC 8949, 3).</summary>
internal sealed class CborMap
{
    private const int Number = 0;
    private const int Bytes = 2;
    private const int Text = 3;
    private const int Array = 4;
    private const int Map = 5;
    private const byte False = 0xF4;
    private const byte True = 0xF5;

    private readonly ArrayBufferWriter<byte> _buffer = new();

    /// <param name="entries">How many entries are added.</param>
    public CborMap(int entries)
        : this(Map, entries)
    {
    }

    private CborMap(int type, int entries) => WriteHead(type, (uint)entries);

    public void AddNumber(uint key, uint value)
    {
        WriteHead(Number, key);
        WriteHead(Number, value);
    }

    public void AddBytes(uint key, ReadOnlySpan<byte> value) => Add(key, Bytes, value);

    /// <summary>Adds text, which is UTF-8 already.</summary>
    public void AddText(uint key, ReadOnlySpan<byte> value) => Add(key, Text, value);

    public void AddBoolean(uint key, bool value)
    {
        WriteHead(Number, key);
        _buffer.Write([value ? True : False]);
    }

    /// <summary>An array of what is encoded already.</summary>
    public static byte[] ArrayOf(IReadOnlyCollection<byte[]> items)
    {
        var array = new CborMap(Array, items.Count);
        foreach (byte[] item in items) array._buffer.Write(item);
        return array.ToArray();
    }

    public byte[] ToArray() => _buffer.WrittenSpan.ToArray();

    private void Add(uint key, int type, ReadOnlySpan<byte> value)
    {
        WriteHead(Number, key);
        WriteHead(type, (uint)value.Length);
        _buffer.Write(value);
    }

    private void WriteHead(int type, uint value)
    {
        int major = type << 5;
        if (value < 24)
        {
            _buffer.Write([(byte)(major | (int)value)]);
        }
        else if (value <= byte.MaxValue)
        {
            _buffer.Write([(byte)(major | 24), (byte)value]);
        }
        else if (value <= ushort.MaxValue)
        {
            _buffer.Write([(byte)(major | 25), (byte)(value >> 8), (byte)value]);
        }
        else
        {
            Span<byte> head = stackalloc byte[5];
            head[0] = (byte)(major | 26);
            BinaryPrimitives.WriteUInt32BigEndian(head[1..], value);
            _buffer.Write(head);
        }
    }
}
