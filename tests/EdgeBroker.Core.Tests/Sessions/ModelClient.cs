using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Sessions;

/// <summary>A client with the naive model of its session: what must come next, what is open, what it may acknowledge.</summary>
internal sealed class ModelClient(Bench bench, string id)
{
    // The session.
    private readonly Dictionary<string, int> _filters = [];
    private readonly Queue<(string Payload, int QoS)> _waiting = new();
    private readonly List<Open> _open = [];
    private bool _exists;
    private uint _expirySeconds;
    private int _secondsAway;

    // The connection.
    private readonly Queue<string> _direct = new();
    private readonly List<Open> _seen = [];
    private Client? _client;
    private int _receiveMaximum;
    private int _read;

    public Session? Session => _client?.Session;

    public void Connect(bool cleanStart, uint expirySeconds, int receiveMaximum)
    {
        Client? previous = _client;
        if (cleanStart || (previous is not null && _expirySeconds == 0)) Forget();
        _client = bench.Connect(id, cleanStart, expirySeconds, receiveMaximum);
        if (previous is not null) Assert.Equal(ReasonCode.SessionTakenOver, previous.Link.ClosedWith);
        Assert.Equal(_exists, _client.Link.SessionPresent);
        _exists = true;
        (_expirySeconds, _receiveMaximum) = (expirySeconds, receiveMaximum);
        NewConnection();
    }

    public void Disconnect(uint? newExpirySeconds)
    {
        if (_client is null) return;
        if (_expirySeconds == 0) newExpirySeconds = null;
        _client.Disconnect(newExpirySeconds: newExpirySeconds);
        _client = null;
        _expirySeconds = newExpirySeconds ?? _expirySeconds;
        _secondsAway = 0;
        if (_expirySeconds == 0) Forget();
        NewConnection();
    }

    public void Subscribe(string filter, int qos)
    {
        if (_client is null) return;
        Assert.Equal((ReasonCode)qos, _client.Subscribe(filter, (QoS)qos));
        _filters[filter] = qos;
    }

    public void Unsubscribe(string filter)
    {
        if (_client is null) return;
        Assert.Equal(_filters.Remove(filter) ? ReasonCode.Success : ReasonCode.NoSubscriptionExisted, _client.Unsubscribe(filter));
    }

    /// <summary>Notes what a publish must bring.</summary>
    public void Expect(string topic, string payload, int qos)
    {
        int[] granted = [.. _filters.Where(one => Topics.Naive.Matches(one.Key, topic)).Select(one => one.Value)];
        if (granted.Length == 0) return;
        int lower = Math.Min(qos, granted.Max());
        if (lower > 0) _waiting.Enqueue((payload, lower));
        else if (_client is not null) _direct.Enqueue(payload);
    }

    /// <summary>Answers one of the messages received on this connection and still open.</summary>
    public void Acknowledge(int which)
    {
        if (_client is null || _seen.Count == 0) return;
        Open open = _seen[which % _seen.Count];
        if (open.IsReleased || open.QoS == 1)
        {
            Assert.Equal(AckOutcome.Done, open.IsReleased ? _client.Pubcomp(open.Id) : _client.Puback(open.Id));
            _seen.Remove(open);
            _open.Remove(open);
        }
        else
        {
            Assert.Equal(AckOutcome.Done, _client.Pubrec(open.Id));
            Packet pubrel = _client.Sent[^1];
            Assert.Equal((PacketType.Pubrel, open.Id), (pubrel.Type, pubrel.Id));
            open.IsReleased = true;
            Check(upTo: _client.Sent.Count - 1);
            _read++;
        }
    }

    public void Pump() => _client?.Pump();

    public void ToggleRoom()
    {
        if (_client is not null) _client.Link.HasRoom = !_client.Link.HasRoom;
    }

    public void Pass(int seconds)
    {
        if (_client is not null || !_exists) return;
        _secondsAway += seconds;
        if (_secondsAway >= _expirySeconds) Forget();
        Assert.Equal(_exists, bench.Broker.FindSession(id) is not null);
    }

    /// <summary>Compares what has been sent since the last look.</summary>
    public void Check() => Check(_client?.Sent.Count ?? 0);

    /// <summary>Everything still owed comes, once the client takes it.</summary>
    public void Drain()
    {
        if (!_exists) return;
        Connect(cleanStart: false, expirySeconds: 100, receiveMaximum: 3);
        do
        {
            Acknowledge(0);
            Pump();
            Check();
        }
        while (_seen.Count > 0);

        Assert.Empty(_waiting);
        Assert.Empty(_open);
        Assert.Empty(_direct);
        Assert.Equal(0, _client!.Session.PendingMessages);
    }

    private void Check(int upTo)
    {
        for (; _read < upTo; _read++) Read(_client!.Sent[_read]);
        Assert.Empty(_direct);
    }

    private void Read(Packet packet)
    {
        if (packet is { Type: PacketType.Publish, QoS: QoS.AtMostOnce })
        {
            Assert.Equal(_direct.Dequeue(), packet.Payload);
            return;
        }

        // Packets only to be released may be more than the client takes at once, messages may not.
        Assert.True(packet.Type == PacketType.Pubrel || _seen.Count < _receiveMaximum, "the Receive Maximum is passed");
        if (_seen.Count < _open.Count)
        {
            ReadResend(packet, _open.First(one => !_seen.Contains(one)));
            return;
        }

        Assert.Equal((PacketType.Publish, false), (packet.Type, packet.Dup));
        (string payload, int qos) = _waiting.Dequeue();
        Assert.Equal((payload, qos), (packet.Payload, (int)packet.QoS));
        Assert.DoesNotContain(_open, one => one.Id == packet.Id);
        var open = new Open(packet.Id, payload, qos);
        _open.Add(open);
        _seen.Add(open);
    }

    /// <summary>The open messages of earlier connections come first, in their order.</summary>
    private void ReadResend(Packet packet, Open next)
    {
        Assert.Equal((next.IsReleased ? PacketType.Pubrel : PacketType.Publish, next.Id), (packet.Type, packet.Id));
        if (!next.IsReleased) Assert.Equal((next.Payload, next.QoS, true), (packet.Payload, (int)packet.QoS, packet.Dup));
        _seen.Add(next);
    }

    private void Forget()
    {
        _filters.Clear();
        _waiting.Clear();
        _open.Clear();
        _exists = false;
    }

    private void NewConnection()
    {
        _direct.Clear();
        _seen.Clear();
        _read = 0;
    }

    /// <summary>A message sent and not yet done with.</summary>
    private sealed class Open(ushort id, string payload, int qos)
    {
        public ushort Id => id;

        public string Payload => payload;

        public int QoS => qos;

        public bool IsReleased { get; set; }
    }
}
