using System.Buffers.Binary;

namespace EdgeBroker.Cluster.Links;

/// <summary>Reads the fields of a body, big-endian. What is not there is 0 or empty, and <see cref="IsSound"/> says so.</summary>
/// <param name="body">The body.</param>
internal ref struct BodyReader(ReadOnlySpan<byte> body)
{
    private ReadOnlySpan<byte> _rest = body;
    private bool _isShort;

    /// <summary>Whether all that was read was there.</summary>
    public readonly bool IsSound => !_isShort;

    /// <summary>Whether all that was read was there, and nothing else.</summary>
    public readonly bool IsWhole => !_isShort && _rest.IsEmpty;

    /// <summary>Whether nothing is left.</summary>
    public readonly bool IsAtEnd => _isShort || _rest.IsEmpty;

    public byte Byte() => Take(1) is { Length: 1 } bytes ? bytes[0] : (byte)0;

    public ushort UInt16() => Take(2) is { Length: 2 } bytes ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : (ushort)0;

    public int Int32() => Take(4) is { Length: 4 } bytes ? BinaryPrimitives.ReadInt32BigEndian(bytes) : 0;

    public long Int64() => Take(8) is { Length: 8 } bytes ? BinaryPrimitives.ReadInt64BigEndian(bytes) : 0;

    public Guid Guid() => Take(16) is { Length: 16 } bytes ? new Guid(bytes, bigEndian: true) : default;

    public ReadOnlySpan<byte> Take(int length)
    {
        if (_isShort || length < 0 || length > _rest.Length)
        {
            _isShort = true;
            return [];
        }

        ReadOnlySpan<byte> taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }

    public ReadOnlySpan<byte> Rest() => Take(_rest.Length);
}
