using System.Buffers;
using EdgeBroker.Protocol;

namespace EdgeBroker.Fuzz.Codec;

/// <summary>PUBLISH read as <see cref="PublishPacket"/> and written as <see cref="OutgoingPublish"/>.</summary>
internal static class ReadPublish
{
    // Remembers across inputs, as a reactor does across connections.
    [ThreadStatic]
    private static PropertyMemo? _memo;

    public static Fields? Publish(in Frame frame, ProtocolVersion version, IBufferWriter<byte> output, out ParseError error)
    {
        bool isValid = PublishPacket.TryParse(frame, version, out PublishPacket packet, out error);
        CheckMemo(frame, version, isValid, packet, error);
        if (!isValid) return null;
        Span<byte> forwarded = new byte[packet.Properties.Bytes.Length];
        forwarded = forwarded[..packet.Properties.CopyForwarded(forwarded)];
        if (packet.Properties.IsForwardedUnchanged && !forwarded.SequenceEqual(packet.Properties.Bytes))
        {
            throw new DisagreementException("CopyForwarded changes what is forwarded unchanged", packet.Properties.Bytes);
        }

        if (packet.Properties.TryGetForwarded(out ReadOnlySpan<byte> piece) && !forwarded.SequenceEqual(piece))
        {
            throw new DisagreementException("TryGetForwarded takes other bytes than CopyForwarded", packet.Properties.Bytes);
        }

        var outgoing = new OutgoingPublish
        {
            Dup = packet.Dup,
            QoS = packet.QoS,
            Retain = packet.Retain,
            Topic = packet.Topic,
            PacketId = packet.PacketId,
            ExpirySeconds = packet.Properties.Has(PropertyId.MessageExpiryInterval) ? packet.Properties.GetNumber(PropertyId.MessageExpiryInterval, 0) : null,
            TopicAlias = (ushort)packet.Properties.GetNumber(PropertyId.TopicAlias, 0),
            ForwardedProperties = forwarded,
            SubscriptionIdentifiers = SubscriptionIdentifiersOf(packet.Properties),
            Payload = packet.Payload,
        };
        WriteBothWays(outgoing, version, output);
        Fields fields = new Fields("PUBLISH").Add("dup", packet.Dup ? 1 : 0).Add("qos", (int)packet.QoS).Add("retain", packet.Retain ? 1 : 0)
            .Add("topic", packet.Topic);
        if (packet.QoS != QoS.AtMostOnce) fields.Add("id", packet.PacketId);
        return fields.AddProperties("properties", PropertyText.Of(packet.Properties)).Add("payload", packet.Payload);
    }

    // Once it has not seen these properties, once it may have.
    private static void CheckMemo(in Frame frame, ProtocolVersion version, bool isValid, in PublishPacket packet, ParseError error)
    {
        _memo ??= new PropertyMemo();
        for (int time = 1; time <= 2; time++)
        {
            bool isValidToo = PublishPacket.TryParse(frame, version, _memo, out PublishPacket recalled, out ParseError errorToo);
            if (isValidToo != isValid || errorToo != error || (isValid && !IsSame(recalled.Properties, packet.Properties)))
            {
                throw new DisagreementException($"a memo changes what is read the {time}. time", frame.Body);
            }
        }
    }

    private static bool IsSame(PropertyBlock one, PropertyBlock other) =>
        one.Bytes.SequenceEqual(other.Bytes) && one.IsForwardedUnchanged == other.IsForwardedUnchanged
        && one.TryGetForwarded(out ReadOnlySpan<byte> piece) == other.TryGetForwarded(out ReadOnlySpan<byte> otherPiece) && piece.SequenceEqual(otherPiece)
        && PropertyText.Of(one).SequenceEqual(PropertyText.Of(other));

    private static uint[] SubscriptionIdentifiersOf(PropertyBlock properties)
    {
        var identifiers = new List<uint>();
        foreach (Property property in properties)
        {
            if (property.Id == PropertyId.SubscriptionIdentifier) identifiers.Add(property.Number);
        }

        return [.. identifiers];
    }

    private static void WriteBothWays(in OutgoingPublish outgoing, ProtocolVersion version, IBufferWriter<byte> output)
    {
        outgoing.Write(output, version);
        Read.CheckLength(outgoing.Length(version), output);
        byte[] span = new byte[outgoing.Length(version)];
        int written = outgoing.Write(span, version);
        if (written != span.Length || !((ArrayBufferWriter<byte>)output).WrittenSpan.SequenceEqual(span))
        {
            throw new DisagreementException("PUBLISH differs when written to a span", span);
        }
    }
}
