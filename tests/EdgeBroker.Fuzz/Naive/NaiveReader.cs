namespace EdgeBroker.Fuzz.Naive;

/// <summary>Takes fields from the front of a copy of the bytes, one byte at a time.</summary>
public sealed class NaiveReader(IEnumerable<byte> bytes)
{
    private readonly Queue<byte> _rest = new(bytes);

    public bool IsAtEnd => _rest.Count == 0;

    public int Byte() => _rest.Count > 0 ? _rest.Dequeue() : throw new NaiveRefusalException("the bytes end early");

    public int TwoBytes() => (Byte() * 256) + Byte();

    public uint FourBytes() => ((uint)TwoBytes() * 65536) + (uint)TwoBytes();

    public uint VariableByteInteger()
    {
        uint value = 0;
        uint multiplier = 1;
        for (int count = 1; count <= 4; count++)
        {
            int part = Byte();
            value += (uint)(part % 128) * multiplier;
            multiplier *= 128;
            if (part >= 128) continue;
            if (count > 1 && part == 0) throw new NaiveRefusalException("a variable byte integer is longer than it need be");
            return value;
        }

        throw new NaiveRefusalException("a variable byte integer has five bytes");
    }

    public byte[] Take(long count)
    {
        var taken = new List<byte>();
        for (long i = 0; i < count; i++) taken.Add((byte)Byte());
        return [.. taken];
    }

    public byte[] Binary() => Take(TwoBytes());

    public byte[] Text()
    {
        byte[] text = Binary();
        return NaiveUtf8.IsAllowed(text) ? text : throw new NaiveRefusalException("a string is not allowed");
    }

    public byte[] Rest() => Take(_rest.Count);

    public void MustBeAtEnd()
    {
        if (!IsAtEnd) throw new NaiveRefusalException("bytes are left over");
    }
}
