namespace EdgeBroker.Bench;

/// <summary>What all clients of a run share: its options and loop, the mark of its messages, and the book of deliveries.</summary>
internal sealed class LoadRun(BenchOptions options, LoadLoop loop, uint mark)
{
    private long _readNs;

    public BenchOptions Options => options;

    public LoadLoop Loop => loop;

    /// <summary>Tells this run's messages, topics and clients from those of others.</summary>
    public uint Mark => mark;

    /// <summary>What all topics of the run begin with.</summary>
    public string TopicPrefix { get; } = $"bench/{mark:x8}";

    /// <summary>What all client ids of the run begin with.</summary>
    public string ClientPrefix { get; } = $"bench-{mark:x8}";

    /// <summary>Judges deliveries.</summary>
    public required DeliveryLedger Ledger { get; init; }

    public LoadPublisher[] Publishers { get; set; } = [];

    /// <summary>Lets publishers publish.</summary>
    public PublisherPump Pump { get; } = new(options, loop);

    /// <summary>Whether it counts now: neither warming up nor running out.</summary>
    public bool IsMeasuring { get; set; }

    /// <summary>From when a message was due until it was read, while measuring at a fixed rate; at full speed it would tell the length of queues.</summary>
    public LatencyHistogram Latency { get; } = new();

    /// <summary>A client has received bytes.</summary>
    public void BeginRead()
    {
        _readNs = loop.NowNs;
        loop.Progress++;
    }

    /// <summary>A subscriber has received a PUBLISH with this payload.</summary>
    public void Deliver(int subscriber, ReadOnlySpan<byte> payload)
    {
        if (!MessageStamp.TryRead(payload, options.PayloadBytes, out MessageStamp stamp)
            || stamp.Mark != mark || (uint)stamp.Publisher >= (uint)Publishers.Length)
        {
            Ledger.Tally.Corrupt++;
            return;
        }

        Ledger.Tally.Received++;
        Ledger.Add(subscriber, stamp.Publisher, stamp.Sequence);
        if (IsMeasuring && !options.IsClosedLoop) Latency.Add(_readNs - stamp.SentNs);
        Publishers[stamp.Publisher].NoteDelivered();
    }

    /// <summary>Waits until every client has a PINGRESP: whatever the broker had for it before has arrived.</summary>
    /// <returns>False when some do not come.</returns>
    public bool Fence(IReadOnlyCollection<LoadConnection> connections)
    {
        foreach (LoadConnection connection in connections) connection.Ping();
        return loop.RunUntil(() => !connections.Any(connection => connection.AwaitsPong && connection.IsReady), options.Timeout);
    }

    /// <summary>Says goodbye and waits until the broker has closed.</summary>
    public void DisconnectAll(IReadOnlyCollection<LoadConnection> connections)
    {
        foreach (LoadConnection connection in connections) connection.Disconnect();
        loop.RunUntil(() => !connections.Any(connection => connection.IsReady), options.Timeout);
    }

    /// <summary>The payloads of SUBSCRIBE packets for these filters, at most <paramref name="perPacket"/> in each.</summary>
    public IReadOnlyList<byte[]> Subscribe(IEnumerable<string> filters, int perPacket = 100) =>
        [.. filters.Chunk(perPacket).Select(some => FilterPayload.Encode(some, options.QoS))];
}
