namespace EdgeBroker.Bench;

/// <summary>Decides whose turn it is to publish: whoever has room, as fast as the window allows; or one after the other, at a fixed rate.</summary>
internal sealed class PublisherPump(BenchOptions options, LoadLoop loop)
{
    private readonly Queue<LoadPublisher> _ready = new();
    private LoadPublisher[] _publishers = [];
    private long _startNs;
    private long _paced;
    private int _next;
    private bool _isOpen;

    /// <summary>Whether publishing could go on, if only for the next iteration.</summary>
    public bool IsIdle => _ready.Count == 0;

    /// <summary>How long after it was due the latest message was published, at a fixed rate: what the generator itself adds to latencies.</summary>
    public long WorstLagNs { get; set; }

    /// <summary>Begins.</summary>
    public void Start(LoadPublisher[] publishers)
    {
        _publishers = publishers;
        _startNs = loop.NowNs;
        _isOpen = true;
        loop.Pump = Publish;
        foreach (LoadPublisher publisher in publishers) Queue(publisher);
    }

    /// <summary>Publishes no more.</summary>
    public void Stop()
    {
        _isOpen = false;
        loop.Pump = null;
    }

    /// <summary>Gives a publisher a turn; it is not queued yet.</summary>
    public void Queue(LoadPublisher publisher)
    {
        if (!_isOpen || !options.IsClosedLoop || publisher.IsQueued) return;
        publisher.IsQueued = true;
        _ready.Enqueue(publisher);
    }

    private long Publish() => options.IsClosedLoop ? PublishReady() : PublishDue();

    private long PublishReady()
    {
        for (int i = _ready.Count; i > 0 && _ready.TryDequeue(out LoadPublisher? publisher); i--)
        {
            publisher.IsQueued = false;
            int count = publisher.Allowance();
            if (count == 0) continue;
            publisher.Publish(count, loop.NowNs);
            if (publisher.Allowance() > 0) Queue(publisher);
        }

        return _ready.Count > 0 ? 0 : long.MaxValue;
    }

    /// <summary>Messages that find all publishers without room stay due, and the time they wait is part of their latency.</summary>
    private long PublishDue()
    {
        while (DueNs() <= loop.NowNs)
        {
            if (NextWithRoom() is not { } publisher) return long.MaxValue;
            WorstLagNs = Math.Max(WorstLagNs, loop.NowNs - DueNs());
            publisher.Publish(1, DueNs());
            _paced++;
        }

        return DueNs();
    }

    private long DueNs() => _startNs + (long)(_paced * 1e9 / options.RatePerSecond);

    private LoadPublisher? NextWithRoom()
    {
        for (int i = 0; i < _publishers.Length; i++)
        {
            LoadPublisher publisher = _publishers[_next];
            _next = (_next + 1) % _publishers.Length;
            if (publisher.HasRoom) return publisher;
        }

        return null;
    }
}
