using System.Diagnostics.CodeAnalysis;
using EdgeBroker.Crash.Tests.History;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Crash.Tests.Clients;

/// <summary>
/// Publishes at QoS 1 and 2 and remembers what is not acknowledged: after a reconnect it sends it again, in order, with the same identifiers and DUP
/// [MQTT-4.4.0-1]. Identifiers are taken from a small range, so that one the broker forgot to release is soon used again.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore that nobody waits for by handle holds nothing.")]
public sealed class Publisher : SessionClient
{
    private const int Identifiers = 48;
    private const int LongestBurst = 12;
    private const int ClearPercent = 10;

    private readonly PublisherPlan _plan;
    private readonly Random _random;
    private readonly LinkedList<Outgoing> _outgoing = new();

    // Held from a message's number to its bytes: who asks for last messages must not overtake what the publisher itself has just begun.
    private readonly SemaphoreSlim _sending = new(1);
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _lastNumber;
    private int _lastPacketId;
    private bool _sessionIsNew;
    private bool _hasResent;

    /// <param name="identity">Who it is.</param>
    /// <param name="plan">What it publishes.</param>
    /// <param name="history">What has happened so far.</param>
    /// <param name="random">Chooses topics, sizes and pauses.</param>
    public Publisher(ClientIdentity identity, PublisherPlan plan, RunHistory history, Random random)
        : base(identity, history)
    {
        _plan = plan;
        _random = random;
        Remember();
    }

    /// <summary>How many messages are not finished.</summary>
    public int Unfinished
    {
        get
        {
            lock (SyncRoot) return _outgoing.Count;
        }
    }

    /// <summary>Called when a message has its number and is not sent yet; null: not at all. For tests of the publisher itself.</summary>
    public Action? BeforeSending { get; set; }

    /// <inheritdoc/>
    protected override bool HasFinished => _hasResent && _outgoing.Count == 0;

    /// <summary>
    /// Publishes some messages to each of its topics, whatever else it does, and returns when they are sent; false when the connection ended.
    /// </summary>
    public async Task<bool> PublishToEachTopicAsync(int count)
    {
        for (int i = 0; i < count; i++)
        {
            foreach (PlannedTopic topic in _plan.Topics)
            {
                MqttLink? link;
                lock (SyncRoot) link = Link;
                if (link is null || !await PublishAsync(link, topic, CancellationToken.None)) return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    protected override void Apply(in HistoryEvent e)
    {
        int packetId = e.PacketId;
        switch (e.Kind)
        {
            case EventKind.Connected:
                _sessionIsNew = e.Number == 0;
                _hasResent = false;
                // Without a session the broker knows nothing of a half-finished exchange; the message itself is with it.
                if (_sessionIsNew) RemoveWhere(o => o.IsReceived);
                break;
            case EventKind.PublishSent:
                _outgoing.AddLast(new Outgoing(e.Message, packetId));
                _lastNumber = Math.Max(_lastNumber, History.MessageAt(e.Message).Number);
                _lastPacketId = packetId;
                break;
            case EventKind.Received:
                // PUBRELs go in the order of the PUBRECs [MQTT-4.6.0-4].
                Outgoing received = _outgoing.First(o => o.PacketId == packetId && !o.IsReceived);
                received.IsReceived = true;
                _outgoing.Remove(received);
                _outgoing.AddLast(received);
                break;
            case EventKind.Acknowledged or EventKind.Completed or EventKind.Refused:
                RemoveWhere(o => o.PacketId == packetId);
                break;
        }

        _changed.TrySetResult();
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <inheritdoc/>
    protected override void Receive(ReceivedPacket packet, MemoryStream answers)
    {
        lock (SyncRoot)
        {
            Outgoing? outgoing = _outgoing.FirstOrDefault(o => o.PacketId == packet.PacketId);
            int qos = outgoing is null ? 0 : History.MessageAt(outgoing.Message).QoS;
            bool isExpected = packet.Type switch
            {
                PacketType.Puback => qos == 1,
                PacketType.Pubrec => qos == 2 && !outgoing!.IsReceived,
                PacketType.Pubcomp => qos == 2 && outgoing!.IsReceived,
                _ => false,
            };
            if (!isExpected)
            {
                Happened(EventKind.ProtocolBroken, packet.PacketId, text: $"not expected: {packet}");
            }
            else if ((int)packet.Reason >= 0x80 && packet.Type != PacketType.Pubcomp)
            {
                Happened(EventKind.Refused, packet.PacketId, outgoing!.Message, text: packet.Reason.ToString());
            }
            else if (packet.Type == PacketType.Puback)
            {
                Happened(EventKind.Acknowledged, packet.PacketId, outgoing!.Message);
            }
            else if (packet.Type == PacketType.Pubcomp)
            {
                Happened(EventKind.Completed, packet.PacketId, outgoing!.Message);
            }
            else
            {
                Happened(EventKind.Received, packet.PacketId, outgoing!.Message);
                answers.Write(Packets.Of(Identity.Version).Pubrel(packet.PacketId));
            }
        }
    }

    /// <inheritdoc/>
    protected override async Task ActAsync(MqttLink link, CancellationToken ended)
    {
        if (!await ResendAsync(link)) return;
        TimeSpan longestPause = _plan.LongestPause ?? TimeSpan.FromMilliseconds(20);
        while (!ended.IsCancellationRequested)
        {
            for (int left = IsDraining ? 0 : _random.Next(1, LongestBurst); left > 0 && !IsDraining; left--)
            {
                if (!await PublishAsync(link, _plan.Topics[_random.Next(_plan.Topics.Count)], ended)) return;
            }

            await Task.Delay(longestPause * _random.NextDouble(), ended);
        }
    }

    /// <summary>Sends again what is not finished: what had PUBREC is released, the rest published.</summary>
    private async Task<bool> ResendAsync(MqttLink link)
    {
        await _sending.WaitAsync();
        try
        {
            using var packets = new MemoryStream();
            lock (SyncRoot)
            {
                _hasResent = true;
                foreach (Outgoing outgoing in _outgoing.ToArray())
                {
                    if (outgoing.IsReceived)
                    {
                        packets.Write(link.Packets.Pubrel(outgoing.PacketId));
                        continue;
                    }

                    Happened(EventKind.PublishResent, outgoing.PacketId, outgoing.Message);
                    packets.Write(Encode(link, History.MessageAt(outgoing.Message), outgoing.PacketId, dup: !_sessionIsNew));
                }
            }

            return await link.TrySendAsync(packets.ToArray());
        }
        finally
        {
            _sending.Release();
        }
    }

    private async Task<bool> PublishAsync(MqttLink link, PlannedTopic topic, CancellationToken ended)
    {
        while (true)
        {
            Task changed;
            await _sending.WaitAsync(ended);
            try
            {
                byte[]? packet = null;
                lock (SyncRoot)
                {
                    // What is not finished goes first.
                    if (Link != link || !_hasResent) return false;
                    changed = _changed.Task;
                    if (_outgoing.Count < _plan.Window) packet = Start(link, topic);
                }

                if (packet is not null)
                {
                    BeforeSending?.Invoke();
                    return await link.TrySendAsync(packet);
                }
            }
            finally
            {
                _sending.Release();
            }

            await changed.WaitAsync(ended);
        }
    }

    /// <summary>Gives a new message its number, its identifier and its place; under the lock.</summary>
    private byte[] Start(MqttLink link, PlannedTopic topic)
    {
        int number = _lastNumber + 1;
        int least = SentMessage.LeastBytes(Identity.Number, number);
        // Mostly small, sometimes large, as sensors and cameras are.
        int bytes = least + (int)(Math.Pow(_random.NextDouble(), 4) * _plan.LargestBytes);
        if (topic.Retain && _random.Next(100) < ClearPercent) bytes = 0;
        int packetId = _lastPacketId;
        do packetId = (packetId % Identifiers) + 1;
        while (_outgoing.Any(o => o.PacketId == packetId));
        var message = new SentMessage(Identity.Number, number, topic.Name, topic.QoS, topic.Retain, bytes);
        Apply(History.AddPublish(message, packetId));
        return Encode(link, message, packetId, dup: false);
    }

    private void RemoveWhere(Predicate<Outgoing> matches)
    {
        for (LinkedListNode<Outgoing>? node = _outgoing.First; node is not null;)
        {
            LinkedListNode<Outgoing>? next = node.Next;
            if (matches(node.Value)) _outgoing.Remove(node);
            node = next;
        }
    }

    private static byte[] Encode(MqttLink link, SentMessage message, int packetId, bool dup) =>
        link.Packets.Publish(message.Topic, message.Payload(), message.QoS, packetId, message.Retain, dup);

    private sealed class Outgoing(int message, int packetId)
    {
        public int Message => message;

        public int PacketId => packetId;

        public bool IsReceived { get; set; }
    }
}
