using System.Runtime.CompilerServices;

namespace EdgeBroker.Core.Limits;

/// <summary>
/// What is remembered of networks that come and go: a fixed number of places, so that no number of addresses makes the broker's memory grow. Where all of a
/// network's places are taken, the one with the least against it is forgotten. Not thread-safe.
/// </summary>
internal sealed class NetworkTable
{
    /// <summary>Networks it can hold.</summary>
    public const int Capacity = Sets * Ways;

    private const int Sets = 1024;
    private const int Ways = 8;

    // Made when first needed.
    private Entry[]? _entries;

    /// <summary>What is known of a network; a null reference when nothing is.</summary>
    public ref Entry Find(ClientNetwork network)
    {
        if (_entries is null) return ref Unsafe.NullRef<Entry>();
        foreach (ref Entry entry in PlacesOf(network))
        {
            if (entry.IsUsed && entry.Network == network) return ref entry;
        }

        return ref Unsafe.NullRef<Entry>();
    }

    /// <summary>What is known of a network, or a place for it.</summary>
    public ref Entry FindOrAdd(ClientNetwork network)
    {
        _entries ??= new Entry[Capacity];
        Span<Entry> places = PlacesOf(network);
        int least = 0;
        for (int i = 0; i < places.Length; i++)
        {
            if (places[i].IsUsed && places[i].Network == network) return ref places[i];
            if (places[least].IsUsed && (!places[i].IsUsed || places[i].Bucket.FullNs < places[least].Bucket.FullNs)) least = i;
        }

        places[least] = new Entry { Network = network, IsUsed = true };
        return ref places[least];
    }

    /// <summary>Forgets everything.</summary>
    public void Clear() => _entries = null;

    // The hash is seeded anew in each process: nobody can choose addresses that share places.
    private Span<Entry> PlacesOf(ClientNetwork network) => _entries.AsSpan((HashCode.Combine(network.High, network.Low) & (Sets - 1)) * Ways, Ways);

    /// <summary>One network.</summary>
    internal struct Entry
    {
        public ClientNetwork Network;
        public TokenBucket Bucket;

        /// <summary>Until when those that wait have places in line, in milliseconds.</summary>
        public long LineEndsMs;

        /// <summary>Failures since they came too fast.</summary>
        public byte Strikes;

        public bool IsUsed;
    }
}
