namespace EdgeBroker.Coap.Codec;

/// <summary>What is wrong with a datagram.</summary>
public enum CoapFormatError : byte
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Fewer than the four bytes of the header: there is nobody to answer.</summary>
    TooShort,

    /// <summary>Not version 1, to be ignored in silence (RFC 7252, 3).</summary>
    UnknownVersion,

    /// <summary>A token length of 9 to 15 (RFC 7252, 3).</summary>
    ReservedTokenLength,

    /// <summary>The datagram ends within its token.</summary>
    TruncatedToken,

    /// <summary>An Empty message with something behind the message id (RFC 7252, 4.1).</summary>
    EmptyWithMore,

    /// <summary>A code of class 1, 6 or 7 (RFC 7252, 4.2).</summary>
    ReservedCodeClass,

    /// <summary>A delta or length of 15 that is no payload marker (RFC 7252, 3.1).</summary>
    ReservedOptionNibble,

    /// <summary>The datagram ends within an option.</summary>
    TruncatedOption,

    /// <summary>The deltas add up to more than 65,535.</summary>
    OptionNumberTooLarge,

    /// <summary>A payload marker with nothing behind it (RFC 7252, 3).</summary>
    EmptyPayload,
}
