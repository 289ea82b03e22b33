namespace EdgeBroker.Bench;

/// <summary>
/// A subscriber gets those messages of a publisher that match its filters: how many of them were due is known only for all subscribers together.
/// </summary>
internal sealed class FilteredLedger : DeliveryLedger
{
    private readonly RecentSequences[] _streams;
    private readonly int _publishers;

    public FilteredLedger(int subscribers, int publishers)
    {
        _publishers = publishers;
        _streams = new RecentSequences[(long)subscribers * publishers];
        for (int i = 0; i < _streams.Length; i++) _streams[i] = new RecentSequences();
    }

    public override void Add(int subscriber, int publisher, ulong sequence) =>
        Tally.Count(_streams[((long)subscriber * _publishers) + publisher].Add(sequence));
}
