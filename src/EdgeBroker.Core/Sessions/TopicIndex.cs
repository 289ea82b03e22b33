using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Topics;

namespace EdgeBroker.Core.Sessions;

/// <summary>
/// Which message of a queue is the latest of a topic, for a queue that keeps no other. Topics of messages that only the disk knows are read from there, a slice
/// at a time. An entry may outlast its message: positions tell.
/// </summary>
internal sealed class TopicIndex
{
    private const int LeastStale = 64;

    // An entry, with its share of the free ones, and the head of the topic's array.
    private const int EntryBytes = 80;

    private readonly Dictionary<byte[], (long Position, int SizeBytes)> _entries = new(TopicComparer.Instance);

    // Positions that left the queue from its middle while topics are being read: what was asked for may come after that.
    private readonly HashSet<long> _gone = [];
    private List<SpilledDelivery> _unread = [];
    private int _read;
    private long _topicBytes;
    private long _lastAsked;

    private bool IsReading => _lastAsked != 0 || _unread.Count > 0;

    /// <summary>Topics.</summary>
    public int Count => _entries.Count;

    /// <summary>Bytes of memory that it takes. The topics are counted, too, of those messages that are in memory.</summary>
    public long MemoryBytes => ((long)_entries.Count * EntryBytes) + _topicBytes + ((long)_unread.Capacity * Unsafe.SizeOf<SpilledDelivery>());

    /// <summary>Finds the latest message of a topic.</summary>
    public bool TryGet(byte[] topic, out long position, out int sizeBytes)
    {
        bool found = _entries.TryGetValue(topic, out (long Position, int SizeBytes) entry);
        (position, sizeBytes) = entry;
        return found;
    }

    /// <summary>The latest message of the topic is this one.</summary>
    public void Set(byte[] topic, long position, int sizeBytes)
    {
        ref (long Position, int SizeBytes) entry = ref CollectionsMarshal.GetValueRefOrAddDefault(_entries, topic, out bool isKnown);
        entry = (position, sizeBytes);
        if (!isKnown) _topicBytes += topic.Length;
    }

    /// <summary>A message has left the queue.</summary>
    public void Remove(byte[] topic, long position)
    {
        if (_entries.TryGetValue(topic, out (long Position, int SizeBytes) entry) && entry.Position == position) Remove(topic);
    }

    /// <summary>Messages have left the queue from its middle, their topics being unknown.</summary>
    public void Remove(IReadOnlyCollection<SpilledDelivery> messages)
    {
        if (messages.Count == 0) return;
        var positions = messages.Select(one => one.Position).ToHashSet();
        foreach ((byte[] topic, (long Position, int SizeBytes) entry) in _entries)
        {
            // A dictionary allows this while it is enumerated.
            if (positions.Contains(entry.Position)) Remove(topic);
        }

        if (IsReading) _gone.UnionWith(positions);
    }

    /// <summary>A message has left the queue from its middle for a later one of its topic.</summary>
    public void NoteSuperseded(long position)
    {
        if (IsReading) _gone.Add(position);
    }

    /// <summary>Whether a message that was asked for has left the queue meanwhile.</summary>
    public bool IsGone(long position) => _gone.Contains(position);

    /// <summary>Forgets entries older than the queue when they are more than the others: their messages left it with the topic unknown.</summary>
    /// <param name="firstPosition">The position of the oldest message of the queue.</param>
    /// <param name="messages">Messages of the queue.</param>
    public void Prune(long firstPosition, int messages)
    {
        if (_entries.Count < LeastStale + (2 * messages)) return;
        foreach ((byte[] topic, (long Position, int SizeBytes) entry) in _entries)
        {
            if (entry.Position < firstPosition) Remove(topic);
        }
    }

    /// <summary>These have to be read for their topics.</summary>
    public void Await(List<SpilledDelivery> messages) => _unread = messages;

    /// <summary>Takes the next ones to read; null: none, or others are being read.</summary>
    public List<SpilledDelivery>? TakeUnread(int atMost)
    {
        if (_lastAsked != 0 || _unread.Count == 0) return null;
        List<SpilledDelivery> slice = _unread.GetRange(_read, Math.Min(atMost, _unread.Count - _read));
        _read += slice.Count;
        _lastAsked = slice[^1].Position;
        if (_read == _unread.Count) (_unread, _read) = ([], 0);
        return slice;
    }

    /// <summary>One has been read.</summary>
    public void NoteRead(long position)
    {
        if (position != _lastAsked) return;
        _lastAsked = 0;
        if (!IsReading) _gone.Clear();
    }

    private void Remove(byte[] topic)
    {
        _entries.Remove(topic);
        _topicBytes -= topic.Length;
    }
}
