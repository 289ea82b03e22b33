namespace EdgeBroker.Coap.Codec;

/// <summary>The type of a message (RFC 7252, 3).</summary>
public enum CoapType : byte
{
    /// <summary>CON: wants to be acknowledged.</summary>
    Confirmable,

    /// <summary>NON: goes without.</summary>
    NonConfirmable,

    /// <summary>ACK: acknowledges a CON, and may carry the response.</summary>
    Acknowledgement,

    /// <summary>RST: the message came, and nothing can be done with it.</summary>
    Reset,
}
