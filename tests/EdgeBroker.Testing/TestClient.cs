using System.Buffers;
using System.IO.Pipelines;
using EdgeBroker.Protocol;

namespace EdgeBroker.Testing;

/// <summary>
/// A client that sends exactly the bytes a test gives it and checks exactly what comes back. It reads only when asked to, acknowledges nothing by itself, and
/// never waits for nothing: <see cref="ExpectNothingAsync"/> fences with PINGREQ. For one test thread.
/// </summary>
public sealed partial class TestClient : IAsyncDisposable
{
    private readonly IDuplexPipe _pipe;
    private readonly string _name;
    private readonly Func<Task>? _over;
    private readonly WatchedReader? _reader;
    private readonly IAsyncDisposable? _stream;
    private readonly Queue<ReceivedPacket> _unread = new();
    private int _lastPacketId;
    private long _sentBytes;
    private bool _ended;
    private bool _disposed;

    internal TestClient(IDuplexPipe pipe, ProtocolVersion version, string name, Func<Task>? over, WatchedReader? reader, IAsyncDisposable? stream = null)
    {
        _pipe = pipe;
        _name = name;
        _over = over;
        _reader = reader;
        _stream = stream;
        Packets = Packets.Of(version);
    }

    /// <summary>A client over any stream, such as TLS.</summary>
    public static TestClient Over(Stream stream, ProtocolVersion version, string name) =>
        new(new StreamPipe(PipeReader.Create(stream), PipeWriter.Create(stream)), version, name, over: null, reader: null, stream);

    /// <summary>Makes packets of the client's version.</summary>
    public Packets Packets { get; }

    /// <summary>The CONNACK that let the client in.</summary>
    public ReceivedPacket Connack { get; private set; } = null!;

    private ProtocolVersion Version => Packets.Version;

    /// <summary>Sends bytes, whole or broken packets alike.</summary>
    public async Task SendAsync(params byte[][] packets)
    {
        foreach (byte[] packet in packets)
        {
            _pipe.Output.Write(packet);
            _sentBytes += packet.Length;
        }

        await Deadline.Within(_pipe.Output.FlushAsync().AsTask(), $"{_name} to send");
    }

    /// <summary>Sends bytes one at a time, each in a write of its own.</summary>
    public async Task SendByteByByteAsync(params byte[] packet)
    {
        foreach (byte one in packet) await SendAsync([one]);
    }

    /// <summary>The packet identifiers of the client's own requests: 1, 2, 3...</summary>
    public int NextPacketId() => ++_lastPacketId;

    /// <summary>The next packet from the broker.</summary>
    public async Task<ReceivedPacket> ReceiveAsync(string expected = "a packet") =>
        await TryReceiveAsync(expected) ?? throw new ExpectationException($"{_name} expected {expected}, and the broker closed the connection");

    /// <summary>
    /// Waits until the broker has handled what was sent so far and has had its iterations to send what follows from it. What came meanwhile is kept for later.
    /// </summary>
    public async Task FenceAsync()
    {
        // What a session owes is sent in the connection's next iteration, which may come just after the answer to a ping, but not after a third.
        for (int i = 0; i < 3; i++)
        {
            await SendAsync(Packets.Pingreq());
            await AwaitAsync(packet => packet.Type == PacketType.Pingresp, "PINGRESP");
        }
    }

    /// <summary>Waits until the broker has been given all that was sent, which it may not look at yet.</summary>
    public Task GivenAsync() => Deadline.Within(_reader!.WhenReadAsync(_sentBytes), $"the broker to be given what {_name} sent");

    /// <summary>Waits until the broker has looked at everything sent, also at part of a packet, behind which no fence can stand. Over memory only.</summary>
    public Task TakenAsync() => Deadline.Within(_reader!.WhenExaminedAsync(_sentBytes), $"the broker to take what {_name} sent");

    /// <summary>Goes without a word, as when a cable is pulled, and waits until the broker has noticed.</summary>
    public async Task DropAsync()
    {
        await _pipe.Output.CompleteAsync();
        if (_over is not null)
        {
            while (await ReadAsync("the end") is not null)
            {
            }

            await _over();
        }

        await DisposeAsync();
    }

    /// <summary>Sends DISCONNECT and waits until the broker has closed the connection.</summary>
    public async Task DisconnectAsync(ReasonCode reason = ReasonCode.Success, byte[]? properties = null)
    {
        await SendAsync(Packets.Disconnect(reason, properties));
        await ExpectClosedAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_disposed) return;
        _disposed = true;
        await _pipe.Output.CompleteAsync();
        await _pipe.Input.CompleteAsync();
        if (_stream is not null) await _stream.DisposeAsync();
    }

    private async Task<ReceivedPacket?> TryReceiveAsync(string expected) => _unread.TryDequeue(out ReceivedPacket? packet) ? packet : await ReadAsync(expected);

    /// <summary>Waits for one packet and keeps what comes before it for later.</summary>
    private async Task<ReceivedPacket> AwaitAsync(Func<ReceivedPacket, bool> wanted, string expected)
    {
        for (int i = _unread.Count; i > 0; i--)
        {
            ReceivedPacket packet = _unread.Dequeue();
            if (!wanted(packet))
            {
                _unread.Enqueue(packet);
                continue;
            }

            for (int rest = i - 1; rest > 0; rest--) _unread.Enqueue(_unread.Dequeue());
            return packet;
        }

        while (true)
        {
            ReceivedPacket packet = await ReadAsync(expected)
                ?? throw new ExpectationException($"{_name} expected {expected}, and the broker closed the connection");
            if (wanted(packet)) return packet;
            _unread.Enqueue(packet);
        }
    }

    /// <summary>Reads a packet from the wire; null at its end.</summary>
    private async Task<ReceivedPacket?> ReadAsync(string expected)
    {
        while (!_ended)
        {
            ReadResult result;
            try
            {
                result = await Deadline.Within(_pipe.Input.ReadAsync().AsTask(), $"{_name} to receive {expected}");
            }
            catch (IOException)
            {
                // A socket that was reset is closed, too.
                _ended = true;
                return null;
            }

            if (TryCut(result.Buffer, out byte[] packet, out SequencePosition end))
            {
                _pipe.Input.AdvanceTo(end);
                return ReceivedPacket.Read(packet, Version);
            }

            if (result.IsCompleted && !result.Buffer.IsEmpty)
            {
                throw new ExpectationException($"the broker closed {_name} in the middle of a packet: {Convert.ToHexString(result.Buffer.ToArray())}");
            }

            _pipe.Input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            _ended = result.IsCompleted;
        }

        return null;
    }

    private static bool TryCut(in ReadOnlySequence<byte> buffer, out byte[] packet, out SequencePosition end)
    {
        packet = [];
        end = buffer.Start;
        byte[] head = buffer.Slice(0, Math.Min(buffer.Length, 5)).ToArray();
        long length = 0;
        for (int i = 1; i < head.Length; i++)
        {
            length |= (long)(head[i] & 0x7F) << (7 * (i - 1));
            if ((head[i] & 0x80) != 0) continue;
            length += i + 1;
            if (buffer.Length < length) return false;
            end = buffer.GetPosition(length);
            packet = buffer.Slice(0, length).ToArray();
            return true;
        }

        return false;
    }

    private sealed record StreamPipe(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
