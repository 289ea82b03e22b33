namespace EdgeBroker.Coap.Dtls;

/// <summary>What a listener's DTLS has seen; any thread.</summary>
internal sealed class DtlsCounters
{
    public long CookiesSent;
    public long Succeeded;
    public long Failed;
    public long Refused;
    public long Dropped;
    public long Moved;
}
