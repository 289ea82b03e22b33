using System.Runtime.CompilerServices;

namespace EdgeBroker.Core.Sessions;

/// <summary>
/// Messages in memory, oldest first, by ascending position. One in the middle may be removed: its slot stays empty until it is the oldest, or until empty slots
/// are more than half of all.
/// </summary>
internal sealed class MessageRing
{
    private const int LargestKept = 64;

    private QueuedMessage[] _ring = [];
    private int _head;
    private int _emptySlots;

    /// <summary>Messages waiting.</summary>
    public int Count => Slots - _emptySlots;

    /// <summary>Slots, empty ones included. The first and oldest is never empty.</summary>
    public int Slots { get; private set; }

    /// <summary>Bytes of memory that it takes itself.</summary>
    public int MemoryBytes => _ring.Length * Unsafe.SizeOf<QueuedMessage>();

    /// <summary>Slots it has memory for.</summary>
    public int Capacity => _ring.Length;

    /// <summary>The position of the newest; 0: there is none.</summary>
    public long LastPosition => Slots == 0 ? 0 : At(Slots - 1).Position;

    /// <summary>The oldest.</summary>
    public ref QueuedMessage Peek() => ref _ring[_head];

    /// <summary>A slot, 0 being the oldest. An empty one holds a position and no delivery.</summary>
    public ref QueuedMessage At(int slot) => ref _ring[(_head + slot) & (_ring.Length - 1)];

    /// <summary>The slot of a position; -1: there is none.</summary>
    public int Find(long position)
    {
        int low = 0, high = Slots - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            ref QueuedMessage found = ref At(middle);
            if (found.Position == position) return found.State == DeliveryState.None ? -1 : middle;
            if (found.Position < position) low = middle + 1;
            else high = middle - 1;
        }

        return -1;
    }

    /// <summary>Adds behind the newest.</summary>
    public void Enqueue(in QueuedMessage message)
    {
        if (Slots == _ring.Length) Resize(Math.Max(4, 2 * _ring.Length));
        _ring[(_head + Slots) & (_ring.Length - 1)] = message;
        Slots++;
    }

    /// <summary>Takes the oldest.</summary>
    public QueuedMessage Dequeue()
    {
        QueuedMessage message = _ring[_head];
        DropHead();
        SkipEmptySlots();
        return message;
    }

    /// <summary>Takes one from anywhere.</summary>
    public QueuedMessage RemoveAt(int slot)
    {
        if (slot == 0) return Dequeue();
        QueuedMessage message = At(slot);
        At(slot) = new QueuedMessage { Position = message.Position };
        _emptySlots++;
        if (_emptySlots > LargestKept && _emptySlots > Count) Resize(_ring.Length);
        return message;
    }

    private void DropHead()
    {
        _ring[_head] = default;
        _head = (_head + 1) & (_ring.Length - 1);
        Slots--;
    }

    private void SkipEmptySlots()
    {
        while (Slots > 0 && Peek().State == DeliveryState.None)
        {
            DropHead();
            _emptySlots--;
        }

        // A queue that was long once does not hold its array for ever.
        if (Slots > 0 || _ring.Length <= LargestKept) return;
        _ring = [];
        _head = 0;
    }

    private void Resize(int length)
    {
        var ring = new QueuedMessage[length];
        int count = 0;
        for (int slot = 0; slot < Slots; slot++)
        {
            if (At(slot).State != DeliveryState.None) ring[count++] = At(slot);
        }

        _ring = ring;
        _head = 0;
        Slots = count;
        _emptySlots = 0;
    }
}
