using System.Collections.Concurrent;
using System.Text;
using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Messages;
using EdgeBroker.Coap.Tests.Codec;
using EdgeBroker.Testing;

namespace EdgeBroker.Coap.Tests.Rig;

/// <summary>What a link does with a datagram.</summary>
internal enum Fate
{
    Deliver,
    Drop,
    Duplicate,

    /// <summary>It comes behind the next one.</summary>
    Delay,
}

/// <summary>A peer: sends exact messages and looks at what comes. Its link does with each datagram what a script says.</summary>
/// <param name="receive">Takes what it sends.</param>
/// <param name="endPoint">Where it is.</param>
internal sealed class TestPeer(Action<PeerEndPoint, byte[]> receive, PeerEndPoint endPoint)
{
    // What answers later comes by other threads.
    private readonly ConcurrentQueue<byte[]> _inbox = new();
    private readonly Queue<Fate> _toServer = new();
    private readonly Queue<Fate> _toPeer = new();
    private byte[]? _delayedToServer;
    private byte[]? _delayedToPeer;
    private ushort _messageId = 1_000;

    public PeerEndPoint EndPoint { get; } = endPoint;

    public int Received { get; private set; }

    public bool HasMail => !_inbox.IsEmpty;

    /// <summary>Waits until something has come.</summary>
    public Task MailAsync() => Deadline.Until(() => HasMail, "a datagram");

    /// <summary>What becomes of the next datagrams to the server; of all others that they arrive.</summary>
    public void ToServer(params Fate[] fates) => Array.ForEach(fates, _toServer.Enqueue);

    /// <summary>What becomes of the next datagrams from the server.</summary>
    public void ToPeer(params Fate[] fates) => Array.ForEach(fates, _toPeer.Enqueue);

    public void Send(byte[] datagram)
    {
        Fate fate = _toServer.TryDequeue(out Fate next) ? next : Fate.Deliver;
        Pass(fate, datagram, ref _delayedToServer, one => receive(EndPoint, one));
    }

    public void Send(string hex) => Send(Hex.Bytes(hex));

    /// <summary>Sends a request and returns its bytes, to be sent again.</summary>
    public byte[] Send(CoapCode method, string path, RequestOptions? options = null)
    {
        byte[] datagram = Write(method, path, options ?? new RequestOptions());
        Send(datagram);
        return datagram;
    }

    /// <summary>Sends a request as CON and returns the answer that comes with its acknowledgement.</summary>
    public Answer Ask(CoapCode method, string path, RequestOptions? options = null)
    {
        byte[] sent = Send(method, path, options);
        Answer answer = Expect();
        Assert.Equal(CoapType.Acknowledgement, answer.Type);
        Assert.Equal((sent[2] << 8) | sent[3], answer.MessageId);
        Assert.Equal((options ?? new RequestOptions()).Token, answer.Token);
        return answer;
    }

    public Answer Get(string path, RequestOptions? options = null) => Ask(CoapCode.Get, path, options);

    public void Take(byte[] datagram)
    {
        Fate fate = _toPeer.TryDequeue(out Fate next) ? next : Fate.Deliver;
        Pass(fate, datagram, ref _delayedToPeer, _inbox.Enqueue);
    }

    public Answer Expect()
    {
        Assert.True(_inbox.TryDequeue(out byte[]? datagram), "nothing came");
        Received++;
        (CoapFormatError error, NaiveMessage? message) = NaiveMessage.Read(datagram);
        Assert.Equal(CoapFormatError.None, error);
        return new Answer(message!, datagram.Length);
    }

    public void ExpectNothing() => Assert.Empty(_inbox);

    /// <summary>Expects an Empty message.</summary>
    public void ExpectEmpty(CoapType type, int messageId)
    {
        Answer answer = Expect();
        Assert.Equal((type, CoapCode.Empty, messageId), (answer.Type, answer.Code, answer.MessageId));
    }

    public void Acknowledge(Answer answer) => Send([0x60, 0, (byte)(answer.MessageId >> 8), (byte)answer.MessageId]);

    public void Reset(Answer answer) => Send([0x70, 0, (byte)(answer.MessageId >> 8), (byte)answer.MessageId]);

    private static void Pass(Fate fate, byte[] datagram, ref byte[]? delayed, Action<byte[]> deliver)
    {
        byte[]? held = delayed;
        delayed = null;
        if (fate == Fate.Delay)
        {
            delayed = datagram;
        }
        else
        {
            if (fate != Fate.Drop) deliver(datagram);
            if (fate == Fate.Duplicate) deliver(datagram);
        }

        if (held is not null) deliver(held);
    }

    private byte[] Write(CoapCode method, string path, RequestOptions options)
    {
        var all = new List<(int Number, byte[] Value)>(options.Options);
        int query = path.IndexOf('?', StringComparison.Ordinal);
        if (query >= 0) all.AddRange(path[(query + 1)..].Split('&').Select(one => ((int)OptionNumber.UriQuery, Encoding.UTF8.GetBytes(one))));
        string plain = query >= 0 ? path[..query] : path;
        if (plain.Length > 0) all.AddRange(plain.Split('/').Select(one => ((int)OptionNumber.UriPath, Encoding.UTF8.GetBytes(one))));
        byte[] bytes = new byte[70_000];
        var writer = new CoapWriter(
            bytes, options.NonConfirmable ? CoapType.NonConfirmable : CoapType.Confirmable, method, options.MessageId ?? _messageId++, options.Token);
        foreach ((int number, byte[] value) in all.OrderBy(one => one.Number)) writer.Add(number, value);
        writer.AddPayload(options.Payload);
        return bytes[..writer.Length];
    }
}

/// <summary>What a request has besides method and path.</summary>
internal sealed record RequestOptions
{
    public bool NonConfirmable { get; init; }

    public ushort? MessageId { get; init; }

    public byte[] Token { get; init; } = [0xA1, 0xB2];

    public List<(int Number, byte[] Value)> Options { get; init; } = [];

    public byte[] Payload { get; init; } = [];

    public static RequestOptions Non => new() { NonConfirmable = true };

    public RequestOptions With(OptionNumber number, uint value)
    {
        byte[] bytes = [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];
        return With((int)number, [.. bytes.SkipWhile(b => b == 0)]);
    }

    public RequestOptions With(OptionNumber number, byte[] value) => With((int)number, value);

    public RequestOptions With(int number, byte[] value) => this with { Options = [.. Options, (number, value)] };

    public RequestOptions With(OptionNumber number, Block block) => With(number, block.Value);

    public RequestOptions Carrying(string payload) => this with { Payload = Encoding.UTF8.GetBytes(payload) };
}

/// <summary>What came.</summary>
internal sealed class Answer(NaiveMessage message, int length)
{
    public int Length { get; } = length;

    public CoapType Type => (CoapType)message.Type;

    public CoapCode Code => new((byte)message.Code);

    public int MessageId => message.MessageId;

    public byte[] Token => message.Token;

    public byte[] Payload => message.Payload;

    public string Text => Encoding.UTF8.GetString(message.Payload);

    public uint? Number(OptionNumber number) => Find(number) is { } value ? value.Aggregate(0u, (sum, b) => (sum << 8) | b) : null;

    public byte[]? Find(OptionNumber number) => message.Options.Find(one => one.Number == (int)number).Value;

    public IEnumerable<string> Texts(OptionNumber number) =>
        message.Options.Where(one => one.Number == (int)number).Select(one => Encoding.UTF8.GetString(one.Value));

    public Block? Block(OptionNumber number) => Number(number) is { } value && Coap.Codec.Block.TryRead(value, out Block block) ? block : null;
}
