namespace EdgeBroker.Protocol;

/// <summary>
/// Remembers the last properties of a PUBLISH that were found valid: those who send several messages at once mostly send the same with each, and to compare
/// them costs a small part of judging them anew. One thread at a time.
/// </summary>
public sealed class PropertyMemo
{
    private const int MostBytes = 256;

    private readonly byte[] _bytes = new byte[MostBytes];
    private int _length;
    private PropertyBlock.Traits _traits;

    /// <summary>The block that these bytes are, if they are the remembered ones.</summary>
    internal bool TryRecall(ReadOnlySpan<byte> bytes, out PropertyBlock block)
    {
        bool isKnown = bytes.SequenceEqual(_bytes.AsSpan(0, _length));
        block = isKnown ? new PropertyBlock(bytes, _traits) : default;
        return isKnown;
    }

    /// <summary>Remembers a valid block instead of the one before, unless it is long.</summary>
    internal void Remember(PropertyBlock block)
    {
        if (block.Bytes.Length > MostBytes) return;
        block.Bytes.CopyTo(_bytes);
        _length = block.Bytes.Length;
        _traits = block.KnownTraits;
    }
}
