using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Routing;

/// <summary>
/// The encoded forms of the message being routed: receivers that agree in version, QoS and RETAIN get the same bytes, but for the packet identifier, which each
/// patches in its copy.
/// </summary>
public sealed class FanOutEncodings
{
    // Above this the memory is given back after the message.
    private const int KeptBytes = 256 * 1024;

    private readonly (int Start, int Length, int PacketIdAt)[] _forms = new (int, int, int)[12];
    private byte[] _bytes = new byte[1024];
    private int _used;

    /// <summary>Forgets the previous message.</summary>
    internal void Begin()
    {
        if (_used == 0) return;
        _used = 0;
        Array.Clear(_forms);
        if (_bytes.Length > KeptBytes) _bytes = new byte[1024];
    }

    /// <summary>The packet's bytes, which must not depend on the receiver: no alias, no subscription identifier.</summary>
    /// <param name="publish">The packet; its identifier is not used.</param>
    /// <param name="version">The receiver's version.</param>
    /// <param name="packetIdAt">Where the packet identifier stands; 0 at QoS 0.</param>
    public ReadOnlySpan<byte> Get(in OutgoingPublish publish, ProtocolVersion version, out int packetIdAt)
    {
        ref (int Start, int Length, int PacketIdAt) form =
            ref _forms[(version == ProtocolVersion.V5 ? 6 : 0) + ((int)publish.QoS * 2) + (publish.Retain ? 1 : 0)];
        if (form.Length == 0) form = Encode(publish, version);
        packetIdAt = form.PacketIdAt;
        return _bytes.AsSpan(form.Start, form.Length);
    }

    private (int Start, int Length, int PacketIdAt) Encode(in OutgoingPublish publish, ProtocolVersion version)
    {
        int length = publish.Length(version);
        if (_bytes.Length - _used < length) Array.Resize(ref _bytes, Math.Max(_used + length, 2 * _bytes.Length));
        int start = _used;
        publish.Write(_bytes.AsSpan(start, length), version);
        _used += length;
        if (publish.QoS == QoS.AtMostOnce) return (start, length, 0);
        VariableByteInteger.Read(_bytes.AsSpan(start + 1), out uint remaining);
        return (start, length, 1 + VariableByteInteger.Length(remaining) + 2 + publish.Topic.Length);
    }
}
