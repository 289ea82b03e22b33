namespace EdgeBroker.Protocol;

/// <summary>Why bytes were refused.</summary>
/// <param name="Reason">The code the specification names: malformed packet, protocol error, or a more exact one.</param>
/// <param name="Explanation">One phrase for a log line or a reason string; always a constant, never the peer's text.</param>
public readonly record struct ParseError(ReasonCode Reason, string Explanation)
{
    internal static ParseError Malformed(string explanation) => new(ReasonCode.MalformedPacket, explanation);

    internal static ParseError Protocol(string explanation) => new(ReasonCode.ProtocolError, explanation);

    internal static ParseError Truncated { get; } = new(ReasonCode.MalformedPacket, "the packet ends before its fields do");

    internal static ParseError TrailingBytes { get; } = new(ReasonCode.MalformedPacket, "bytes follow the last field of the packet");

    internal static ParseError IllFormedText { get; } = new(ReasonCode.MalformedPacket, "a string is not valid UTF-8 or holds U+0000");

    internal static ParseError ZeroPacketId { get; } = new(ReasonCode.ProtocolError, "the packet identifier is 0");
}
