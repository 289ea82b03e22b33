using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using System.Text;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Bridge.Tests.Clouds;

/// <summary>One connection to the double.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore that nobody waits for by handle holds nothing.")]
internal sealed class CloudConnection(CloudServer server, Socket socket)
{
    private readonly SemaphoreSlim _writing = new(1);
    private readonly Lock _lock = new();
    private readonly Queue<ReceivedPacket> _held = new();
    private readonly ConcurrentDictionary<int, string> _sent = new();
    private readonly HashSet<int> _open = [];
    private Stream _stream = Stream.Null;
    private ConcurrentDictionary<string, int> _filters = new();
    private Packets _packets = Packets.V311;
    private int _lastId;

    private CloudRules Rules => server.Rules;

    /// <summary>Messages whose acknowledgement is held back.</summary>
    public int Held
    {
        get
        {
            lock (_lock) return _held.Count;
        }
    }

    public async Task RunAsync(Stream stream)
    {
        _stream = stream;
        byte[] connect = await ReadAsync();
        (byte[] answer, bool isIn) = Welcome(connect);
        await WriteAsync(answer);
        if (!isIn) return;
        server.Enter(this);
        while (true) await HandleAsync(await ReadAsync());
    }

    public void Cut() => socket.Dispose();

    public void ReleaseAcks()
    {
        while (true)
        {
            ReceivedPacket? next;
            lock (_lock)
            {
                if (!_held.TryDequeue(out next)) return;
            }

            _ = AnswerAsync(next);
        }
    }

    public async Task SendAsync(string topic, string payload, int qos)
    {
        int granted = _filters.Where(one => TopicFilter.Matches(Encoding.UTF8.GetBytes(one.Key), Encoding.UTF8.GetBytes(topic)))
            .Select(one => one.Value).DefaultIfEmpty(-1).Max();
        Assert.True(granted >= 0, $"nobody has subscribed to {topic}");
        int id = Interlocked.Increment(ref _lastId);
        qos = Math.Min(granted, qos);
        if (qos > 0) _sent[id] = payload;
        await WriteAsync(_packets.Publish(topic, payload, qos, id));
    }

    private static void Require(bool condition, string rule)
    {
        if (!condition) throw new CloudViolationException(rule);
    }

    private (byte[] Answer, bool IsIn) Welcome(byte[] bytes)
    {
        Frame.Cut(bytes, int.MaxValue, out Frame frame, out _);
        Require(ConnectPacket.TryParse(frame, out ConnectPacket connect, out ParseError error), "CONNECT: " + error.Explanation);
        _packets = Packets.Of(connect.Version);
        bool isV5 = connect.Version == ProtocolVersion.V5;
        string clientId = Encoding.UTF8.GetString(connect.ClientId);
        string? user = connect.HasUserName ? Encoding.UTF8.GetString(connect.UserName) : null;
        string? password = connect.HasPassword ? Encoding.UTF8.GetString(connect.Password) : null;
        Require(Rules.Versions.Contains(connect.Version), $"version {connect.Version}");
        Require(connect.KeepAliveSeconds <= Rules.KeepAliveSeconds && connect.KeepAliveSeconds > 0, $"keep-alive {connect.KeepAliveSeconds}");
        Require(clientId.Length is > 0 and <= 128, "client id");
        Require(!Rules.WantsCleanStart || connect.CleanStart, "no clean session");
        if (isV5)
        {
            Require(!Rules.RefusesExtras || !connect.Properties.Has(PropertyId.UserProperty), "a user property in CONNECT");
            Require(connect.Properties.GetNumber(PropertyId.SessionExpiryInterval, 0) <= Rules.SessionExpirySeconds, "session expiry");
        }

        if (password is not null) server.Passwords.Enqueue(password);
        if (Rules.MayLogIn is { } mayLogIn && !mayLogIn(clientId, user, password)) return (_packets.Connack(false, isV5 ? 0x86 : 4), false);
        bool isPresent = server.Subscriptions.ContainsKey(clientId) && !connect.CleanStart;
        if (!isPresent) server.Subscriptions[clientId] = new ConcurrentDictionary<string, int>();
        _filters = server.Subscriptions[clientId];
        byte[] properties = [
            .. Rules.ReceiveMaximum is { } most ? (byte[])[0x21, .. Wire.UInt16(most)] : [],
            .. Rules.MaximumQoS < 2 ? (byte[])[0x24, (byte)Rules.MaximumQoS] : []];
        return (_packets.Connack(isPresent, 0, isV5 ? properties : null), true);
    }

    private async Task HandleAsync(byte[] bytes)
    {
        Require(bytes.Length <= Rules.PacketBytes, $"a packet of {bytes.Length} bytes");
        switch ((PacketType)(bytes[0] >> 4))
        {
            case PacketType.Publish:
                await TakeAsync(ReceivedPacket.Read(bytes, _packets.Version));
                break;
            case PacketType.Puback:
                if (_sent.TryRemove(ReceivedPacket.Read(bytes, _packets.Version).PacketId, out string? payload)) server.Acknowledged.Enqueue(payload);
                break;
            case PacketType.Pubrec:
                await WriteAsync(_packets.Pubrel(ReceivedPacket.Read(bytes, _packets.Version).PacketId));
                break;
            case PacketType.Pubcomp:
                if (_sent.TryRemove(ReceivedPacket.Read(bytes, _packets.Version).PacketId, out payload)) server.Acknowledged.Enqueue(payload);
                break;
            case PacketType.Pubrel:
                ReceivedPacket released = ReceivedPacket.Read(bytes, _packets.Version);
                lock (_lock) _open.Remove(released.PacketId);
                await WriteAsync(_packets.Pubcomp(released.PacketId));
                break;
            case PacketType.Subscribe:
                await WriteAsync(Subscribe(bytes));
                break;
            case PacketType.Unsubscribe:
                await WriteAsync(Unsubscribe(bytes));
                break;
            case PacketType.Pingreq:
                await WriteAsync(Packets.Pingresp());
                break;
            case PacketType.Disconnect:
                throw new IOException("left");
            default:
                throw new CloudViolationException($"packet {bytes[0]:X2}");
        }
    }

    private async Task TakeAsync(ReceivedPacket message)
    {
        Require(message.QoS <= Rules.MaximumQoS, $"QoS {message.QoS}");
        Require(message.Payload.Length <= Rules.PayloadBytes, $"a payload of {message.Payload.Length} bytes");
        Require(message.Topic.Split('/').Length <= Rules.TopicLevels, $"a topic of {message.Topic.Split('/').Length} levels");
        Require(Encoding.UTF8.GetByteCount(message.Topic) <= Rules.TopicBytes, "a long topic");
        Require(!message.Topic.StartsWith("$SYS", StringComparison.Ordinal), "$SYS");
        Require(!message.Retain || Rules.TakesRetain, "RETAIN");
        Require(Rules.Outward is null || Array.Exists(Rules.Outward, place => message.Topic.StartsWith(place, StringComparison.Ordinal)), message.Topic);
        if (message.QoS > 0)
        {
            lock (_lock)
            {
                _open.Add(message.PacketId);
                Require(_open.Count <= Rules.Unacknowledged, $"{_open.Count} messages are unacknowledged");
            }
        }

        if (server.Sink is { } sink) sink(message.Topic, message.PayloadText);
        else server.Taken.Enqueue((message.Topic, message.PayloadText));
        bool comesBack = _filters.Keys.Any(filter => TopicFilter.Matches(Encoding.UTF8.GetBytes(filter), Encoding.UTF8.GetBytes(message.Topic)));
        if (message.QoS > 0 && server.HoldsAcks)
        {
            lock (_lock) _held.Enqueue(message);
        }
        else
        {
            await AnswerAsync(message);
        }

        // A trial listens to itself.
        if (comesBack && message.Topic.Contains("/test/", StringComparison.Ordinal)) await SendAsync(message.Topic, message.PayloadText, message.QoS);
    }

    private async Task AnswerAsync(ReceivedPacket message)
    {
        if (message.QoS == 1)
        {
            lock (_lock) _open.Remove(message.PacketId);
            await WriteAsync(_packets.Puback(message.PacketId));
        }
        else if (message.QoS == 2)
        {
            await WriteAsync(_packets.Pubrec(message.PacketId));
        }
    }

    private byte[] Subscribe(byte[] bytes)
    {
        Frame.Cut(bytes, int.MaxValue, out Frame frame, out _);
        Require(SubscribePacket.TryParse(frame, _packets.Version, out SubscribePacket packet, out ParseError error), "SUBSCRIBE: " + error.Explanation);
        Require(packet.Count <= Rules.FiltersPerSubscribe, $"{packet.Count} filters in a SUBSCRIBE");
        var codes = new List<int>();
        foreach (SubscriptionRequest request in packet)
        {
            string filter = Encoding.UTF8.GetString(request.Filter);
            int qos = (int)request.Options.MaximumQoS;
            Require(qos <= Rules.MaximumQoS, $"a subscription with QoS {qos}");
            Require(Rules.Inward is null || Array.Exists(Rules.Inward, place => filter.StartsWith(place, StringComparison.Ordinal)), filter);
            _filters[filter] = qos;
            codes.Add(qos);
        }

        Require(_filters.Count <= Rules.Subscriptions, $"{_filters.Count} subscriptions");
        return _packets.Suback(packet.PacketId, [.. codes]);
    }

    private byte[] Unsubscribe(byte[] bytes)
    {
        Frame.Cut(bytes, int.MaxValue, out Frame frame, out _);
        Require(UnsubscribePacket.TryParse(frame, _packets.Version, out UnsubscribePacket packet, out ParseError error), "UNSUBSCRIBE: " + error.Explanation);
        int count = 0;
        foreach (ReadOnlySpan<byte> filter in packet)
        {
            _filters.TryRemove(Encoding.UTF8.GetString(filter), out _);
            count++;
        }

        return _packets.Unsuback(packet.PacketId, new int[count]);
    }

    private async Task WriteAsync(byte[] packet)
    {
        await _writing.WaitAsync();
        try
        {
            await _stream.WriteAsync(packet);
            await _stream.FlushAsync();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or System.Net.WebSockets.WebSocketException)
        {
            // Whoever reads sees it, too.
        }
        finally
        {
            _writing.Release();
        }
    }

    private async Task<byte[]> ReadAsync()
    {
        List<byte> head = [await ReadByteAsync()];
        do head.Add(await ReadByteAsync());
        while ((head[^1] & 0x80) != 0);
        VariableByteInteger.Read(head.ToArray().AsSpan(1), out uint length);
        byte[] body = new byte[length];
        await _stream.ReadExactlyAsync(body);
        return [.. head, .. body];
    }

    private async Task<byte> ReadByteAsync()
    {
        byte[] one = new byte[1];
        await _stream.ReadExactlyAsync(one);
        return one[0];
    }
}
