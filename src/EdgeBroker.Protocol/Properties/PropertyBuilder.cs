using System.Buffers;

namespace EdgeBroker.Protocol;

/// <summary>
/// Collects the properties of a packet to be written. Starts in memory the caller lends (usually from the stack) and rents more when that is full;
/// <see cref="Dispose"/> gives it back. The block it yields is valid until then.
/// </summary>
public ref struct PropertyBuilder
{
    private readonly PacketType _packet;
    private Span<byte> _span;
    private byte[]? _rented;
    private int _length;
    private ulong _present;

    private PropertyBuilder(PacketType packet, Span<byte> initial)
    {
        _packet = packet;
        _span = initial;
    }

    /// <summary>The properties so far.</summary>
    public readonly PropertyBlock Block => PropertyBlock.Trusted(_span[.._length], _present, _packet);

    /// <summary>Begins the properties of a packet.</summary>
    public static PropertyBuilder For(PacketType packet, Span<byte> initial) => new(packet, initial);

    /// <summary>Begins the properties of the will in CONNECT (3.1.3.2).</summary>
    public static PropertyBuilder ForWill(Span<byte> initial) => new(PropertyTable.Will, initial);

    /// <summary>Adds an integer in the encoding its type asks for.</summary>
    /// <exception cref="ArgumentException">The property is no integer or does not belong in this packet.</exception>
    public void Add(PropertyId id, uint value)
    {
        PropertyWriterStart(id, 5, out PacketWriter writer);
        switch (PropertyTable.TypeOf((byte)id))
        {
            case PropertyType.Byte: writer.WriteByte((byte)value); break;
            case PropertyType.UInt16: writer.WriteUInt16((ushort)value); break;
            case PropertyType.UInt32: writer.WriteUInt32(value); break;
            case PropertyType.VariableByteInteger: writer.WriteVariableByteInteger(value); break;
            default: throw new ArgumentException($"{id} is no integer.", nameof(id));
        }

        _length += writer.Position;
    }

    /// <summary>Adds a string or binary property.</summary>
    /// <exception cref="ArgumentException">The property is of another type or does not belong in this packet.</exception>
    public void Add(PropertyId id, ReadOnlySpan<byte> value)
    {
        if (PropertyTable.TypeOf((byte)id) is not (PropertyType.Text or PropertyType.Binary)) throw new ArgumentException($"{id} is no string.", nameof(id));
        PropertyWriterStart(id, 3 + value.Length, out PacketWriter writer);
        writer.WriteBinary(value);
        _length += writer.Position;
    }

    /// <summary>Adds a user property; order is kept and names may repeat (2.2.2.2).</summary>
    public void AddUserProperty(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        PropertyWriterStart(PropertyId.UserProperty, 5 + name.Length + value.Length, out PacketWriter writer);
        writer.WriteBinary(name);
        writer.WriteBinary(value);
        _length += writer.Position;
    }

    /// <summary>Gives rented memory back.</summary>
    public void Dispose()
    {
        if (_rented is null) return;
        ArrayPool<byte>.Shared.Return(_rented);
        _rented = null;
        _span = default;
        _length = 0;
    }

    private void PropertyWriterStart(PropertyId id, int maxLength, out PacketWriter writer)
    {
        if (!PropertyTable.IsAllowedIn((byte)id, _packet)) throw new ArgumentException($"{id} does not belong in this packet.", nameof(id));
        if (_span.Length - _length < maxLength) Grow(maxLength);
        _present |= 1UL << (int)id;
        writer = new PacketWriter(_span[_length..]);
        writer.WriteByte((byte)id);
    }

    private void Grow(int needed)
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(_length + needed, 2 * _span.Length));
        _span[.._length].CopyTo(larger);
        if (_rented is not null) ArrayPool<byte>.Shared.Return(_rented);
        _rented = larger;
        _span = larger;
    }
}
