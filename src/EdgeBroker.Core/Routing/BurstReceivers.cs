using System.Runtime.CompilerServices;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Topics;

namespace EdgeBroker.Core.Routing;

/// <summary>
/// The runs of a burst by who receives them, so that a session which gets several, with those of others between, is entered once. Holds a bounded number; order
/// within a session is that in which they were added.
/// </summary>
internal sealed class BurstReceivers
{
    /// <summary>Deliveries held at most, each of one run to one session.</summary>
    public const int MostDeliveries = 4096;

    private const int FirstSize = 64;

    private Delivery[] _deliveries = [];
    private Target[] _receivers = [];

    // Receivers by the hash of their session, one more than their number; 0: nobody. At least twice as many places as receivers.
    private int[] _places = [];
    private int _count;

    /// <summary>Sessions that receive something.</summary>
    public int Count { get; private set; }

    /// <summary>Adds what a run brings to its subscribers; false when that does not fit with what is there.</summary>
    /// <param name="run">The run's number.</param>
    /// <param name="subscriptions">Who gets it.</param>
    /// <param name="publisher">Who sent it.</param>
    public bool TryAdd(int run, Subscription[] subscriptions, Receiver? publisher)
    {
        if (subscriptions.Length > MostDeliveries - _count) return false;
        MakeRoom(subscriptions.Length);
        foreach (Subscription subscription in subscriptions)
        {
            if (subscription.For(publisher) is { } own) Add(run, own);
        }

        return true;
    }

    /// <summary>A session that receives something, and the first delivery to it.</summary>
    public Receiver Get(int receiver, out int first)
    {
        first = _receivers[receiver].First;
        return _receivers[receiver].Receiver;
    }

    /// <summary>A delivery: its run and what it matched.</summary>
    /// <param name="delivery">Which; moved to the next of the same session, -1 behind the last.</param>
    /// <param name="run">The run's number.</param>
    public Subscription Take(ref int delivery, out int run)
    {
        ref readonly Delivery taken = ref _deliveries[delivery];
        delivery = taken.Next;
        run = taken.Run;
        return taken.Subscription;
    }

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        for (int i = 0; i < Count; i++) _places[_receivers[i].Place] = 0;
        Array.Clear(_deliveries, 0, _count);
        Array.Clear(_receivers, 0, Count);
        _count = 0;
        Count = 0;
    }

    private void Add(int run, Subscription subscription)
    {
        int delivery = _count++;
        _deliveries[delivery] = new Delivery(subscription, run);
        Receiver receiver = subscription.Receiver;
        int place = RuntimeHelpers.GetHashCode(receiver) & (_places.Length - 1);
        while (_places[place] != 0)
        {
            ref Target there = ref _receivers[_places[place] - 1];
            if (ReferenceEquals(there.Receiver, receiver))
            {
                _deliveries[there.Last].Next = delivery;
                there.Last = delivery;
                return;
            }

            place = (place + 1) & (_places.Length - 1);
        }

        _receivers[Count++] = new Target(receiver, delivery, place);
        _places[place] = Count;
    }

    private void MakeRoom(int more)
    {
        if (_deliveries.Length - _count >= more) return;
        int size = Math.Max(FirstSize, _deliveries.Length);
        while (size - _count < more) size *= 2;
        Array.Resize(ref _deliveries, size);
        Array.Resize(ref _receivers, size);
        _places = new int[2 * size];
        for (int i = 0; i < Count; i++)
        {
            int place = RuntimeHelpers.GetHashCode(_receivers[i].Receiver) & (_places.Length - 1);
            while (_places[place] != 0) place = (place + 1) & (_places.Length - 1);
            _places[place] = i + 1;
            _receivers[i].Place = place;
        }
    }

    private struct Delivery(Subscription subscription, int run)
    {
        public readonly Subscription Subscription = subscription;
        public readonly int Run = run;
        public int Next = -1;
    }

    private struct Target(Receiver receiver, int delivery, int place)
    {
        public readonly Receiver Receiver = receiver;
        public readonly int First = delivery;
        public int Last = delivery;
        public int Place = place;
    }
}
