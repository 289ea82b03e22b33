namespace EdgeBroker.Core.Ports;

/// <summary>What the links of a protocol have encoded of the message or segment being delivered, for others to copy. Hangs on a routing context.</summary>
public interface IEncodedForms
{
    /// <summary>Another message or segment is about to be delivered.</summary>
    void Reset();
}
