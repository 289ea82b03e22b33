namespace EdgeBroker.Core.Limits;

/// <summary>What a rate does with what exceeds it (<c>on_exceed</c>).</summary>
public enum ExceedAction : byte
{
    /// <summary>The connection is not read until there is room again; its peer is held back by flow control. Nothing is lost.</summary>
    Delay,

    /// <summary>
    /// A publish is dropped: above QoS 0 a 5.0 client is told 0x97; 3.1.1 has no word for it, so such a publish waits as with <see cref="Delay"/>. A filter is
    /// refused with 0x97 (3.1.1: 0x80). What is neither waits.
    /// </summary>
    Drop,

    /// <summary>The connection is ended; 5.0 is told 0x96, or 0x97 for filters.</summary>
    Disconnect,
}
