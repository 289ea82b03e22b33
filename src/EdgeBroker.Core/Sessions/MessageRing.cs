namespace EdgeBroker.Core.Sessions;

/// <summary>Messages in memory, oldest first.</summary>
internal sealed class MessageRing
{
    private QueuedMessage[] _ring = [];
    private int _head;

    /// <summary>Messages waiting.</summary>
    public int Count { get; private set; }

    /// <summary>The oldest.</summary>
    public ref QueuedMessage Peek() => ref _ring[_head];

    /// <summary>One of them, 0 being the oldest.</summary>
    public ref QueuedMessage At(int place) => ref _ring[(_head + place) & (_ring.Length - 1)];

    /// <summary>Adds behind the newest.</summary>
    public void Enqueue(in QueuedMessage message)
    {
        if (Count == _ring.Length) Grow();
        _ring[(_head + Count) & (_ring.Length - 1)] = message;
        Count++;
    }

    /// <summary>Takes the oldest.</summary>
    public QueuedMessage Dequeue()
    {
        QueuedMessage message = _ring[_head];
        _ring[_head] = default;
        _head = (_head + 1) & (_ring.Length - 1);
        Count--;
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
