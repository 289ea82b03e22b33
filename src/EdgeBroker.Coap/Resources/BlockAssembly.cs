using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Messages;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Coap.Resources;

/// <summary>Bodies of requests that come in blocks, until they are whole (RFC 7959, 2.5): bounded in number, bytes and time.</summary>
internal sealed class BlockAssembly(CoapLimits limits)
{
    // As long as a peer may need for a block with all its retransmissions (MAX_TRANSMIT_WAIT; RFC 7252, 4.8.2).
    private const long TimeoutMs = 93_000;

    private readonly Dictionary<(PeerEndPoint Peer, string Key), Body> _bodies = [];
    private readonly LinkedList<Body> _byAge = new();
    private long _bytes;

    /// <summary>Bytes put together so far; any thread.</summary>
    public long MemoryBytes => Volatile.Read(ref _bytes);

    /// <summary>
    /// Takes a block. Null: the body is whole, and now the request's payload. Else the answer: that more may come, or what is wrong.
    /// </summary>
    public CoapResponse? Take(Peer peer, CoapRequest request, int ownExponent, long nowMs)
    {
        Expire(nowMs);
        Block block = request.Block1!.Value;
        (PeerEndPoint, string) id = (peer.EndPoint, request.TransferKey);
        if (block.Offset + request.Payload.Length > limits.MaxBodyBytes || request.Size1 > limits.MaxBodyBytes)
        {
            if (_bodies.TryGetValue(id, out Body? tooLarge)) Remove(tooLarge);
            return new CoapResponse(CoapCode.RequestEntityTooLarge) { Size1 = (uint)limits.MaxBodyBytes };
        }

        if (block.More && request.Payload.Length != block.Size) return CoapResponse.Because(CoapCode.BadRequest, "a block that is not the last is full");
        _bodies.TryGetValue(id, out Body? body);
        if (block.Number == 0)
        {
            if (body is not null) Remove(body);
            if (!block.More) return null;
            body = Add(id, nowMs);
        }
        else if (body is null || body.Length != block.Offset || (body.ContentFormat != request.ContentFormat))
        {
            if (body is not null) Remove(body);
            return CoapResponse.Because(CoapCode.RequestEntityIncomplete, "a block is missing: begin again with the first");
        }

        MakeRoom(request.Payload.Length + Body.PartBytes, body);
        long before = body.MemoryBytes;
        body.Add(request);
        _bytes += body.MemoryBytes - before;
        body.LastMs = nowMs;
        _byAge.Remove(body.Place!);
        _byAge.AddLast(body.Place!);
        if (!block.More)
        {
            request.Payload = body.ToArray();
            Remove(body);
            return null;
        }

        // A smaller size than the client's asks it to go on with that (2.3).
        return new CoapResponse(CoapCode.Continue) { Block1 = block with { SizeExponent = Math.Min(block.SizeExponent, ownExponent) } };
    }

    /// <summary>Forgets what a peer has begun.</summary>
    public void Forget(Peer peer)
    {
        for (LinkedListNode<Body>? node = _byAge.First; node is not null;)
        {
            LinkedListNode<Body>? next = node.Next;
            if (node.Value.Id.Peer == peer.EndPoint) Remove(node.Value);
            node = next;
        }
    }

    private Body Add((PeerEndPoint Peer, string Key) id, long nowMs)
    {
        var body = new Body(id) { LastMs = nowMs };
        body.Place = _byAge.AddLast(body);
        _bodies.Add(id, body);
        _bytes += body.MemoryBytes;
        return body;
    }

    private void Remove(Body body)
    {
        _bodies.Remove(body.Id);
        _byAge.Remove(body.Place!);
        _bytes -= body.MemoryBytes;
    }

    // The one that has waited longest for its next block goes first.
    private void MakeRoom(int bytes, Body except)
    {
        while (_bytes + bytes > limits.MaxAssemblyBytes && _byAge.First is { } oldest && oldest.Value != except) Remove(oldest.Value);
    }

    private void Expire(long nowMs)
    {
        while (_byAge.First is { } oldest && nowMs - oldest.Value.LastMs > TimeoutMs) Remove(oldest.Value);
    }

    private sealed class Body((PeerEndPoint Peer, string Key) id)
    {
        /// <summary>What a part weighs besides its bytes.</summary>
        public const int PartBytes = 40;

        private const int OverheadBytes = 400;

        private readonly List<byte[]> _parts = [];

        public (PeerEndPoint Peer, string Key) Id { get; } = id;

        public int Length { get; private set; }

        public long MemoryBytes => OverheadBytes + Length + ((long)_parts.Count * PartBytes);

        public ushort? ContentFormat { get; private set; }

        public long LastMs { get; set; }

        public LinkedListNode<Body>? Place { get; set; }

        public void Add(CoapRequest request)
        {
            ContentFormat = request.ContentFormat;
            _parts.Add(request.Payload);
            Length += request.Payload.Length;
        }

        public byte[] ToArray() => [.. _parts.SelectMany(part => part)];
    }
}
