using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bench.Tests;

/// <summary>What a faulty broker does with a message.</summary>
internal enum Fault
{
    None,
    Lose,
    Repeat,
    HoldBack,
    Corrupt,
    Disconnect,
}

/// <summary>
/// As much of an MQTT 3.1.1 broker as one publisher at QoS 0 or 1, its subscriber and clients beside them need, on a loopback port; what it does wrong, and
/// with which message, is the test's choice.
/// </summary>
internal sealed class FaultyBroker : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<int, Fault> _faultOf;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, NetworkStream> _subscribers = new(StringComparer.Ordinal);
    private byte[]? _held;
    private int _messages;
    private int _handled;
    private volatile bool _hasHungUp;

    public FaultyBroker(Func<int, Fault> faultOf)
    {
        _faultOf = faultOf;
        _listener.Start();
        Accepting = AcceptAsync();
    }

    /// <summary>Whether it loses every message of the clients beside the load, which <c>faultOf</c> is not asked about.</summary>
    public bool LosesBeside { get; init; }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Whether nothing more comes of it: it has handled so many messages, or has hung up. Any thread.</summary>
    public bool IsDoneWith(int messages) => _hasHungUp || Volatile.Read(ref _handled) == messages;

    private Task Accepting { get; }

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true) serving.Add(ServeAsync(await _listener.AcceptTcpClientAsync()));
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using TcpClient owned = client;
        NetworkStream stream = client.GetStream();
        byte[] buffer = new byte[64 * 1024];
        int length = 0;
        try
        {
            while (true)
            {
                int count = await stream.ReadAsync(buffer.AsMemory(length));
                if (count == 0) return;
                length += count;
                int consumed = Handle(buffer.AsSpan(0, length), stream);
                if (consumed < 0) return;
                buffer.AsSpan(consumed, length - consumed).CopyTo(buffer);
                length -= consumed;
            }
        }
        catch (IOException)
        {
            // The other end is gone, which is how a run may end.
        }
    }

    private int Handle(ReadOnlySpan<byte> bytes, NetworkStream stream)
    {
        int at = 0;
        while (Frame.Cut(bytes[at..], int.MaxValue, out Frame frame, out _) == FrameStatus.Complete)
        {
            at += frame.Length;
            switch (frame.Type)
            {
                case PacketType.Connect: stream.Write([0x20, 2, 0, 0]); break;
                case PacketType.Pingreq: stream.Write([0xD0, 0]); break;
                case PacketType.Subscribe: Subscribe(frame, stream); break;
                case PacketType.Publish: if (!Publish(bytes[(at - frame.Length)..at], stream)) return -1; break;
                case PacketType.Disconnect: return -1;
            }
        }

        return at;
    }

    private void Subscribe(in Frame frame, NetworkStream stream)
    {
        SubscribePacket.TryParse(frame, ProtocolVersion.V311, out SubscribePacket subscribe, out _);
        foreach (SubscriptionRequest request in subscribe)
        {
            lock (_lock) _subscribers[Encoding.UTF8.GetString(request.Filter)] = stream;
        }

        stream.Write([0x90, 3, frame.Body[0], frame.Body[1], frame.Body[^1]]);
    }

    private bool Publish(ReadOnlySpan<byte> packet, NetworkStream publisher)
    {
        Frame.Cut(packet, int.MaxValue, out Frame frame, out _);
        PublishPacket.TryParse(frame, ProtocolVersion.V311, out PublishPacket publish, out _);
        byte[] copy = packet.ToArray();
        string topic = Encoding.UTF8.GetString(publish.Topic);
        if (topic.Contains("/beside/", StringComparison.Ordinal))
        {
            if (!LosesBeside) Deliver(topic, copy);
            return true;
        }

        Fault fault = _faultOf(_messages++);
        if (fault == Fault.Corrupt) copy[^1] ^= 0xFF;
        if (fault == Fault.HoldBack) _held = copy;
        else if (fault != Fault.Lose) Deliver(topic, copy);
        if (fault == Fault.Repeat) Deliver(topic, copy);
        if (fault == Fault.None && _held is { } held)
        {
            _held = null;
            Deliver(topic, held);
        }

        if (publish.QoS == QoS.AtLeastOnce)
        {
            var puback = new ArrayBufferWriter<byte>();
            new AckPacket { Type = PacketType.Puback, PacketId = publish.PacketId }.Write(puback, ProtocolVersion.V311);
            publisher.Write(puback.WrittenSpan);
        }

        Interlocked.Increment(ref _handled);
        _hasHungUp = fault == Fault.Disconnect;
        return !_hasHungUp;
    }

    private void Deliver(string topic, byte[] packet)
    {
        lock (_lock)
        {
            if (_subscribers.TryGetValue(topic, out NetworkStream? subscriber)) subscriber.Write(packet);
        }
    }
}
