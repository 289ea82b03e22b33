using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using EdgeBroker.Core.Cluster;

namespace EdgeBroker.Storage.Rows;

/// <summary>CRC-32C, which the processor computes: finds what a torn page has left.</summary>
internal static class Checksum
{
    /// <summary>Of some bytes.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes) => ~Add(uint.MaxValue, bytes);

    /// <summary>Of a message's row: its flags, topic, properties, payload and stamp, and where one ends and the next begins.</summary>
    public static uint OfMessage(long flags, ReadOnlySpan<byte> topic, ReadOnlySpan<byte> properties, ReadOnlySpan<byte> payload, Stamp stamp)
    {
        uint crc = BitOperations.Crc32C(uint.MaxValue, (ulong)flags);
        crc = BitOperations.Crc32C(crc, ((ulong)topic.Length << 32) | (uint)properties.Length);
        crc = BitOperations.Crc32C(crc, (ulong)stamp.Value);
        return ~Add(Add(Add(crc, topic), properties), payload);
    }

    private static uint Add(uint crc, ReadOnlySpan<byte> bytes)
    {
        foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(bytes))
        {
            crc = BitOperations.Crc32C(crc, BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word));
        }

        foreach (byte rest in bytes[(bytes.Length & ~7)..]) crc = BitOperations.Crc32C(crc, rest);
        return crc;
    }
}
