namespace EdgeBroker.Core.Sessions;

/// <summary>The QoS 1 and 2 messages that wait for room in the in-flight window, oldest first, and what they weigh.</summary>
internal sealed class MessageQueue
{
    /// <summary>The empty queue, shared; never added to.</summary>
    public static readonly MessageQueue None = new();

    private QueuedMessage[] _ring = [];
    private int _head;

    /// <summary>Messages waiting.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes they count.</summary>
    public long SizeBytes { get; private set; }

    /// <summary>The oldest.</summary>
    public ref QueuedMessage Peek() => ref _ring[_head];

    /// <summary>Adds behind the newest.</summary>
    public void Enqueue(in QueuedMessage message)
    {
        if (Count == _ring.Length) Grow();
        _ring[(_head + Count) & (_ring.Length - 1)] = message;
        Count++;
        SizeBytes += message.Message!.SizeBytes;
    }

    /// <summary>Takes the oldest.</summary>
    public QueuedMessage Dequeue()
    {
        QueuedMessage message = _ring[_head];
        _ring[_head] = default;
        _head = (_head + 1) & (_ring.Length - 1);
        Count--;
        SizeBytes -= message.Message!.SizeBytes;
        // A queue that was long once does not hold its array for ever.
        if (Count == 0 && _ring.Length > 64)
        {
            _ring = [];
            _head = 0;
        }

        return message;
    }

    private void Grow()
    {
        var larger = new QueuedMessage[Math.Max(4, 2 * _ring.Length)];
        for (int i = 0; i < Count; i++) larger[i] = _ring[(_head + i) & (_ring.Length - 1)];
        _ring = larger;
        _head = 0;
    }
}
