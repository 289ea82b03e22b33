using System.Collections.Concurrent;
using EdgeBroker.Core.Topics;

namespace EdgeBroker.Cluster.Retained;

/// <summary>
/// The topics whose retained values have changed here, for the thread that serves the cluster. Noted on publishers' threads under the lock of the values, which
/// takes none here. Of more than are worth keeping one by one only that there were more is known.
/// </summary>
internal sealed class RetainedChanges
{
    private const int Most = 16 * 1024;

    private readonly ConcurrentQueue<byte[]> _topics = new();
    private int _count;
    private int _isOver;

    /// <summary>Notes a topic; says whether it is the first since all were taken.</summary>
    public bool Note(byte[] topic)
    {
        int count = Interlocked.Increment(ref _count);
        if (count > Most)
        {
            Interlocked.Decrement(ref _count);
            Volatile.Write(ref _isOver, 1);
            return false;
        }

        _topics.Enqueue(topic);
        return count == 1;
    }

    /// <summary>Takes the topics, each once.</summary>
    /// <param name="isOver">Whether there were more than were kept.</param>
    public HashSet<byte[]> Take(out bool isOver)
    {
        isOver = Interlocked.Exchange(ref _isOver, 0) != 0;
        var taken = new HashSet<byte[]>(TopicComparer.Instance);
        while (_topics.TryDequeue(out byte[]? topic))
        {
            Interlocked.Decrement(ref _count);
            taken.Add(topic);
        }

        return taken;
    }
}
