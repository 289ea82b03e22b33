using System.Globalization;

namespace EdgeBroker.Coap.Codec;

/// <summary>A code: a method or a response code, a class of 3 bits and a detail of 5 (RFC 7252, 3 and 12.1; RFC 7959, 2.9; RFC 8132; RFC 8516).</summary>
/// <param name="Value">As on the wire.</param>
public readonly record struct CoapCode(byte Value)
{
    /// <summary>0.00: no request and no response.</summary>
    public static readonly CoapCode Empty;

    /// <summary>0.01.</summary>
    public static readonly CoapCode Get = Of(0, 1);

    /// <summary>0.02.</summary>
    public static readonly CoapCode Post = Of(0, 2);

    /// <summary>0.03.</summary>
    public static readonly CoapCode Put = Of(0, 3);

    /// <summary>0.04.</summary>
    public static readonly CoapCode Delete = Of(0, 4);

    /// <summary>0.05 (RFC 8132).</summary>
    public static readonly CoapCode Fetch = Of(0, 5);

    /// <summary>2.01.</summary>
    public static readonly CoapCode Created = Of(2, 1);

    /// <summary>2.02.</summary>
    public static readonly CoapCode Deleted = Of(2, 2);

    /// <summary>2.03: what the client has is still good.</summary>
    public static readonly CoapCode Valid = Of(2, 3);

    /// <summary>2.04.</summary>
    public static readonly CoapCode Changed = Of(2, 4);

    /// <summary>2.05.</summary>
    public static readonly CoapCode Content = Of(2, 5);

    /// <summary>2.31: more blocks are to come.</summary>
    public static readonly CoapCode Continue = Of(2, 31);

    /// <summary>4.00.</summary>
    public static readonly CoapCode BadRequest = Of(4, 0);

    /// <summary>4.01: no or bad credentials, or a challenge with Echo.</summary>
    public static readonly CoapCode Unauthorized = Of(4, 1);

    /// <summary>4.02: an unknown critical option.</summary>
    public static readonly CoapCode BadOption = Of(4, 2);

    /// <summary>4.03.</summary>
    public static readonly CoapCode Forbidden = Of(4, 3);

    /// <summary>4.04.</summary>
    public static readonly CoapCode NotFound = Of(4, 4);

    /// <summary>4.05.</summary>
    public static readonly CoapCode MethodNotAllowed = Of(4, 5);

    /// <summary>4.06.</summary>
    public static readonly CoapCode NotAcceptable = Of(4, 6);

    /// <summary>4.08: a block is missing.</summary>
    public static readonly CoapCode RequestEntityIncomplete = Of(4, 8);

    /// <summary>4.12: If-Match or If-None-Match does not hold.</summary>
    public static readonly CoapCode PreconditionFailed = Of(4, 12);

    /// <summary>4.13.</summary>
    public static readonly CoapCode RequestEntityTooLarge = Of(4, 13);

    /// <summary>4.15.</summary>
    public static readonly CoapCode UnsupportedContentFormat = Of(4, 15);

    /// <summary>4.22: the body is of its format, and still not what is asked for (RFC 8132).</summary>
    public static readonly CoapCode UnprocessableEntity = Of(4, 22);

    /// <summary>4.29 (RFC 8516).</summary>
    public static readonly CoapCode TooManyRequests = Of(4, 29);

    /// <summary>5.00.</summary>
    public static readonly CoapCode InternalServerError = Of(5, 0);

    /// <summary>5.03.</summary>
    public static readonly CoapCode ServiceUnavailable = Of(5, 3);

    /// <summary>5.05.</summary>
    public static readonly CoapCode ProxyingNotSupported = Of(5, 5);

    /// <summary>The three upper bits: 0 a method, 2 a success, 4 a mistake of the client's, 5 one of the server's.</summary>
    public int Class => Value >> 5;

    /// <summary>The five lower bits.</summary>
    public int Detail => Value & 31;

    /// <summary>Whether it is a method, known or not.</summary>
    public bool IsRequest => Class == 0 && Value != 0;

    /// <summary>Whether it is a response, known or not.</summary>
    public bool IsResponse => Class is 2 or 4 or 5;

    /// <summary>Whether it is the response code of a success.</summary>
    public bool IsSuccess => Class == 2;

    /// <summary>Puts a code together.</summary>
    public static CoapCode Of(int @class, int detail) => new((byte)((@class << 5) | detail));

    /// <summary>As people write it: <c>2.05</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Class}.{Detail:D2}");
}
