namespace EdgeBroker.Fuzz;

/// <summary>Makes inputs out of a corpus by random changes; the same seed makes the same inputs.</summary>
public sealed class Mutator(Corpus corpus, ulong seed)
{
    private const int LongestInput = 2048;

    // Bytes that mean something: lengths, wildcards, flags, the ends of UTF-8 ranges, property identifiers.
    private static readonly byte[] Telling =
    [
        0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x7F, 0x80, 0x81, 0xBF, 0xC0, 0xC2, 0xE0, 0xED, 0xEF, 0xF0, 0xF4, 0xFF,
        0x23, 0x24, 0x2B, 0x2F, 0x08, 0x0B, 0x15, 0x16, 0x1F, 0x26,
    ];

    private readonly (FuzzTarget Target, byte[] Input)[] _seeds = [.. corpus.Inputs.Select(i => (i.Target, i.Input))];
    private ulong _state = seed;

    /// <summary>The next target and an input for it.</summary>
    public (FuzzTarget Target, byte[] Input) Next()
    {
        (FuzzTarget target, byte[] input) = _seeds[Below(_seeds.Length)];
        var bytes = new List<byte>(input);
        for (int changes = 1 + Below(4); changes > 0; changes--) Change(bytes);
        if (bytes.Count > LongestInput) bytes.RemoveRange(LongestInput, bytes.Count - LongestInput);
        return (target, [.. bytes]);
    }

    /// <summary>A given input, changed in one place and not cut.</summary>
    public (FuzzTarget Target, byte[] Input) Change((FuzzTarget Target, byte[] Input) given)
    {
        var bytes = new List<byte>(given.Input);
        Change(bytes);
        return (given.Target, [.. bytes]);
    }

    private void Change(List<byte> bytes)
    {
        int at = Below(bytes.Count + 1);
        if (at == bytes.Count)
        {
            bytes.Add(Telling[Below(Telling.Length)]);
            return;
        }

        int length = 1 + Below(Math.Min(8, bytes.Count - at));
        switch (Below(8))
        {
            case 0: bytes[at] ^= (byte)(1 << Below(8)); break;
            case 1: bytes[at] = (byte)Below(256); break;
            case 2: bytes[at] = Telling[Below(Telling.Length)]; break;
            case 3: bytes[at] += (byte)(Below(2) == 0 ? 1 : 255); break;
            case 4: bytes.RemoveRange(at, length); break;
            case 5: bytes.InsertRange(at, bytes.GetRange(at, length)); break;
            case 6: bytes.Insert(at, Telling[Below(Telling.Length)]); break;
            default:
                byte[] other = _seeds[Below(_seeds.Length)].Input;
                int from = Below(other.Length + 1);
                bytes.InsertRange(at, other[from..Math.Min(other.Length, from + 16)]);
                break;
        }
    }

    private int Below(int bound) => (int)(NextRandom() % (ulong)bound);

    // SplitMix64: small, and the same on every platform and runtime.
    private ulong NextRandom()
    {
        _state += 0x9E3779B97F4A7C15;
        ulong z = _state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
