using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace EdgeBroker.Cluster.Fields;

/// <summary>
/// Reads fields in network byte order from bytes that may be anybody's. A field that is not there or not allowed reads as nothing and marks all as broken,
/// so that a caller reads a whole record and asks once.
/// </summary>
internal ref struct FieldReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>Whether a field was missing or not allowed.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Whether every field was good and nothing is left over.</summary>
    public readonly bool IsWhole => !IsBroken && _rest.IsEmpty;

    /// <summary>Whether there is nothing more to read.</summary>
    public readonly bool IsAtEnd => _rest.IsEmpty;

    /// <summary>Bytes not read yet.</summary>
    public readonly int Left => _rest.Length;

    /// <summary>What has been read turned out not to be allowed.</summary>
    public void Break()
    {
        IsBroken = true;
        _rest = [];
    }

    /// <summary>Marks all as broken unless something holds.</summary>
    public void Require(bool holds)
    {
        if (!holds) Break();
    }

    /// <summary>One byte.</summary>
    public byte Byte() => Take(1) is [var value] ? value : (byte)0;

    /// <summary>A truth, 0 or 1 and nothing else.</summary>
    public bool Flag()
    {
        byte value = Byte();
        Require(value <= 1);
        return value == 1;
    }

    /// <summary>16 bits.</summary>
    public ushort UInt16() => Take(2) is { Length: 2 } field ? BinaryPrimitives.ReadUInt16BigEndian(field) : (ushort)0;

    /// <summary>32 bits.</summary>
    public uint UInt32() => Take(4) is { Length: 4 } field ? BinaryPrimitives.ReadUInt32BigEndian(field) : 0;

    /// <summary>64 bits.</summary>
    public ulong UInt64() => Take(8) is { Length: 8 } field ? BinaryPrimitives.ReadUInt64BigEndian(field) : 0;

    /// <summary>63 bits: numbers that are never negative.</summary>
    public long Number()
    {
        ulong value = UInt64();
        Require(value <= long.MaxValue);
        return IsBroken ? 0 : (long)value;
    }

    /// <summary>32 bits with a sign.</summary>
    public int Int32() => (int)UInt32();

    /// <summary>64 bits with a sign.</summary>
    public long Int64() => (long)UInt64();

    /// <summary>16 bytes.</summary>
    public Guid Guid() => Take(16) is { Length: 16 } field ? new Guid(field, bigEndian: true) : default;

    /// <summary>UTF-8 text after 16 bits of its length in bytes.</summary>
    /// <param name="least">Fewest bytes allowed.</param>
    /// <param name="most">Most bytes allowed.</param>
    public string Text(int least, int most)
    {
        ushort length = UInt16();
        Require(length >= least && length <= most);
        ReadOnlySpan<byte> field = Take(length);
        Require(Utf8.IsValid(field));
        return IsBroken ? "" : Encoding.UTF8.GetString(field);
    }

    /// <summary>All that is left.</summary>
    public ReadOnlySpan<byte> Rest() => Take(_rest.Length);

    /// <summary>Some bytes; so many as another field says, which may be negative, too.</summary>
    public ReadOnlySpan<byte> Take(int count)
    {
        if (IsBroken || count < 0 || count > _rest.Length)
        {
            Break();
            return [];
        }

        ReadOnlySpan<byte> field = _rest[..count];
        _rest = _rest[count..];
        return field;
    }
}
