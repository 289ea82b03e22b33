using EdgeBroker.Coap.Codec;

namespace EdgeBroker.Coap.Client;

/// <summary>What a server has answered.</summary>
/// <param name="Code">Its code.</param>
/// <param name="Payload">Its payload; whole, where it came in blocks.</param>
public sealed record CoapReply(CoapCode Code, byte[] Payload)
{
    /// <summary>What the payload is; null: not said.</summary>
    public uint? ContentFormat { get; init; }

    /// <summary>The number of a notification; null: it is none, and does not follow.</summary>
    public uint? Observe { get; init; }

    internal Block? Block1 { get; init; }

    internal Block? Block2 { get; init; }

    internal byte[]? Echo { get; init; }

    internal static CoapReply Of(in CoapMessage message) => new(message.Code, message.Payload.ToArray())
    {
        ContentFormat = message.Find(OptionNumber.ContentFormat),
        Observe = message.Find(OptionNumber.Observe),
        Block1 = BlockOf(message, OptionNumber.Block1),
        Block2 = BlockOf(message, OptionNumber.Block2),
        Echo = message.TryFind(OptionNumber.Echo, out CoapOption echo) ? echo.Value.ToArray() : null,
    };

    private static Block? BlockOf(in CoapMessage message, OptionNumber number) =>
        message.Find(number) is { } value && Block.TryRead(value, out Block block) ? block : null;
}
