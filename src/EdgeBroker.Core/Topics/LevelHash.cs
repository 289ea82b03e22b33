using System.Runtime.InteropServices;

namespace EdgeBroker.Core.Topics;

/// <summary>Hashes bytes with the runtime's randomly seeded string hash, so that no client can choose topics that collide.</summary>
internal static class LevelHash
{
    public static int Of(ReadOnlySpan<byte> bytes)
    {
        int hash = string.GetHashCode(MemoryMarshal.Cast<byte, char>(bytes));
        // The cast drops an odd last byte.
        return (bytes.Length & 1) == 0 ? hash : (hash * 31) + bytes[^1];
    }
}
