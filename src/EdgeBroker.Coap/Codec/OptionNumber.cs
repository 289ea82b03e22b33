namespace EdgeBroker.Coap.Codec;

/// <summary>The options this project knows (RFC 7252, 5.10; 7641; 7959; 7967; 9175).</summary>
public enum OptionNumber : ushort
{
    /// <summary>Only if the resource has this ETag; empty: only if it exists.</summary>
    IfMatch = 1,

    /// <summary>The host asked for.</summary>
    UriHost = 3,

    /// <summary>Names a representation.</summary>
    ETag = 4,

    /// <summary>Only if the resource does not exist.</summary>
    IfNoneMatch = 5,

    /// <summary>In a request 0 registers and 1 deregisters; in a response the order of notifications.</summary>
    Observe = 6,

    /// <summary>The port asked for.</summary>
    UriPort = 7,

    /// <summary>A segment of the path of what was made.</summary>
    LocationPath = 8,

    /// <summary>A segment of the path.</summary>
    UriPath = 11,

    /// <summary>What the payload is.</summary>
    ContentFormat = 12,

    /// <summary>How many seconds a response may be kept; absent: 60.</summary>
    MaxAge = 14,

    /// <summary>An argument.</summary>
    UriQuery = 15,

    /// <summary>What the client can read.</summary>
    Accept = 17,

    /// <summary>A part of the query of what was made.</summary>
    LocationQuery = 20,

    /// <summary>A block of the response.</summary>
    Block2 = 23,

    /// <summary>A block of the request.</summary>
    Block1 = 27,

    /// <summary>The size of the response's body.</summary>
    Size2 = 28,

    /// <summary>A request to a proxy.</summary>
    ProxyUri = 35,

    /// <summary>A request to a proxy.</summary>
    ProxyScheme = 39,

    /// <summary>The size of the request's body.</summary>
    Size1 = 60,

    /// <summary>What a client sends back to prove that it can be reached.</summary>
    Echo = 252,

    /// <summary>Which responses the client does not want.</summary>
    NoResponse = 258,

    /// <summary>Tells transfers of one client apart.</summary>
    RequestTag = 292,
}
