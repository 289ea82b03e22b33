using EdgeBroker.Protocol;

namespace EdgeBroker.Bench;

/// <summary>
/// A client that publishes a message to itself at QoS 0, waits for it, and publishes the next. A round trip ends when the kernel has the message, not when this
/// client gets to read it: a generator that is short of processor time must not be taken for a slow broker.
/// </summary>
internal sealed class RoundTripClient : LoadConnection
{
    private readonly RoundTrips _owner;
    private readonly int _number;
    private readonly FixedTopicSource _source;
    private readonly IReadOnlyList<byte[]> _subscriptions;
    private long _arrivedNs;
    private MessageStamp _sent;
    private bool _isCounted;

    /// <param name="run">The run.</param>
    /// <param name="owner">Takes its round trips.</param>
    /// <param name="number">Its number.</param>
    public RoundTripClient(LoadRun run, RoundTrips owner, int number)
        : base(run, $"{run.ClientPrefix}-b{number}")
    {
        _owner = owner;
        _number = number;
        string topic = FormattableString.Invariant($"{run.TopicPrefix}/beside/{number}");
        _source = new FixedTopicSource(new MessageBody(run.Options), topic, 1);
        _subscriptions = run.Subscribe([topic]);
    }

    /// <summary>Whether its message is on its way.</summary>
    public bool IsWaiting { get; private set; }

    protected override IReadOnlyList<byte[]> Subscriptions => _subscriptions;

    /// <summary>Publishes the next message.</summary>
    public void Publish()
    {
        IsWaiting = true;
        _isCounted = _owner.IsMeasuring;
        _sent = new MessageStamp(Run.Mark, _number, _sent.Sequence + 1, Loop.NowNs);
        Output.Advance(_source.Write(Output.GetSpan(_source.MaxPacketBytes), _sent, 0, out _));
        Flush();
    }

    protected override void OnOpened(int fd) => LoadSockets.AskForTimestamps(fd);

    protected override nint Receive(int fd, Span<byte> buffer)
    {
        nint count = LoadSockets.ReceiveWithTimestamp(fd, buffer, out long arrivedUnixNs);
        _arrivedNs = Loop.NowNs;
        if (arrivedUnixNs != 0) _arrivedNs -= Math.Max(0, Loop.UnixNs - arrivedUnixNs);
        return count;
    }

    protected override void OnPublish(in Frame frame)
    {
        int bytes = Run.Options.PayloadBytes;
        if (!IsWaiting || frame.Body.Length < bytes || !MessageStamp.TryRead(frame.Body[^bytes..], bytes, out MessageStamp stamp) || stamp != _sent)
        {
            Break("A client beside the load received a message that it does not wait for.");
            return;
        }

        IsWaiting = false;
        if (_isCounted) _owner.Times.Add(_arrivedNs - _sent.SentNs);
        if (!_owner.IsEnding) Publish();
    }
}
