using System.Runtime.CompilerServices;

namespace EdgeBroker.Protocol;

/// <summary>Why bytes were refused.</summary>
/// <param name="Reason">The code the specification names: malformed packet, protocol error, or a more exact one.</param>
/// <param name="Explanation">One phrase for a log line or a reason string; always a constant, never the peer's text.</param>
public readonly record struct ParseError(ReasonCode Reason, string Explanation)
{
    // Each of these assigns the error and says false, for a parser to return. They are not inlined, so that parsing a good packet does not pay for
    // errors: storing one costs a write barrier, and keeping one on the stack costs clearing it.

    /// <summary>The bytes cannot be parsed, or use reserved values.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static bool Malformed(out ParseError error, string explanation) => Refuse(out error, ReasonCode.MalformedPacket, explanation);

    /// <summary>The bytes can be parsed, but may not say what they say.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static bool Protocol(out ParseError error, string explanation) => Refuse(out error, ReasonCode.ProtocolError, explanation);

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static bool Truncated(out ParseError error) => Malformed(out error, "the packet ends before its fields do");

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static bool TrailingBytes(out ParseError error) => Malformed(out error, "bytes follow the last field of the packet");

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static bool IllFormedText(out ParseError error) => Malformed(out error, "a string is not valid UTF-8 or holds U+0000");

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static bool ZeroPacketId(out ParseError error) => Protocol(out error, "the packet identifier is 0");

    /// <summary>A refusal with a code of its own.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static bool Refuse(out ParseError error, ReasonCode reason, string explanation)
    {
        error = new ParseError(reason, explanation);
        return false;
    }
}
