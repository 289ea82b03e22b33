using EdgeBroker.Coap.Codec;

namespace EdgeBroker.Coap.Messages;

/// <summary>What stands above the message layer. Called by the thread that calls the layer.</summary>
public interface IRequestHandler
{
    /// <summary>Answers a request that has not been seen before: at once or later, once, by <see cref="Exchange.Respond"/>.</summary>
    /// <param name="request">The request, valid during the call.</param>
    /// <param name="exchange">Takes the answer.</param>
    void Handle(in CoapMessage request, Exchange exchange);

    /// <summary>Nothing of ours waits for the peer's acknowledgement any more: another CON may go.</summary>
    void OnFree(Peer peer);

    /// <summary>The peer has reset a NON of ours.</summary>
    void OnReset(Peer peer, ushort messageId);

    /// <summary>Some seconds have gone by.</summary>
    void OnSweep();

    /// <summary>A peer is not remembered, since there are too many.</summary>
    /// <param name="peer">Where it is.</param>
    /// <param name="ofNetwork">Whether of its network; else of all.</param>
    void OnRefused(in PeerEndPoint peer, bool ofNetwork);

    /// <summary>The peer is forgotten.</summary>
    void OnForgotten(Peer peer);
}
