namespace EdgeBroker.Coap.Messages;

/// <summary>What the layer has seen. Written by one thread at a time, read by any.</summary>
public sealed class CoapCounters
{
    public long Received;
    public long Sent;
    public long Malformed;
    public long Ignored;
    public long Duplicates;
    public long Requests;
    public long Retransmissions;
    public long TimedOut;
    public long Challenged;
    public long RateLimited;
    public long PeersRefused;
}
