using System.Numerics;

namespace EdgeBroker.Transport.Linux;

/// <summary>
/// The deadlines of a reactor's connections: slots of 100 ms in a ring of 51 seconds. Setting and moving one takes constant time; one farther away
/// goes round. Not before its time, and at most a slot late.
/// </summary>
public sealed class TimerWheel
{
    private const int SlotMs = 100;
    private const int Slots = 512;

    private readonly ITimed?[] _slots = new ITimed?[Slots];
    private readonly ulong[] _occupied = new ulong[Slots / 64];
    private long _tick;

    /// <summary>Sets an entry's time; <see cref="long.MaxValue"/> takes it out.</summary>
    public void Set(ITimed entry, long dueMs)
    {
        ref TimerPlace place = ref entry.Place;
        if (place.DueMs == dueMs) return;
        if (place.Slot >= 0) Unlink(entry);
        place.DueMs = dueMs;
        if (dueMs != long.MaxValue) Link(entry);
    }

    /// <summary>Milliseconds until there may be something to do; -1: never.</summary>
    public int UntilNextMs(long nowMs)
    {
        long first = _tick + 1;
        for (int i = 0; i < Slots;)
        {
            int slot = (int)((first + i) % Slots);
            ulong word = _occupied[slot / 64] >> (slot % 64);
            if (word == 0)
            {
                i += 64 - (slot % 64);
                continue;
            }

            i += BitOperations.TrailingZeroCount(word);
            return (int)Math.Max(0, ((first + i) * SlotMs) - nowMs);
        }

        return -1;
    }

    /// <summary>Takes out one entry whose time has come; null when there is none.</summary>
    public ITimed? TakeDue(long nowMs)
    {
        long now = nowMs / SlotMs;
        // After a long sleep one round of the ring meets everything.
        if (now - _tick > Slots) _tick = now - Slots;
        while (_tick < now)
        {
            int slot = (int)((_tick + 1) % Slots);
            while (_slots[slot] is { } entry)
            {
                Unlink(entry);
                ref TimerPlace place = ref entry.Place;
                if (place.DueMs <= nowMs)
                {
                    place.DueMs = long.MaxValue;
                    return entry;
                }

                // Into a slot still ahead, so that this walk ends; one due before now is met a few slots on.
                Link(entry, _tick + 1);
            }

            _tick++;
        }

        return null;
    }

    private void Link(ITimed entry) => Link(entry, _tick);

    private void Link(ITimed entry, long from)
    {
        ref TimerPlace place = ref entry.Place;
        long due = Math.Clamp((place.DueMs + SlotMs - 1) / SlotMs, from + 1, from + Slots - 1);
        int slot = (int)(due % Slots);
        place.Slot = slot;
        place.Previous = null;
        place.Next = _slots[slot];
        if (place.Next is not null) place.Next.Place.Previous = entry;
        _slots[slot] = entry;
        _occupied[slot / 64] |= 1UL << (slot % 64);
    }

    private void Unlink(ITimed entry)
    {
        ref TimerPlace place = ref entry.Place;
        if (place.Previous is not null) place.Previous.Place.Next = place.Next;
        else _slots[place.Slot] = place.Next;
        if (place.Next is not null) place.Next.Place.Previous = place.Previous;
        if (_slots[place.Slot] is null) _occupied[place.Slot / 64] &= ~(1UL << (place.Slot % 64));
        place.Previous = place.Next = null;
        place.Slot = -1;
    }
}
