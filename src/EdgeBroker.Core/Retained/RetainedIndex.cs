using System.Numerics;
using EdgeBroker.Core.Topics;

namespace EdgeBroker.Core.Retained;

/// <summary>
/// Finds a node by its parent and its level: linear hashing, which grows and shrinks by one bucket with one node, so that no single node pays for the rest. A
/// bucket is a chain of nodes. The buckets stand in blocks of their own.
/// </summary>
/// <param name="heap">Where nodes and buckets are.</param>
internal sealed unsafe class RetainedIndex(SlabHeap heap)
{
    private const int SegmentBits = 10;
    private const int SegmentBuckets = 1 << SegmentBits;
    private const int FewestBuckets = 16;

    private readonly List<uint> _segments = [];
    private int _buckets;
    private int _count;

    /// <summary>Bytes of the blocks for buckets that are not used yet.</summary>
    public long SpareBytes => (((long)_segments.Count << SegmentBits) - _buckets) * sizeof(uint);

    /// <summary>The hash of a level below a parent. The levels' is seeded, so that no client can choose some that collide.</summary>
    public static int HashOf(uint parent, ReadOnlySpan<byte> level)
    {
        uint hash = ((uint)LevelHash.Of(level) ^ (parent * 0x9E3779B1)) * 0x85EBCA6B;
        return (int)(hash ^ (hash >> 15));
    }

    /// <summary>The node; 0: none.</summary>
    public uint Find(uint parent, ReadOnlySpan<byte> level)
    {
        if (_count == 0) return 0;
        int hash = HashOf(parent, level);
        uint handle = Bucket(BucketOf(hash));
        while (handle != 0)
        {
            ref RetainedNode node = ref At(handle);
            if (node.Hash == hash && node.Parent == parent && RetainedNode.LevelOf(ref node).SequenceEqual(level)) return handle;
            handle = node.NextInBucket;
        }

        return 0;
    }

    /// <summary>Adds a node that is not there.</summary>
    public void Add(uint handle)
    {
        _count++;
        while (_buckets < Math.Max(_count, FewestBuckets)) Split();
        At(handle).NextInBucket = 0;
        Link(handle);
    }

    /// <summary>Removes a node that is there.</summary>
    public void Remove(uint handle)
    {
        ref uint at = ref Bucket(BucketOf(At(handle).Hash));
        while (at != handle) at = ref At(at).NextInBucket;
        at = At(handle).NextInBucket;
        _count--;
        // Between a half and all of the buckets are used, so that coming and going costs nothing here.
        if (_buckets > FewestBuckets && _count < _buckets / 2) Merge();
        while (_count == 0 && _buckets > 0) Merge();
    }

    // Hashes are taken by the lowest bits that make as many buckets as there are, and one more bit in buckets that have been split.
    private int BucketOf(int hash)
    {
        int whole = 1 << BitOperations.Log2((uint)_buckets);
        int bucket = hash & ((2 * whole) - 1);
        return bucket < _buckets ? bucket : bucket & (whole - 1);
    }

    private void Split()
    {
        int added = _buckets;
        if ((added & (SegmentBuckets - 1)) == 0) _segments.Add(heap.Allocate(SegmentBuckets * sizeof(uint)));
        Bucket(added) = 0;
        uint handle = 0;
        if (added > 0)
        {
            ref uint split = ref Bucket(Partner(added));
            handle = split;
            split = 0;
        }

        _buckets++;
        Link(chain: handle);
    }

    private void Merge()
    {
        _buckets--;
        uint handle = Bucket(_buckets);
        if (handle != 0) Link(chain: handle);
        if ((_buckets & (SegmentBuckets - 1)) != 0) return;
        heap.Free(_segments[^1]);
        _segments.RemoveAt(_segments.Count - 1);
    }

    /// <summary>Which bucket has what would be in another that is not there.</summary>
    private static int Partner(int bucket) => bucket - (1 << BitOperations.Log2((uint)bucket));

    /// <summary>Puts each node of a chain where it belongs now.</summary>
    private void Link(uint chain)
    {
        while (chain != 0)
        {
            ref RetainedNode node = ref At(chain);
            uint next = node.NextInBucket;
            ref uint bucket = ref Bucket(BucketOf(node.Hash));
            node.NextInBucket = bucket;
            bucket = chain;
            chain = next;
        }
    }

    private ref uint Bucket(int bucket) => ref ((uint*)heap.At(_segments[bucket >> SegmentBits]))[bucket & (SegmentBuckets - 1)];

    private ref RetainedNode At(uint node) => ref *(RetainedNode*)heap.At(node);
}
