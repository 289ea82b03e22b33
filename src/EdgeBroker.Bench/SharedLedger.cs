namespace EdgeBroker.Bench;

/// <summary>One subscriber of the group gets a message. Complete is what the group has had; in order is what each of them has had.</summary>
internal sealed class SharedLedger(int subscribers, int publishers) : DeliveryLedger
{
    private readonly SequenceTracker[] _group = new SequenceTracker[publishers];
    private readonly ulong[] _next = new ulong[(long)subscribers * publishers];

    public override void Add(int subscriber, int publisher, ulong sequence)
    {
        ref ulong next = ref _next[((long)subscriber * publishers) + publisher];
        Arrival arrival = _group[publisher].Add(sequence);
        if (arrival != Arrival.Again) arrival = sequence < next ? Arrival.Late : Arrival.InOrder;
        next = Math.Max(next, sequence + 1);
        Tally.Count(arrival);
    }
}
