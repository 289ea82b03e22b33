using System.Buffers.Binary;
using System.Numerics;

namespace EdgeBroker.Core.Topics;

/// <summary>
/// Which levels of a filter are wildcards. Filters of one shape are told apart by the text of their other levels, and so are the topics they match.
/// </summary>
internal sealed class FilterShape(FilterShape.Key key)
{
    /// <summary>Levels of a filter with wildcards, and of a topic it is compared with; longer ones have no shape.</summary>
    public const int MostLevels = 32;

    private const uint Mixer = 0x9E3779B1;

    /// <summary>The version of the last change of a filter of this shape.</summary>
    public long ChangedAt;

    /// <summary>Whether there is no wildcard at all; then the number of levels is of no concern.</summary>
    public bool IsExact => key.Levels == 0 && !key.IsMulti;

    /// <summary>Hashes a topic for the shape without wildcards.</summary>
    /// <param name="topicHash"><see cref="LevelHash"/> of the topic.</param>
    public static uint HashExact(int topicHash) => Mix((uint)topicHash);

    /// <summary>Hashes each level of a topic; returns how many there are, 0 when there are too many.</summary>
    public static int HashLevels(ReadOnlySpan<byte> topic, Span<int> hashes)
    {
        int count = 0;
        for (bool isLast = false; !isLast; count++)
        {
            if (count == MostLevels) return 0;
            hashes[count] = HashLevel(TopicLevels.Cut(topic, out topic, out isLast));
        }

        return count;
    }

    /// <summary>The shape of a filter, and the hash that a topic it matches has for this shape. False when it has too many levels.</summary>
    public static bool TryRead(ReadOnlySpan<byte> filter, out Key key, out uint hash)
    {
        key = default;
        hash = HashExact(LevelHash.Of(filter));
        if (filter.IndexOfAny((byte)'+', (byte)'#') < 0) return true;
        uint singles = 0;
        hash = 0;
        int count = 0;
        for (bool isLast = false; !isLast;)
        {
            ReadOnlySpan<byte> level = TopicLevels.Cut(filter, out filter, out isLast);
            if (TopicLevels.IsMultiWildcard(level))
            {
                key = new Key(singles, count, true);
                hash = Mix(hash);
                return true;
            }

            if (count == MostLevels) return false;
            if (TopicLevels.IsSingleWildcard(level)) singles |= 1u << count;
            else hash = Combine(hash, HashLevel(level), count);
            count++;
        }

        key = new Key(singles, count, false);
        hash = Mix(hash);
        return true;
    }

    /// <summary>Whether it is this one.</summary>
    public bool Is(Key other) => key == other;

    /// <summary>Whether a topic of so many levels may match a filter of this shape.</summary>
    public bool Fits(int levels) => key.IsMulti ? levels >= key.Levels : levels == key.Levels;

    /// <summary>The hash of a topic that <see cref="Fits"/>, by the hashes of its levels.</summary>
    public uint Hash(ReadOnlySpan<int> levels)
    {
        uint hash = 0;
        uint singles = key.Singles;
        for (int i = 0; i < key.Levels; i++, singles >>= 1)
        {
            if ((singles & 1) == 0) hash = Combine(hash, levels[i], i);
        }

        return Mix(hash);
    }

    // Not seeded, like the hash of topics, but a fraction of its cost: whoever makes two filters alike has topics matched anew that need not be, no more.
    private static int HashLevel(ReadOnlySpan<byte> level)
    {
        uint hash = (uint)level.Length;
        for (; level.Length > sizeof(ulong); level = level[sizeof(ulong)..]) hash = BitOperations.Crc32C(hash, BinaryPrimitives.ReadUInt64LittleEndian(level));
        if (level.Length < sizeof(uint))
        {
            foreach (byte b in level) hash = BitOperations.Crc32C(hash, b);
            return (int)hash;
        }

        // Where four bytes and four bytes overlap, no harm is done.
        ulong last = BinaryPrimitives.ReadUInt32LittleEndian(level[(level.Length - sizeof(uint))..]);
        return (int)BitOperations.Crc32C(hash, (last << 32) | BinaryPrimitives.ReadUInt32LittleEndian(level));
    }

    private static uint Combine(uint hash, int level, int place) => (hash * 31) + (uint)level + (uint)place;

    private static uint Mix(uint hash)
    {
        hash *= Mixer;
        return hash ^ (hash >> 15);
    }

    /// <summary>What makes a shape.</summary>
    /// <param name="Singles">A bit for each level that is <c>+</c>, the first being the lowest.</param>
    /// <param name="Levels">Levels, <c>#</c> not counted; 0 without any wildcard.</param>
    /// <param name="IsMulti">Whether <c>#</c> follows.</param>
    public readonly record struct Key(uint Singles, int Levels, bool IsMulti);
}
