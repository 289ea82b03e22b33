using EdgeBroker.Crash.Tests.History;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Crash.Tests.Clients;

/// <summary>
/// Receives at QoS 1 and 2 and acknowledges. Of QoS 2 it remembers, over reconnects, the identifiers received and not yet released: under these a PUBLISH is a
/// repetition [MQTT-4.3.3-10]. What it wants to be subscribed to, it asks for until it is granted.
/// </summary>
public sealed class Subscriber : SessionClient
{
    private static readonly TimeSpan LongestVisit = TimeSpan.FromMilliseconds(600);
    private static readonly TimeSpan LongestAbsence = TimeSpan.FromMilliseconds(600);
    private static readonly TimeSpan LongestConstancy = TimeSpan.FromMilliseconds(300);

    private readonly SubscriberPlan _plan;
    private readonly Random _random;
    private readonly HashSet<int> _unreleased = [];
    private readonly HashSet<string> _wanted;
    private readonly HashSet<string> _granted = new(StringComparer.Ordinal);
    private readonly Dictionary<int, string> _requests = [];
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _lastPacketId;

    /// <param name="identity">Who it is.</param>
    /// <param name="plan">What it wants.</param>
    /// <param name="history">What has happened so far.</param>
    /// <param name="random">Chooses when it comes, goes and changes.</param>
    public Subscriber(ClientIdentity identity, SubscriberPlan plan, RunHistory history, Random random)
        : base(identity, history)
    {
        _plan = plan;
        _random = random;
        _wanted = new HashSet<string>(plan.Filters, StringComparer.Ordinal);
        Remember();
    }

    /// <summary>Whether it has all the subscriptions it wants, connected or not.</summary>
    public bool IsSubscribed
    {
        get
        {
            lock (SyncRoot) return _granted.SetEquals(_wanted);
        }
    }

    /// <inheritdoc/>
    protected override byte[] ConnectProperties => _plan.ReceiveMaximum == 0 ? [] : Prop.ReceiveMaximum(_plan.ReceiveMaximum);

    /// <inheritdoc/>
    protected override bool HasFinished => _unreleased.Count == 0 && _granted.SetEquals(_wanted);

    /// <inheritdoc/>
    public override void Drain()
    {
        base.Drain();
        _drained.TrySetResult();
    }

    /// <inheritdoc/>
    protected override void Apply(in HistoryEvent e)
    {
        switch (e.Kind)
        {
            case EventKind.Connected:
                _requests.Clear();
                if (e.Number == 1) break;
                _unreleased.Clear();
                _granted.Clear();
                break;
            case EventKind.SubscribeSent:
                _wanted.Add(e.Text);
                _requests[e.PacketId] = e.Text;
                break;
            case EventKind.UnsubscribeSent:
                _wanted.Remove(e.Text);
                _requests[e.PacketId] = e.Text;
                break;
            case EventKind.Subscribed:
                _granted.Add(e.Text);
                _requests.Remove(e.PacketId);
                break;
            case EventKind.Unsubscribed:
                _granted.Remove(e.Text);
                _requests.Remove(e.PacketId);
                break;
            case EventKind.Delivered when e.Number == 2:
                _unreleased.Add(e.PacketId);
                break;
            case EventKind.Released:
                _unreleased.Remove(e.PacketId);
                break;
        }
    }

    /// <inheritdoc/>
    protected override void Receive(ReceivedPacket packet, MemoryStream answers)
    {
        Packets packets = Packets.Of(Identity.Version);
        lock (SyncRoot)
        {
            switch (packet.Type)
            {
                case PacketType.Publish:
                    ReceiveMessage(packet);
                    if (packet.QoS > 0) answers.Write(packet.QoS == 1 ? packets.Puback(packet.PacketId) : packets.Pubrec(packet.PacketId));
                    break;
                case PacketType.Pubrel:
                    Happened(EventKind.Released, packet.PacketId);
                    answers.Write(packets.Pubcomp(packet.PacketId));
                    break;
                case PacketType.Suback or PacketType.Unsuback when _requests.TryGetValue(packet.PacketId, out string? filter):
                    ReceiveAnswer(packet, filter);
                    break;
                default:
                    Happened(EventKind.ProtocolBroken, packet.PacketId, text: $"not expected: {packet}");
                    break;
            }
        }
    }

    /// <inheritdoc/>
    protected override async Task ActAsync(MqttLink link, CancellationToken ended)
    {
        if (!await RequestMissingAsync(link)) return;
        if (IsDraining) return;
        Task visit = _plan.Attendance switch
        {
            Attendance.ComesAndGoes => Task.Delay(LongestVisit * _random.NextDouble(), ended),
            Attendance.Away => WhenSubscribedAsync(ended),
            _ => Task.Delay(Timeout.Infinite, ended),
        };
        if (_plan.Changes) await ChangeAsync(link, ended);
        else await Task.WhenAny(visit, _drained.Task.WaitAsync(ended));
        ended.ThrowIfCancellationRequested();
        if (IsDraining) return;
        if (_random.Next(2) == 0) await link.TrySendAsync(link.Packets.Disconnect());
        link.Cut();
    }

    /// <inheritdoc/>
    protected override async Task BetweenConnectionsAsync(CancellationToken stop)
    {
        switch (_plan.Attendance)
        {
            case Attendance.ComesAndGoes when !IsDraining:
                await Task.WhenAny(Task.Delay(LongestAbsence * _random.NextDouble(), stop), _drained.Task);
                break;
            case Attendance.Away when IsSubscribed:
                await _drained.Task.WaitAsync(stop);
                break;
        }
    }

    private void ReceiveMessage(ReceivedPacket packet)
    {
        int message = History.Find(packet.Topic, packet.Payload);
        if (message < 0)
        {
            Happened(EventKind.ProtocolBroken, packet.PacketId, text: $"a message nobody sent: {packet.Topic} {packet}");
        }
        else
        {
            Happened(packet.QoS == 2 && _unreleased.Contains(packet.PacketId) ? EventKind.Repeated : EventKind.Delivered, packet.PacketId, message, packet.QoS);
        }
    }

    private void ReceiveAnswer(ReceivedPacket packet, string filter)
    {
        if (packet.Type == PacketType.Unsuback) Happened(EventKind.Unsubscribed, packet.PacketId, text: filter);
        else if (packet.Codes is [byte code] && code == _plan.QoS) Happened(EventKind.Subscribed, packet.PacketId, number: _plan.QoS, text: filter);
        else Happened(EventKind.ProtocolBroken, packet.PacketId, text: $"SUBACK for {filter}: {packet}");
    }

    /// <summary>Asks for what is wanted and not granted, and to be rid of what is granted and not wanted.</summary>
    private async Task<bool> RequestMissingAsync(MqttLink link)
    {
        using var packets = new MemoryStream();
        lock (SyncRoot)
        {
            foreach (string filter in _wanted.Except(_granted).ToArray()) packets.Write(Request(link, filter, subscribe: true));
            foreach (string filter in _granted.Except(_wanted).ToArray()) packets.Write(Request(link, filter, subscribe: false));
        }

        return packets.Length == 0 || await link.TrySendAsync(packets.ToArray());
    }

    /// <summary>Gives up and takes filters until the connection or the run ends.</summary>
    private async Task ChangeAsync(MqttLink link, CancellationToken ended)
    {
        while (!IsDraining)
        {
            await Task.WhenAny(Task.Delay(LongestConstancy * _random.NextDouble(), ended), _drained.Task);
            ended.ThrowIfCancellationRequested();
            if (IsDraining) return;
            byte[] request;
            lock (SyncRoot)
            {
                string filter = _plan.Filters[_random.Next(_plan.Filters.Count)];
                if (_requests.ContainsValue(filter)) continue;
                request = Request(link, filter, subscribe: !_wanted.Contains(filter));
            }

            if (!await link.TrySendAsync(request)) return;
        }
    }

    private byte[] Request(MqttLink link, string filter, bool subscribe)
    {
        do _lastPacketId = (_lastPacketId % 1000) + 1;
        while (_requests.ContainsKey(_lastPacketId));
        Happened(subscribe ? EventKind.SubscribeSent : EventKind.UnsubscribeSent, _lastPacketId, number: _plan.QoS, text: filter);
        return subscribe ? link.Packets.Subscribe(_lastPacketId, filter, _plan.QoS) : link.Packets.Unsubscribe(_lastPacketId, filter);
    }

    private async Task WhenSubscribedAsync(CancellationToken ended)
    {
        while (!IsSubscribed) await Task.Delay(5, ended);
    }
}
