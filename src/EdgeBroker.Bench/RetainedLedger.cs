namespace EdgeBroker.Bench;

/// <summary>Every subscriber gets every retained message once, in no order; the sequence is the number of the topic.</summary>
internal sealed class RetainedLedger(int subscribers, int topics) : DeliveryLedger
{
    private readonly bool[] _seen = new bool[(long)subscribers * topics];

    public override void Add(int subscriber, int publisher, ulong sequence)
    {
        if (sequence >= (ulong)topics)
        {
            Tally.Misrouted++;
            return;
        }

        ref bool seen = ref _seen[((long)subscriber * topics) + (long)sequence];
        Tally.Count(seen ? Arrival.Again : Arrival.InOrder);
        seen = true;
    }
}
