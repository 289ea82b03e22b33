using EdgeBroker.Protocol;

namespace EdgeBroker.Bench;

/// <summary>A client that publishes, a batch with one system call, and takes the acknowledgements.</summary>
internal sealed class LoadPublisher : LoadConnection
{
    private readonly int _number;
    private readonly MessageSource _source;
    private readonly Stack<ushort> _free = new();
    private readonly PacketType[] _awaited;
    private long _undelivered;

    /// <param name="run">The run.</param>
    /// <param name="number">Its number.</param>
    /// <param name="source">Makes its messages.</param>
    public LoadPublisher(LoadRun run, int number, MessageSource source)
        : base(run, $"{run.ClientPrefix}-p{number}")
    {
        _number = number;
        _source = source;
        _awaited = new PacketType[Run.Options.Window + 1];
        for (int id = Run.Options.Window; id > 0; id--) _free.Push((ushort)id);
    }

    /// <summary>What it still has to publish.</summary>
    public long Remaining { get; set; } = long.MaxValue;

    /// <summary>Deliveries its window allows for; the window counts messages, each of which causes several.</summary>
    public long DeliveriesPerMessage { get; init; } = 1;

    /// <summary>Messages published.</summary>
    public long Sent { get; private set; }

    /// <summary>Messages without an acknowledgement; 0 at QoS 0.</summary>
    public int Unacknowledged { get; private set; }

    /// <summary>Whether it waits in the run's queue of those that can publish.</summary>
    public bool IsQueued { get; set; }

    private QoS QoS => Run.Options.QoS;

    /// <summary>How many messages it may publish at once: a batch, the rest, or none.</summary>
    public int Allowance()
    {
        int window = Math.Min(Run.Options.Window, ReceiveMaximum);
        int batch = (int)Math.Min(Math.Min(Run.Options.Batch, window), Remaining);
        if (IsBlocked || !IsReady || batch == 0) return 0;
        if (QoS != QoS.AtMostOnce && Unacknowledged + batch > window) return 0;
        return Run.Options.IsClosedLoop && _undelivered + (batch * DeliveriesPerMessage) > window * DeliveriesPerMessage ? 0 : batch;
    }

    /// <summary>Whether it may publish one message, at a fixed rate.</summary>
    public bool HasRoom => IsReady && !IsBlocked && Remaining > 0 && (QoS == QoS.AtMostOnce || Unacknowledged < Math.Min(Run.Options.Window, ReceiveMaximum));

    /// <summary>Publishes.</summary>
    /// <param name="count">How many messages.</param>
    /// <param name="dueNs">The time they are stamped with.</param>
    public void Publish(int count, long dueNs)
    {
        if (Run.Options.WithAliases && Sent == 0)
        {
            if (TopicAliasMaximum == 0)
            {
                Break("The broker takes no topic aliases (its Topic Alias Maximum is 0).");
                return;
            }

            _source.UseAlias();
        }

        for (int i = 0; i < count; i++)
        {
            ushort packetId = 0;
            if (QoS != QoS.AtMostOnce)
            {
                packetId = _free.Pop();
                _awaited[packetId] = QoS == QoS.AtLeastOnce ? PacketType.Puback : PacketType.Pubrec;
                Unacknowledged++;
            }

            var stamp = new MessageStamp(Run.Mark, _number, (ulong)Sent, dueNs);
            Output.Advance(_source.Write(Output.GetSpan(_source.MaxPacketBytes), stamp, packetId, out int deliveries));
            Sent++;
            _undelivered += deliveries;
            Run.Ledger.Tally.Expected += deliveries;
        }

        Remaining -= count;
        Flush();
    }

    /// <summary>One of its messages has arrived.</summary>
    public void NoteDelivered()
    {
        _undelivered--;
        OnRoom();
    }

    /// <summary>Waits no longer for deliveries that do not come.</summary>
    public void WriteOff()
    {
        _undelivered = 0;
        OnRoom();
    }

    protected override void OnAcknowledgement(in AckPacket packet)
    {
        ushort id = packet.PacketId;
        if (id >= _awaited.Length || _awaited[id] != packet.Type)
        {
            Break($"A publisher received a {packet.Type} for {id}, which does not await it.");
            return;
        }

        if (packet.ReasonCode.IsError())
        {
            Run.Ledger.Tally.Refused++;
        }
        else if (packet.Type == PacketType.Pubrec)
        {
            _awaited[id] = PacketType.Pubcomp;
            new AckPacket { Type = PacketType.Pubrel, PacketId = id }.Write(Output, Run.Options.Version);
            return;
        }

        _awaited[id] = 0;
        _free.Push(id);
        Unacknowledged--;
    }

    protected override void OnRoom()
    {
        if (!IsQueued && Allowance() > 0) Run.Pump.Queue(this);
    }
}
