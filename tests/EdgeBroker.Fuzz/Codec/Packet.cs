using System.Buffers;
using EdgeBroker.Protocol;

namespace EdgeBroker.Fuzz.Codec;

/// <summary>Any control packet through the codec: read into a line of text, and written again from what was read.</summary>
public static class Packet
{
    /// <summary>First byte, remaining length, body.</summary>
    public static byte[] Compose(byte header, ReadOnlySpan<byte> body)
    {
        Span<byte> length = stackalloc byte[4];
        int lengthBytes = VariableByteInteger.Write(length, (uint)body.Length);
        return [header, .. length[..lengthBytes], .. body];
    }

    /// <summary>Cuts the packet that <paramref name="bytes"/> are, whole.</summary>
    public static Frame Cut(ReadOnlySpan<byte> bytes)
    {
        FrameStatus status = Frame.Cut(bytes, int.MaxValue, out Frame frame, out _);
        if (status != FrameStatus.Complete || frame.Length != bytes.Length) throw new DisagreementException($"Cut says {status} of a whole packet", bytes);
        return frame;
    }

    /// <summary>
    /// Parses a whole packet; on success <paramref name="fields"/> is what it says and <paramref name="rewritten"/> the same packet as the codec writes it.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, ProtocolVersion version, out string fields, out byte[]? rewritten, out ParseError error)
    {
        Frame frame = Cut(bytes);
        var output = new ArrayBufferWriter<byte>();
        Fields? read = frame.Type switch
        {
            PacketType.Connect => Read.Connect(frame, output, out error),
            PacketType.Connack => Read.Connack(frame, version, output, out error),
            PacketType.Publish => ReadPublish.Publish(frame, version, output, out error),
            PacketType.Puback or PacketType.Pubrec or PacketType.Pubrel or PacketType.Pubcomp => Read.Ack(frame, version, output, out error),
            PacketType.Subscribe => Read.Subscribe(frame, version, output, out error),
            PacketType.Suback or PacketType.Unsuback => Read.Suback(frame, version, output, out error),
            PacketType.Unsubscribe => Read.Unsubscribe(frame, version, output, out error),
            PacketType.Disconnect or PacketType.Auth => Read.Disconnect(frame, version, output, out error),
            _ => Read.Ping(frame, output, out error),
        };
        fields = read?.ToString() ?? "";
        rewritten = output.WrittenCount > 0 ? output.WrittenSpan.ToArray() : null;
        return read is not null;
    }
}
