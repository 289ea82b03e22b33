using System.Collections.Concurrent;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Cluster.Interest;

/// <summary>One filter and what this node's subscribers want of it.</summary>
internal readonly record struct InterestChange(byte[] Filter, Core.Topics.Interest Interest);

/// <summary>
/// What this node's subscribers are interested in, for the others. The tree notes changes under its lock, which takes none here; the thread that serves the
/// cluster takes them over. Versions count the changes.
/// </summary>
internal sealed class InterestLog : IInterestObserver
{
    private readonly ConcurrentQueue<InterestChange> _noted = new();
    private readonly Dictionary<byte[], Core.Topics.Interest> _filters = new(TopicComparer.Instance);
    private long _notedVersion;

    /// <summary>The version of what the tree has noted; any thread.</summary>
    public long NotedVersion => Volatile.Read(ref _notedVersion);

    /// <summary>The version of <see cref="Filters"/>.</summary>
    public long Version { get; private set; }

    /// <summary>The filters, with what is wanted of them.</summary>
    public IReadOnlyDictionary<byte[], Core.Topics.Interest> Filters => _filters;

    /// <inheritdoc/>
    public void Changed(ReadOnlySpan<byte> filter, Core.Topics.Interest interest)
    {
        // A node's own topics are nobody else's.
        if (IsOwn(TopicFilter.TrySplitShared(filter, out _, out ReadOnlySpan<byte> inner) ? inner : filter)) return;
        _noted.Enqueue(new InterestChange(filter.ToArray(), interest));
        Volatile.Write(ref _notedVersion, _notedVersion + 1);
    }

    private static bool IsOwn(ReadOnlySpan<byte> filter) => filter.StartsWith("$SYS/"u8) || filter.SequenceEqual("$SYS"u8);

    /// <summary>Takes over what has been noted, and returns it.</summary>
    public List<InterestChange> Take()
    {
        List<InterestChange> taken = [];
        while (_noted.TryDequeue(out InterestChange change))
        {
            Version++;
            if (change.Interest == Core.Topics.Interest.None) _filters.Remove(change.Filter);
            else _filters[change.Filter] = change.Interest;
            taken.Add(change);
        }

        return taken;
    }
}
