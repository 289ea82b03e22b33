using System.Globalization;
using EdgeBroker.Core;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Storage.Tests.Journal;

/// <summary>One history on two brokers, with memory and with a store, compared after each step.</summary>
internal sealed class TwinHistory : IAsyncDisposable
{
    private static readonly string[] Topics = ["a", "b", "c/d"];
    private static readonly string[] Filters = ["a", "b", "c/d", "+", "#", "c/#"];

    private readonly List<TemporaryDirectory> _directories = [new()];
    private readonly TwinClient[] _clients = [.. Enumerable.Range(0, 3).Select(i => new TwinClient("c" + i))];
    // Away until the end, with a policy of its own that keeps QoS 0.
    private readonly TwinClient _absent = new("absent");
    private readonly Dictionary<string, long> _expiries = [];
    private readonly TestBroker _memory;
    private readonly bool _restarts;
    private readonly bool _expires;
    private readonly bool _moves;
    private readonly MqttOptions _limits;
    private StoredBroker _stored;
    private long _nowSeconds;
    private int _messages;

    // A session with a policy of its own does not move.
    private IEnumerable<TwinClient> All => _moves ? _clients : [.. _clients, _absent];

    /// <param name="expires">Whether messages expire; else the queue's limit is reached and retained messages come to who subscribes. Not both: messages that
    /// expired on disk are dropped at once, those in memory when their turn comes, and until then they count in the limit.</param>
    /// <param name="restarts">Whether the broker with the store is restarted.</param>
    /// <param name="moves">Whether, where it would be, all sessions move to another broker first, which has a store of its own.</param>
    public TwinHistory(bool expires, bool restarts, bool moves = false)
    {
        _expires = expires;
        _restarts = restarts;
        _moves = moves;
        MqttOptions limits = _limits = TestBrokerOptions.Quiet with { MaxQueuedMessages = expires ? 10_000 : 24, ReceiveMaximum = 1000 };
        _memory = new TestBroker(limits);
        _stored = StoredBroker.Start(_directories[0], new StorageOptions { Durability = StoreDurability.Strict }, limits);
        var policy = new QueuePolicy(expires ? 10_000 : 40, 1_000_000, MaxAge: null, MaxStoreBytes: null, QueueOverflow.DropOldest, KeepsQoS0: true);
        if (moves) return;
        foreach (Broker broker in new[] { _memory.Broker, _stored.Broker.Broker }) AbsentSession.Begin(broker, _absent.Id, "#", policy);
    }

    public async Task RunAsync((int Op, int A, int B)[] steps)
    {
        foreach ((int op, int a, int b) in steps)
        {
            // Who is away stays away for a while: somebody else acts.
            TwinClient client = _clients[a % 3];
            if (op is >= 15 and < 41 && !client.IsConnected) client = _clients.FirstOrDefault(one => one.IsConnected) ?? client;
            await StepAsync(client, op, a / 3, b);
            await CompareAsync();
        }

        if (_restarts) await RestartAsync(steps.Length % 2 == 0, 0);
        await DrainAsync();
        await CompareRetainedAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _memory.DisposeAsync();
        await _stored.DisposeAsync();
        foreach (TemporaryDirectory directory in _directories) directory.Dispose();
    }

    private async Task StepAsync(TwinClient client, int op, int a, int b)
    {
        if (op >= 44)
        {
            if (_restarts) await RestartAsync(crash: b % 2 == 0, downSeconds: a % 3 * 20);
        }
        else if (op >= 41)
        {
            Advance(b % 4 == 0 ? 60 : 1);
        }
        else if (op < 5 || !client.IsConnected)
        {
            await client.ConnectAsync(_memory, _stored.Broker, cleanStart: b % 5 == 0, expirySeconds: b % 4 == 0 ? 0u : 100, receiveMaximum: 1 + (a % 4));
        }
        else
        {
            await (op switch
            {
                < 7 => client.DropAsync(),
                < 9 => DisconnectAsync(client, b),
                < 14 => SubscribeAsync(client, a, b),
                < 15 => client.SendAsync((packets, packetId) => packets.Unsubscribe(packetId, Filters[b % Filters.Length])),
                < 26 => PublishAsync(client, a, b),
                < 28 => BurstAsync(client, a, b),
                < 29 => client.BeginPublishAsync(Topics[b % 3], Payload()),
                < 31 => client.GoOnPublishingAsync(release: b % 2 == 0),
                < 37 => client.AcknowledgeAsync(0),
                _ => client.AcknowledgeAsync(b),
            });
        }
    }

    // A session that was to end with its connection may not be told to stay.
    private Task DisconnectAsync(TwinClient client, int b)
    {
        uint? newExpiry = b % 3 == 0 ? 0 : b % 3 == 1 && CanExtend(client) ? 200u : null;
        return client.DisconnectAsync(newExpiry is { } seconds ? Prop.SessionExpiry(seconds) : null);
    }

    private bool CanExtend(TwinClient client) => _memory.Broker.FindSession(client.Id)!.OutlivesConnection;

    private Task SubscribeAsync(TwinClient client, int a, int b)
    {
        // One client shares. Members take turns from the first one on again after a restart, and what an ended member left on disk is handed on when it has
        // been read back: who has joined meanwhile gets it, too.
        bool shared = a % 4 == 0 && !_expires && !_moves && client == _clients[0];
        string filter = Filters[b % Filters.Length];
        int qos = b / 6 % 3;
        // What is owed of retained messages is not stored, as the subscriber can ask again.
        int retainHandling = _expires || _restarts ? 2 : a / 4 % 3;
        int options = qos | (!shared && a % 5 == 0 ? 4 : 0) | (a % 3 == 0 ? 8 : 0) | (retainHandling << 4);
        byte[]? identifier = a % 2 == 0 ? Prop.SubscriptionIdentifier(1 + (b % 300)) : null;
        return client.SendAsync((packets, packetId) => packets.Subscribe(packetId, shared ? "$share/g/" + filter : filter, options, identifier));
    }

    private Task PublishAsync(TwinClient client, int a, int b)
    {
        string payload = Payload();
        bool retain = b % 7 == 0 && !_moves;
        // Retained ones with QoS 2 are taken into the queue several at once where they wait for the disk, and one by one in memory: between others they stand
        // elsewhere.
        int qos = retain ? b % 2 : b % 3;
        if (retain && a % 5 == 0) payload = "";
        return client.PublishAsync(Topics[a % 3], payload, qos, retain, payload.Length > 0 && _expires && a % 4 == 0 ? Expiry(payload, 30 + (b % 60)) : null);
    }

    /// <summary>More than the queue's front, so that what is behind it is let go and read back.</summary>
    private async Task BurstAsync(TwinClient client, int a, int b)
    {
        for (int i = 0; i < 10 + (b % 10); i++)
        {
            string payload = Payload();
            byte[]? expiry = _expires && i % 4 == a % 4 ? Expiry(payload, 30 + (b % 60)) : null;
            await client.SendAsync((packets, packetId) => packets.Publish(Topics[a % 3], payload, 1, packetId, properties: expiry));
        }
    }

    private string Payload() => "m" + (++_messages).ToString(CultureInfo.InvariantCulture);

    private byte[] Expiry(string payload, int seconds)
    {
        _expiries[payload] = _nowSeconds + seconds;
        return Prop.MessageExpiry((uint)seconds);
    }

    private bool IsExpired(string payload) => _expiries.TryGetValue(payload, out long at) && at <= _nowSeconds;

    private void Advance(int seconds)
    {
        _nowSeconds += seconds;
        _memory.Advance(seconds);
        _stored.Wall.Advance(TimeSpan.FromSeconds(seconds));
        _stored.Broker.Advance(seconds);
    }

    private async Task CompareAsync(bool restarted = false)
    {
        TwinClient[] connected = [.. All.Where(one => one.IsConnected)];
        // What one client sent is handled before another one is asked what it brought.
        foreach (TwinClient client in connected)
        {
            await client.Memory.Connection!.FenceAsync();
            await client.Stored.Connection!.FenceAsync();
        }

        foreach (TwinClient client in connected)
        {
            List<ReceivedPacket> expected = await client.Memory.CollectAsync(0, _memory.RunDue);
            if (restarted) await FinishExpiredAsync(client, expected);
            List<ReceivedPacket> actual = await client.Stored.CollectAsync(expected.Count, _stored.Broker.RunDue);
            // QoS 2 waits for the disk before it is seen, and QoS 0, which a shared subscription beside an ordinary one may bring of the same message, does
            // not.
            AssertSame(client, expected, actual, packet => packet is { Type: PacketType.Publish, QoS: 0 });
            AssertSame(client, expected, actual, packet => packet is { Type: PacketType.Publish, QoS: > 0 });
            AssertSame(client, expected, actual, packet => packet.Type == PacketType.Pubrel, inOrder: !restarted);
            AssertSame(client, expected, actual, packet => packet.Type is not (PacketType.Publish or PacketType.Pubrel));
        }

        foreach (TwinClient client in All)
        {
            Session? one = _memory.Broker.FindSession(client.Id), other = _stored.Broker.Broker.FindSession(client.Id);
            Assert.Equal(one is null, other is null);
            // Those that expired on disk are gone, those in memory go when their turn comes.
            if (_expires || one is null) continue;
            // What an ended session leaves to another member of its group is read back first.
            await Deadline.Until(
                () =>
                {
                    _stored.Broker.RunDue();
                    return one.PendingMessages == other!.PendingMessages;
                },
                $"{one.PendingMessages} messages to wait for {client.Id}, not {other!.PendingMessages}");
        }

        if (!_expires) Assert.Equal(_memory.Broker.Retained.Count, _stored.Broker.Broker.Retained.Count);
    }

    private void AssertSame(
        TwinClient client, List<ReceivedPacket> expected, List<ReceivedPacket> actual, Func<ReceivedPacket, bool> among, bool inOrder = true)
    {
        // A position that was done with before it was written is given out again after a restart; identifiers follow from positions.
        IEnumerable<string> one = expected.Where(among).Select(packet => client.Memory.Describe(packet, withId: !_restarts));
        IEnumerable<string> other = actual.Where(among).Select(packet => client.Stored.Describe(packet, withId: !_restarts));
        if (!inOrder) (one, other) = (one.Order(StringComparer.Ordinal), other.Order(StringComparer.Ordinal));
        Assert.Equal($"{client.Id}: {string.Join("; ", one)}", $"{client.Id}: {string.Join("; ", other)}");
    }

    /// <summary>
    /// Of a message in flight the store knows only that it may have been sent, so that after a restart one that has expired counts as not begun and is dropped;
    /// in memory its delivery is finished.
    /// </summary>
    private async Task FinishExpiredAsync(TwinClient client, List<ReceivedPacket> expected)
    {
        foreach (ReceivedPacket packet in expected.Where(one => one.Type == PacketType.Publish && IsExpired(one.PayloadText)).ToList())
        {
            Assert.True(packet.Dup);
            expected.Remove(packet);
            await client.FinishInMemoryAsync(client.Memory.Open.Single(one => one.PacketId == packet.PacketId));
        }
    }

    /// <summary>All sessions move to another broker, with all that shows.</summary>
    private async Task MoveAsync()
    {
        await _stored.CommittedAsync();
        foreach (TwinClient client in _clients) await client.DropAsync();
        _directories.Add(new TemporaryDirectory());
        StoredBroker target = StoredBroker.Start(_directories[^1], new StorageOptions { Durability = StoreDurability.Strict }, _limits);
        Broker from = _stored.Broker.Broker;
        foreach (TwinClient client in _clients)
        {
            if (from.FindSession(client.Id) is { OutlivesConnection: true }) await MovedSession.MoveAsync(from, target.Broker.Broker, client.Id);
        }

        await _stored.DisposeAsync();
        _stored = target;
    }

    private async Task RestartAsync(bool crash, int downSeconds)
    {
        if (_moves) await MoveAsync();
        await _stored.CommittedAsync();
        if (!crash) foreach (TwinClient client in _clients) await client.DropAsync();
        StoredBroker previous = _stored;
        TimeSpan downFor = TimeSpan.FromSeconds(downSeconds);
        if (crash)
        {
            _directories.Add(new TemporaryDirectory());
            _stored = previous.Crash(_directories[^1], downFor);
            foreach (TwinClient client in _clients) await client.DropAsync(storedToo: false);
            await previous.DisposeAsync();
        }
        else
        {
            _stored = await previous.RestartAsync(downFor);
        }

        Assert.Equal(0, _stored.Restored.Damaged);
        _nowSeconds += downSeconds;
        _memory.Advance(downSeconds);
        _stored.Broker.Advance(0);
        // Room for all: where there is less, what was only to be released takes it before what goes out again, and not in the order of both.
        foreach (TwinClient client in _clients) await client.ConnectAsync(_memory, _stored.Broker, cleanStart: false, expirySeconds: 100, receiveMaximum: 1000);
        await CompareAsync(restarted: true);
    }

    /// <summary>All that is still owed comes.</summary>
    private async Task DrainAsync()
    {
        foreach (TwinClient client in All)
        {
            // With room for all who was away: in memory one that has expired waits for room before QoS 0 behind it goes out.
            int receiveMaximum = client == _absent ? 1000 : 20;
            await client.ConnectAsync(_memory, _stored.Broker, cleanStart: false, expirySeconds: 100, receiveMaximum);
            await CompareAsync();
            while (client.Memory.Open.Count > 0)
            {
                for (int i = client.Memory.Open.Count; i > 0; i--) await client.AcknowledgeAsync(i - 1);
                await CompareAsync();
            }

            Assert.Empty(client.Stored.Open);
            Assert.Equal(0, _memory.Broker.FindSession(client.Id)!.PendingMessages);
            Assert.Equal(0, _stored.Broker.Broker.FindSession(client.Id)!.PendingMessages);
        }
    }

    private async Task CompareRetainedAsync()
    {
        var sides = new List<string>();
        foreach (TestBroker broker in new[] { _memory, _stored.Broker })
        {
            var reader = new TwinSide();
            reader.Begin(await broker.ConnectAsync("reader"));
            await reader.Connection!.SendAsync(Packets.V5.Subscribe(1, "#", 1));
            List<ReceivedPacket> received = await reader.CollectAsync(1, broker.RunDue);
            sides.Add(string.Join("; ", received.Select(packet => reader.Describe(packet, withId: false)).Order(StringComparer.Ordinal)));
        }

        Assert.Equal(sides[0], sides[1]);
    }
}
