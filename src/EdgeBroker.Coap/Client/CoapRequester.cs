using System.Security.Cryptography;
using EdgeBroker.Coap.Codec;

namespace EdgeBroker.Coap.Client;

/// <summary>What is asked for.</summary>
/// <param name="Method">The method.</param>
/// <param name="Path">The segments of the path, decoded.</param>
public sealed record CoapDemand(CoapCode Method, IReadOnlyList<string> Path)
{
    /// <summary>The arguments, decoded.</summary>
    public IReadOnlyList<string> Query { get; init; } = [];

    /// <summary>The body.</summary>
    public byte[] Payload { get; init; } = [];

    /// <summary>What the body is; null: not said.</summary>
    public ushort? ContentFormat { get; init; }

    /// <summary>What is taken; null: anything.</summary>
    public ushort? Accept { get; init; }

    /// <summary>Whether requests want to be acknowledged, and are sent again until then.</summary>
    public bool IsConfirmable { get; init; } = true;

    /// <summary>Bytes of a block: a power of two, 16 to 1024; null: 512, and of answers what the server likes.</summary>
    public int? BlockSize { get; init; }

    /// <summary>Names the request; null: one is made.</summary>
    public byte[]? Token { get; init; }
}

/// <summary>A CoAP client: one request after the other, with blocks, over one link. One thread; it blocks.</summary>
/// <param name="link">Carries datagrams; the owner's.</param>
/// <param name="limit">How long an answer may take.</param>
/// <param name="time">The clock.</param>
/// <param name="trace">Is told each message, in a line; null: nobody.</param>
/// <param name="stop">Ends it.</param>
public sealed class CoapRequester(ClientLink link, TimeSpan limit, TimeProvider time, Action<string>? trace, CancellationToken stop)
{
    private const int DefaultBlockSize = 512;
    private const int MaxRetransmit = 4;
    private const int MaxBodyBytes = 16 * 1024 * 1024;
    private static readonly TimeSpan FirstTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    private readonly Queue<CoapReply> _notifications = new();
    private ushort _messageId = (ushort)RandomNumberGenerator.GetInt32(ushort.MaxValue + 1);
    private byte[]? _observed;
    private byte[]? _echo;

    /// <summary>Asks, and puts the answer together.</summary>
    /// <exception cref="CoapClientException">There is no answer.</exception>
    /// <exception cref="OperationCanceledException">It was ended.</exception>
    public CoapReply Ask(CoapDemand demand) => Ask(demand, observe: null, demand.Token ?? NewToken());

    /// <summary>Observes: hands each value over, the first included, until there are enough, the server ends it, or it was ended.</summary>
    /// <param name="demand">What to observe.</param>
    /// <param name="take">Takes a value; false: enough.</param>
    /// <returns>The last answer: one that is an error has ended it.</returns>
    /// <exception cref="CoapClientException">There is no answer.</exception>
    public CoapReply Observe(CoapDemand demand, Func<CoapReply, bool> take)
    {
        byte[] token = demand.Token ?? NewToken();
        _observed = token;
        CoapReply reply = Ask(demand, observe: 0, token);
        bool goesOn = reply.Code.IsSuccess && take(reply);
        if (!reply.Code.IsSuccess || reply.Observe is null) return reply;
        try
        {
            while (goesOn)
            {
                if (!_notifications.TryDequeue(out CoapReply? told))
                {
                    stop.ThrowIfCancellationRequested();
                    Receive(Look, [], messageId: -1, out _, out _);
                    continue;
                }

                reply = told;
                if (!reply.Code.IsSuccess) return reply;
                goesOn = take(Complete(demand, reply));
            }
        }
        catch (OperationCanceledException)
        {
            // Whoever watched has seen enough.
        }

        _observed = null;
        Send(Write(demand, CoapType.NonConfirmable, _messageId++, token, observe: 1, block1: null, block2: null, []));
        return reply;
    }

    private static byte[] NewToken() => RandomNumberGenerator.GetBytes(4);

    private CoapReply Ask(CoapDemand demand, uint? observe, byte[] token)
    {
        int exponent = Block.ExponentOf(demand.BlockSize ?? DefaultBlockSize);
        Block? wanted = demand.BlockSize is null || demand.Method != CoapCode.Get ? null : new Block(0, false, exponent);
        CoapReply reply = demand.Payload.Length <= 16 << exponent
            ? AskOnce(demand, observe, token, block1: null, wanted, demand.Payload)
            : Upload(demand, observe, token, exponent);
        return Complete(demand, reply);
    }

    private CoapReply Upload(CoapDemand demand, uint? observe, byte[] token, int exponent)
    {
        int offset = 0;
        while (true)
        {
            int size = 16 << exponent;
            bool more = demand.Payload.Length - offset > size;
            byte[] part = demand.Payload[offset..Math.Min(demand.Payload.Length, offset + size)];
            CoapReply reply = AskOnce(demand, observe, token, new Block(offset >> (exponent + 4), more, exponent), block2: null, part);
            if (!more || reply.Code != CoapCode.Continue) return reply;
            offset += part.Length;
            // The server may want smaller ones from here on.
            if (reply.Block1 is { } asked && asked.SizeExponent < exponent) exponent = asked.SizeExponent;
        }
    }

    private CoapReply Complete(CoapDemand demand, CoapReply reply)
    {
        if (reply.Block2 is not { More: true, Number: 0 } first) return reply;
        using var body = new MemoryStream();
        body.Write(reply.Payload);
        for (Block block = first; block.More;)
        {
            if (body.Length > MaxBodyBytes) throw new CoapClientException($"the answer is longer than {MaxBodyBytes} bytes");
            // A request for a later block does not observe (RFC 7959, 3.4).
            var next = new Block((int)(body.Length >> (block.SizeExponent + 4)), false, block.SizeExponent);
            CoapReply part = AskOnce(demand, observe: null, NewToken(), block1: null, next, []);
            if (!part.Code.IsSuccess) return part;
            if (part.Block2 is not { } got || got.Offset != body.Length)
            {
                throw new CoapClientException("the answer changed while it was read in blocks; ask again");
            }

            body.Write(part.Payload);
            block = got;
        }

        return reply with { Payload = body.ToArray(), Block2 = null };
    }

    private CoapReply AskOnce(CoapDemand demand, uint? observe, byte[] token, Block? block1, Block? block2, byte[] payload)
    {
        CoapReply reply = Exchange(demand, observe, token, block1, block2, payload);
        if (reply.Code != CoapCode.Unauthorized || reply.Echo is not { } echo) return reply;
        _echo = echo;
        return Exchange(demand, observe, token, block1, block2, payload);
    }

    private CoapReply Exchange(CoapDemand demand, uint? observe, byte[] token, Block? block1, Block? block2, byte[] payload)
    {
        ushort id = _messageId++;
        CoapType type = demand.IsConfirmable ? CoapType.Confirmable : CoapType.NonConfirmable;
        byte[] datagram = Write(demand, type, id, token, observe, block1, block2, payload);
        long start = time.GetTimestamp();
        TimeSpan resend = FirstTimeout;
        TimeSpan nextSend = TimeSpan.Zero;
        int sends = 0;
        bool isAcknowledged = false;
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            TimeSpan now = time.GetElapsedTime(start);
            if (now >= limit)
            {
                throw new CoapClientException($"no answer within {limit.TotalSeconds:0.#} s{(isAcknowledged ? ", though the request has arrived" : "")}");
            }

            if (!isAcknowledged && now >= nextSend && sends <= (demand.IsConfirmable ? MaxRetransmit : 0))
            {
                if (sends++ > 0) resend *= 2;
                nextSend = now + resend;
                Send(datagram);
            }

            TimeSpan wait = isAcknowledged || nextSend <= now ? Look : nextSend - now;
            if (Receive(wait < Look ? wait : Look, token, id, out bool acknowledged, out bool reset) is { } reply) return reply;
            isAcknowledged |= acknowledged;
            if (reset) throw new CoapClientException("the server can do nothing with the request (RST)");
        }
    }

    private CoapReply? Receive(TimeSpan wait, byte[] token, int messageId, out bool acknowledged, out bool reset)
    {
        acknowledged = reset = false;
        if (link.Receive(wait) is not { } datagram) return null;
        trace?.Invoke(MessageTrace.Of('<', datagram));
        if (CoapMessage.Parse(datagram, out CoapMessage message) != CoapFormatError.None) return null;
        if (message.Type == CoapType.Reset) reset = message.MessageId == messageId;
        if (message.Type == CoapType.Acknowledgement && message.MessageId != messageId) return null;
        if (message.Type == CoapType.Acknowledgement && message.Code == CoapCode.Empty) acknowledged = true;
        bool isAnswer = messageId >= 0 && message.Code.Class is 2 or 4 or 5 && message.Token.SequenceEqual(token);
        bool isNotification = !isAnswer && message.Code.Class is 2 or 4 or 5 && _observed is not null && message.Token.SequenceEqual(_observed);
        if (message.Type == CoapType.Confirmable)
        {
            Span<byte> answer = stackalloc byte[CoapMessage.HeaderLength];
            CoapWriter.WriteEmpty(answer, isAnswer || isNotification ? CoapType.Acknowledgement : CoapType.Reset, message.MessageId);
            Send(answer);
        }

        if (isAnswer) return CoapReply.Of(message);
        if (isNotification) _notifications.Enqueue(CoapReply.Of(message));
        return null;
    }

    private byte[] Write(CoapDemand demand, CoapType type, ushort id, byte[] token, uint? observe, Block? block1, Block? block2, byte[] payload)
    {
        byte[] buffer = new byte[MaxRequestBytes(demand, payload)];
        var writer = new CoapWriter(buffer, type, demand.Method, id, token);
        if (observe is { } registers) writer.Add(OptionNumber.Observe, registers);
        foreach (string segment in demand.Path) writer.Add(OptionNumber.UriPath, System.Text.Encoding.UTF8.GetBytes(segment));
        if (demand.ContentFormat is { } format && payload.Length > 0) writer.Add(OptionNumber.ContentFormat, format);
        foreach (string argument in demand.Query) writer.Add(OptionNumber.UriQuery, System.Text.Encoding.UTF8.GetBytes(argument));
        if (demand.Accept is { } accept) writer.Add(OptionNumber.Accept, accept);
        if (block2 is { } asked) writer.Add(OptionNumber.Block2, asked.Value);
        if (block1 is { } sent) writer.Add(OptionNumber.Block1, sent.Value);
        if (_echo is not null) writer.Add(OptionNumber.Echo, _echo);
        writer.AddPayload(payload);
        return buffer[..writer.Length];
    }

    private static int MaxRequestBytes(CoapDemand demand, byte[] payload) =>
        256 + payload.Length + demand.Path.Concat(demand.Query).Sum(text => System.Text.Encoding.UTF8.GetByteCount(text) + 5);

    private void Send(ReadOnlySpan<byte> datagram)
    {
        trace?.Invoke(MessageTrace.Of('>', datagram));
        link.Send(datagram);
    }
}
