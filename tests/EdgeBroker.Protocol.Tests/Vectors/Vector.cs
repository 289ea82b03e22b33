namespace EdgeBroker.Protocol.Tests.Vectors;

/// <summary>One packet and what the codec must make of it.</summary>
/// <param name="Name">What is special about it.</param>
/// <param name="Version">The version of the connection.</param>
/// <param name="Bytes">The packet.</param>
/// <param name="Refusal">The reason it is refused with; null when it is well-formed.</param>
/// <param name="Written">How the codec writes a well-formed one: the shortest form.</param>
internal sealed record Vector(string Name, ProtocolVersion Version, byte[] Bytes, ReasonCode? Refusal, byte[] Written)
{
    public override string ToString() => $"{Name} ({Version})";

    public static Vector V311(string name, string packet) => WellFormed(name, ProtocolVersion.V311, packet, packet);

    public static Vector V5(string name, string packet) => WellFormed(name, ProtocolVersion.V5, packet, packet);

    /// <summary>Well-formed, but there is a shorter form that says the same.</summary>
    public static Vector V5(string name, string packet, string shortest) => WellFormed(name, ProtocolVersion.V5, packet, shortest);

    public static Vector Refused311(string name, ReasonCode reason, string packet) => IllFormed(name, ProtocolVersion.V311, reason, packet);

    public static Vector Refused5(string name, ReasonCode reason, string packet) => IllFormed(name, ProtocolVersion.V5, reason, packet);

    private static Vector WellFormed(string name, ProtocolVersion version, string packet, string written) =>
        new(name, version, Notation.Bytes(packet), null, Notation.Bytes(written));

    private static Vector IllFormed(string name, ProtocolVersion version, ReasonCode reason, string packet) =>
        new(name, version, Notation.Bytes(packet), reason, []);
}
