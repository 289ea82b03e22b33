using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Protocol;

namespace EdgeBroker.Mqtt.Sending;

/// <summary>
/// Encodes a message, or the messages of a segment, once for all receivers that agree in version, QoS and RETAIN. What differs from one receiver to the next is
/// filled in by each: the packet identifier, or the aliases that stand for topics. One for each routing context.
/// </summary>
internal sealed class PublishEncoder : IEncodedForms
{
    // Above this the memory is given back after the message.
    private const int KeptBytes = 256 * 1024;

    private const int AliasedForm = 12;

    // By version, QoS and RETAIN; the last one: 5.0 with gaps for aliases.
    private readonly Form[] _forms = new Form[AliasedForm + 1];
    private byte[] _bytes = [];
    private int[] _aliasGaps = [];
    private int _used;

    /// <summary>That of a routing context.</summary>
    public static PublishEncoder Of(RoutingContext context)
    {
        if (context.Forms is not PublishEncoder encoder) context.Forms = encoder = new PublishEncoder();
        return encoder;
    }

    /// <inheritdoc/>
    public void Reset()
    {
        if (_used == 0) return;
        _used = 0;
        Array.Clear(_forms);
        if (_bytes.Length > KeptBytes) _bytes = [];
    }

    /// <summary>The packet of a message. It must be the same for all receivers of this form: no alias, no subscription identifier.</summary>
    /// <param name="publish">The message; its packet identifier is not used.</param>
    /// <param name="version">The receiver's version.</param>
    /// <param name="packetIdAt">Where the packet identifier is to be written; 0 at QoS 0.</param>
    public ReadOnlySpan<byte> Encode(in OutgoingPublish publish, ProtocolVersion version, out int packetIdAt)
    {
        ref Form form = ref FormOf(version, publish.QoS, publish.Retain);
        if (form.Length == 0)
        {
            form.Start = _used;
            Append(ref form, publish, version);
            if (publish.QoS != QoS.AtMostOnce) form.PacketIdAt = publish.PacketIdAt(version);
        }

        packetIdAt = form.PacketIdAt;
        return BytesOf(form);
    }

    /// <summary>The packets of a segment, behind one another: as they were received where they have this form, otherwise encoded.</summary>
    /// <param name="segment">The messages.</param>
    /// <param name="version">The receiver's version.</param>
    /// <param name="largestPacketBytes">The length of the longest.</param>
    public ReadOnlySpan<byte> Encode(scoped in MessageSegment segment, ProtocolVersion version, out int largestPacketBytes)
    {
        if (segment.TryGetPackets(version, out ReadOnlySpan<byte> packets, out largestPacketBytes)) return packets;
        ref Form form = ref FormOf(version, QoS.AtMostOnce, retain: false);
        if (form.Length == 0)
        {
            form.Start = _used;
            for (int i = 0; i < segment.Count; i++)
            {
                Publication message = segment[i];
                if (message.PacketVersion == version) Append(ref form, message.Packet);
                else Append(ref form, Of(message), version);
            }
        }

        largestPacketBytes = form.LargestPacketBytes;
        return BytesOf(form);
    }

    /// <summary>The packets of a segment with gaps for the aliases that stand for their topics: each receiver fills in its own before it copies them.</summary>
    /// <param name="segment">The messages.</param>
    /// <param name="gaps">Where the two bytes of each packet's alias are.</param>
    /// <param name="largestPacketBytes">The length of the longest.</param>
    public Span<byte> EncodeWithAliasGaps(scoped in MessageSegment segment, out ReadOnlySpan<int> gaps, out int largestPacketBytes)
    {
        ref Form form = ref _forms[AliasedForm];
        if (form.Length == 0)
        {
            if (_aliasGaps.Length < segment.Count) _aliasGaps = new int[Math.Max(segment.Count, 2 * _aliasGaps.Length)];
            form.Start = _used;
            for (int i = 0; i < segment.Count; i++)
            {
                OutgoingPublish publish = Of(segment[i]);
                Append(ref form, publish, ProtocolVersion.V5, insteadOfTopic: 1);
                // Behind the expiry, before the forwarded properties.
                _aliasGaps[i] = form.Length - publish.Payload.Length - publish.ForwardedProperties.Length - sizeof(ushort);
            }
        }

        gaps = _aliasGaps.AsSpan(0, segment.Count);
        largestPacketBytes = form.LargestPacketBytes;
        return _bytes.AsSpan(form.Start, form.Length);
    }

    private static OutgoingPublish Of(in Publication message) => new()
    {
        Topic = message.Topic,
        Payload = message.Payload,
        ForwardedProperties = message.Properties,
        ExpirySeconds = message.ExpirySeconds,
    };

    private ref Form FormOf(ProtocolVersion version, QoS qos, bool retain) =>
        ref _forms[(version == ProtocolVersion.V5 ? 6 : 0) + ((int)qos * 2) + (retain ? 1 : 0)];

    private ReadOnlySpan<byte> BytesOf(in Form form) => _bytes.AsSpan(form.Start, form.Length);

    private void Append(ref Form form, in OutgoingPublish publish, ProtocolVersion version, ushort insteadOfTopic = 0)
    {
        int length = publish.Length(version, insteadOfTopic);
        publish.Write(Extend(ref form, length), version, insteadOfTopic);
    }

    private void Append(ref Form form, ReadOnlySpan<byte> packet) => packet.CopyTo(Extend(ref form, packet.Length));

    /// <summary>Makes room for a packet behind the others of a form.</summary>
    private Span<byte> Extend(ref Form form, int length)
    {
        if (_bytes.Length - _used < length)
        {
            byte[] larger = GC.AllocateUninitializedArray<byte>(Math.Max(_used + length, Math.Max(4096, 2 * _bytes.Length)));
            _bytes.AsSpan(0, _used).CopyTo(larger);
            _bytes = larger;
        }

        Span<byte> room = _bytes.AsSpan(_used, length);
        _used += length;
        form.Length += length;
        form.LargestPacketBytes = Math.Max(form.LargestPacketBytes, length);
        return room;
    }

    /// <summary>Where the packets of a form are.</summary>
    private struct Form
    {
        public int Start;
        public int Length;
        public int LargestPacketBytes;
        public int PacketIdAt;
    }
}
