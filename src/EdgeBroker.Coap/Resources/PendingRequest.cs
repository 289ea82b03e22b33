using System.Security.Cryptography;
using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Messages;

namespace EdgeBroker.Coap.Resources;

/// <summary>A request that waits for its answer; answered once, whole: blocks are cut here (RFC 7959).</summary>
public sealed class PendingRequest
{
    private readonly ResourceServer _server;
    private readonly Exchange _exchange;

    internal PendingRequest(ResourceServer server, Exchange exchange, CoapRequest request)
    {
        _server = server;
        _exchange = exchange;
        Request = request;
    }

    /// <summary>What is asked for.</summary>
    public CoapRequest Request { get; }

    /// <summary>Who asks.</summary>
    public Peer Peer => _exchange.Peer;

    /// <summary>Names the request for the peer.</summary>
    public byte[] Token => _exchange.Token;

    /// <summary>Whether it came as a CON.</summary>
    public bool IsConfirmable => _exchange.IsConfirmable;

    /// <summary>Whether it has its answer.</summary>
    public bool IsAnswered => _exchange.IsDone;

    /// <summary>Whether it asks to register as an observer. A request for a later block does not.</summary>
    public bool WantsToObserve => Request is { Observe: 0 } && Request.Method == CoapCode.Get && Request.Block2 is null or { Number: 0 };

    /// <summary>Refuses, and says why.</summary>
    public void Refuse(CoapCode code, string why) => Send(CoapResponse.Because(code, why));

    /// <summary>Answers with a whole body.</summary>
    /// <returns>False: the peer was asked to prove where it is instead, and will ask again.</returns>
    public bool Respond(CoapResponse response) => Respond(response, mustProve: false);

    private bool Respond(CoapResponse response, bool mustProve)
    {
        if (!BlockCutter.TryCut(response, Request.Block2, _server.BlockExponent, Request.AsksSize, out CoapResponse block))
        {
            Refuse(CoapCode.BadRequest, "there is no such block");
            return true;
        }

        if (!Send(block, mustProve)) return false;
        if (block.Block2 is not { More: true }) return true;
        if (response.Observe is not null) _server.KeptBodies.Keep(Peer, Request.TransferKey, response with { Observe = null });
        else if (Request.Method != CoapCode.Get) _server.KeptBodies.Keep(Peer, Request.TransferKey, response);
        return true;
    }

    /// <summary>Registers the one who asks as an observer, and answers with what there is now; false, with nothing done: there are too many.</summary>
    /// <param name="observed">What it follows; the registration's from here on.</param>
    /// <param name="identity">Who observes, where that does not depend on its address; null: its end point.</param>
    /// <param name="isWhole">Whether the identity names what is observed as well.</param>
    /// <param name="response">What there is now.</param>
    /// <param name="observation">The registration.</param>
    public bool TryObserve(IObserved observed, string? identity, bool isWhole, CoapResponse response, out Observation observation)
    {
        string? key = identity is null || isWhole ? identity : $"{identity}\u0001{Request.TransferKey}\u0001{Convert.ToHexString(Token)}";
        bool mustProve = _server.Observers.IsCrowded && !Peer.IsReal;
        if (!_server.Observers.TryAdd(Peer, Token, observed, key, Request.Block2, Request.TransferKey, out observation)) return false;
        if (!Respond(response with { Observe = observation.NextSequence() }, mustProve)) observation.End();
        return true;
    }

    internal bool Send(CoapResponse response, bool mustProve = false) => _exchange.Respond(
        Request.Block1 is { } block && response.Code.IsSuccess ? response with { Block1 = response.Block1 ?? block with { More = false } } : response,
        mustProve);
}

/// <summary>Cuts bodies into blocks (RFC 7959, 2.4).</summary>
internal static class BlockCutter
{
    /// <summary>Cuts the block asked for; false: there is none.</summary>
    /// <param name="whole">The response with its whole body.</param>
    /// <param name="asked">The block asked for; null: the first, of our size.</param>
    /// <param name="exponent">Our size, which a client may ask to go below.</param>
    /// <param name="tellSize">Whether the size is told though the body fits.</param>
    /// <param name="block">The response to send.</param>
    public static bool TryCut(CoapResponse whole, Block? asked, int exponent, bool tellSize, out CoapResponse block)
    {
        block = whole;
        if (!whole.Code.IsSuccess) return true;
        int length = whole.Payload.Length;
        int used = Math.Min(exponent, asked?.SizeExponent ?? exponent);
        int size = 16 << used;
        long offset = asked?.Offset ?? 0;
        if (offset > 0 && offset >= length) return false;
        if (asked is null && length <= size)
        {
            if (tellSize) block = whole with { Size2 = (uint)length };
            return true;
        }

        bool more = length - offset > size;
        block = whole with
        {
            // A client that puts blocks together must see when they are of another body.
            ETag = whole.ETag ?? (length > size ? ETagOf(whole.Payload.Span) : null),
            Block2 = new Block((int)(offset >> (used + 4)), more, used),
            Size2 = offset == 0 && (more || tellSize) ? (uint)length : null,
            Payload = whole.Payload.Slice((int)offset, more ? size : (int)(length - offset)),
        };
        return true;
    }

    /// <summary>Names a body: the same for the same bytes.</summary>
    public static byte[] ETagOf(ReadOnlySpan<byte> body) => SHA256.HashData(body)[..8];
}
