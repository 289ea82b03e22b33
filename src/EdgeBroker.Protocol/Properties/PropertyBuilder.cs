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
    public readonly PropertyBlock Block => PropertyBlock.Trusted(_span[.._length], _present);

    /// <summary>Begins the properties of a packet.</summary>
    public static PropertyBuilder For(PacketType packet, Span<byte> initial) => new(packet, initial);

    /// <summary>Begins the properties of the will in CONNECT (3.1.3.2).</summary>
    public static PropertyBuilder ForWill(Span<byte> initial) => new(PropertyTable.Will, initial);

    /// <summary>Adds an integer in the encoding its type asks for.</summary>
    /// <exception cref="ArgumentException">The property is no integer, does not belong in this packet, or the value is too large for it.</exception>
    public void Add(PropertyId id, uint value)
    {
        PropertyType type = PropertyTable.TypeOf((byte)id);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, LargestOf(type, id));
        PacketWriter writer = Begin(id, 5);
        switch (type)
        {
            case PropertyType.Byte: writer.WriteByte((byte)value); break;
            case PropertyType.UInt16: writer.WriteUInt16((ushort)value); break;
            case PropertyType.UInt32: writer.WriteUInt32(value); break;
            default: writer.WriteVariableByteInteger(value); break;
        }

        End(id, writer);
    }

    /// <summary>Adds a string or binary property.</summary>
    /// <exception cref="ArgumentException">The property is of another type, does not belong in this packet, or the value is longer than 65,535
    /// bytes.</exception>
    public void Add(PropertyId id, ReadOnlySpan<byte> value)
    {
        if (PropertyTable.TypeOf((byte)id) is not (PropertyType.Text or PropertyType.Binary)) throw new ArgumentException($"{id} is no string.", nameof(id));
        PacketWriter writer = Begin(id, 3 + value.Length);
        writer.WriteBinary(value);
        End(id, writer);
    }

    /// <summary>Adds a user property; order is kept and names may repeat (2.2.2.2).</summary>
    /// <exception cref="ArgumentException">Name or value is longer than 65,535 bytes.</exception>
    public void AddUserProperty(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        PacketWriter writer = Begin(PropertyId.UserProperty, 5 + name.Length + value.Length);
        writer.WriteBinary(name);
        writer.WriteBinary(value);
        End(PropertyId.UserProperty, writer);
    }

    /// <summary>Gives rented memory back.</summary>
    public void Dispose()
    {
        if (_rented is not null) ArrayPool<byte>.Shared.Return(_rented);
        this = default;
    }

    private static uint LargestOf(PropertyType type, PropertyId id) => type switch
    {
        PropertyType.Byte => byte.MaxValue,
        PropertyType.UInt16 => ushort.MaxValue,
        PropertyType.UInt32 => uint.MaxValue,
        PropertyType.VariableByteInteger => VariableByteInteger.MaxValue,
        _ => throw new ArgumentException($"{id} is no integer.", nameof(id)),
    };

    private PacketWriter Begin(PropertyId id, int maxLength)
    {
        if (!PropertyTable.IsAllowedIn((byte)id, _packet)) throw new ArgumentException($"{id} does not belong in this packet.", nameof(id));
        if (_span.Length - _length < maxLength) Grow(maxLength);
        var writer = new PacketWriter(_span[_length..]);
        writer.WriteByte((byte)id);
        return writer;
    }

    // Only here does the property count: one that could not be written leaves no trace.
    private void End(PropertyId id, in PacketWriter writer)
    {
        _length += writer.Position;
        _present |= 1UL << (int)id;
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
