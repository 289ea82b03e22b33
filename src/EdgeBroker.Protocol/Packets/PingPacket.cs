using System.Buffers;

namespace EdgeBroker.Protocol;

/// <summary>PINGREQ and PINGRESP (3.12, 3.13): a fixed header and nothing else.</summary>
public static class PingPacket
{
    /// <summary>Whether the frame has no body, as both packets must.</summary>
    public static bool IsValid(in Frame frame) => frame.Body.IsEmpty;

    /// <summary>Writes a PINGREQ.</summary>
    public static void WriteRequest(IBufferWriter<byte> output) => Write(output, PacketType.Pingreq);

    /// <summary>Writes a PINGRESP.</summary>
    public static void WriteResponse(IBufferWriter<byte> output) => Write(output, PacketType.Pingresp);

    private static void Write(IBufferWriter<byte> output, PacketType type)
    {
        PacketWriter writer = PacketWriter.Begin(output, (byte)((int)type << 4), 0);
        writer.End(output);
    }
}
