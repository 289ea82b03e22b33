using EdgeBroker.Fuzz.Coap;
using EdgeBroker.Fuzz.Codec;
using EdgeBroker.Fuzz.Naive;
using EdgeBroker.Protocol;

namespace EdgeBroker.Fuzz;

/// <summary>A way to feed arbitrary bytes to a parser; it throws when the parser disagrees with the oracle or with itself.</summary>
public sealed record FuzzTarget(string Name, Action<byte[]> Run)
{
    /// <summary>Every target by its name.</summary>
    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("frame", FrameTarget.Run),
        Packets("connect", 1),
        Packets("connack", 2),
        Packets("publish", 3),
        Packets("acks", 4, 5, 6, 7, 9, 11),
        Packets("subscribe", 8, 10),
        Packets("disconnect-auth", 14, 15),
        new("properties", PropertiesTarget.Run),
        new("password-file", PasswordFileTarget.Run),
        new("scram-first", ScramTarget.RunFirst),
        new("scram-final", ScramTarget.RunFinal),
        new("token", TokenTarget.RunToken),
        new("token-claims", TokenTarget.RunClaims),
        new("proxy-header", ProxyHeaderTarget.Run),
        new("dtls-handshake", DtlsHandshakeTarget.Run),
        new("dtls-record", DtlsRecordTarget.Run),
        new("coap-fetch", FetchTarget.Run),
    ];

    public static FuzzTarget Named(string name) =>
        All.FirstOrDefault(t => t.Name == name) ?? throw new ArgumentException($"There is no target '{name}'.", nameof(name));

    /// <summary>Parses a packet in both versions; codec and oracle must agree, and what the codec writes must say the same as what it read.</summary>
    public static void CheckPacket(byte header, byte[] body)
    {
        byte[] bytes = Packet.Compose(header, body);
        foreach (ProtocolVersion version in (ReadOnlySpan<ProtocolVersion>)[ProtocolVersion.V311, ProtocolVersion.V5])
        {
            bool accepted = Packet.TryRead(bytes, version, out string fields, out byte[]? rewritten, out ParseError error);
            string? expected = NaiveDecoder.Decode(header, body, version == ProtocolVersion.V5);
            if (accepted != expected is not null)
            {
                throw new DisagreementException(accepted ? $"{version}: only the codec accepts" : $"{version}: only the oracle accepts", bytes);
            }

            if (!accepted && (!error.Reason.IsError() || string.IsNullOrEmpty(error.Explanation)))
            {
                throw new DisagreementException($"{version}: refused without a reason", bytes);
            }

            if (!accepted) continue;
            if (error != default) throw new DisagreementException($"{version}: accepted with an error", bytes);
            if (fields != expected) throw new DisagreementException($"{version}: the codec reads {fields} where the oracle reads {expected}", bytes);
            if (rewritten is not null) CheckRewritten(rewritten, version, fields);
        }
    }

    private static void CheckRewritten(byte[] rewritten, ProtocolVersion version, string fields)
    {
        bool accepted = Packet.TryRead(rewritten, version, out string again, out byte[]? twice, out _);
        if (!accepted || again != fields) throw new DisagreementException($"{version}: writing changes {fields} into {again}", rewritten);
        if (!rewritten.AsSpan().SequenceEqual(twice)) throw new DisagreementException($"{version}: writing twice gives other bytes", rewritten);
    }

    // The first byte picks one of the types and gives the flags of PUBLISH; the rest is the body. So every input reaches a parser.
    private static FuzzTarget Packets(string name, params int[] types) => new(name, input =>
    {
        if (input.Length == 0) return;
        int chosen = input[0] >> 4;
        int type = types.Contains(chosen) ? chosen : types[chosen % types.Length];
        int flags = type switch { 3 => input[0] & 0x0F, 6 or 8 or 10 => 2, _ => 0 };
        CheckPacket((byte)((type << 4) | flags), input[1..]);
    });
}
