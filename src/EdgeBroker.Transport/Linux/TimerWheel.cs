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
        if (entry.DueMs == dueMs) return;
        if (entry.Slot >= 0) Unlink(entry);
        entry.DueMs = dueMs;
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
                if (entry.DueMs <= nowMs)
                {
                    entry.DueMs = long.MaxValue;
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
        long due = Math.Clamp((entry.DueMs + SlotMs - 1) / SlotMs, from + 1, from + Slots - 1);
        int slot = (int)(due % Slots);
        entry.Slot = slot;
        entry.Previous = null;
        entry.Next = _slots[slot];
        if (entry.Next is not null) entry.Next.Previous = entry;
        _slots[slot] = entry;
        _occupied[slot / 64] |= 1UL << (slot % 64);
    }

    private void Unlink(ITimed entry)
    {
        if (entry.Previous is not null) entry.Previous.Next = entry.Next;
        else _slots[entry.Slot] = entry.Next;
        if (entry.Next is not null) entry.Next.Previous = entry.Previous;
        if (_slots[entry.Slot] is null) _occupied[entry.Slot / 64] &= ~(1UL << (entry.Slot % 64));
        entry.Previous = entry.Next = null;
        entry.Slot = -1;
    }
}
