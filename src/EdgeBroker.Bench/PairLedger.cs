namespace EdgeBroker.Bench;

/// <summary>Every subscriber gets the messages of the publisher of its own number.</summary>
internal sealed class PairLedger(int pairs) : DeliveryLedger
{
    private readonly SequenceTracker[] _streams = new SequenceTracker[pairs];

    public override void Add(int subscriber, int publisher, ulong sequence)
    {
        if (subscriber == publisher) Tally.Count(_streams[subscriber].Add(sequence));
        else Tally.Misrouted++;
    }
}
