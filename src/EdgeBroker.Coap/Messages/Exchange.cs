using EdgeBroker.Coap.Codec;

namespace EdgeBroker.Coap.Messages;

/// <summary>A request that was received, and what has become of it: remembered so that a duplicate is not carried out again (RFC 7252, 4.5).</summary>
public sealed class Exchange
{
    private readonly MessageLayer _layer;

    internal Exchange(MessageLayer layer, Peer peer, in CoapMessage request, long nowMs, long lifetimeMs)
    {
        _layer = layer;
        Peer = peer;
        MessageId = request.MessageId;
        Token = request.Token.ToArray();
        IsConfirmable = request.Type == CoapType.Confirmable;
        IsSafe = request.Code == CoapCode.Get || request.Code == CoapCode.Fetch;
        // RFC 7967, 2: an empty value means interest in all responses.
        Unwanted = (byte)(request.Find(OptionNumber.NoResponse) ?? 0);
        ExpiresAtMs = nowMs + lifetimeMs;
    }

    /// <summary>Who asked.</summary>
    public Peer Peer { get; }

    /// <summary>Names the request for the peer.</summary>
    public byte[] Token { get; }

    /// <summary>Whether the request wants to be acknowledged.</summary>
    public bool IsConfirmable { get; }

    /// <summary>Whether it has been answered.</summary>
    public bool IsDone { get; internal set; }

    internal ushort MessageId { get; }

    internal bool IsSafe { get; }

    /// <summary>A bit for each class of responses the client does not want (RFC 7967).</summary>
    internal byte Unwanted { get; }

    internal long ExpiresAtMs { get; }

    /// <summary>The acknowledgement sent, with or without the response: what a duplicate gets. Null: none yet.</summary>
    internal byte[]? Reply { get; set; }

    /// <summary>
    /// Answers; a second answer is a mistake of the caller's. False: a peer that may not be where it says was asked to prove it instead, and will ask again.
    /// </summary>
    /// <param name="response">The answer.</param>
    /// <param name="mustProve">Whether it is so asked however short the answer is.</param>
    public bool Respond(CoapResponse response, bool mustProve = false) => _layer.Respond(this, response, mustProve);

    internal bool Wants(CoapCode code) => (Unwanted >> (code.Class - 1) & 1) == 0;
}
