namespace EdgeBroker.Bench;

/// <summary>Every subscriber gets every message of every publisher.</summary>
internal sealed class StreamLedger(int subscribers, int publishers) : DeliveryLedger
{
    private readonly SequenceTracker[] _streams = new SequenceTracker[(long)subscribers * publishers];

    public override void Add(int subscriber, int publisher, ulong sequence) => Tally.Count(_streams[((long)subscriber * publishers) + publisher].Add(sequence));
}
