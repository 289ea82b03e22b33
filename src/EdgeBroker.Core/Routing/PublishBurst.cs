using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Routing;

/// <summary>
/// QoS 0 messages of one receive that go to the same subscribers, encoded one behind the other, so that each subscriber's memory is touched once for all of them. A message with
/// properties is held in its 5.0 form, others in 3.1.1's; the other form is made when the first subscriber asks for it.
/// </summary>
public sealed class PublishBurst
{
    private const int LargestBytes = 64 * 1024;

    private readonly Form _first = new();
    private readonly Form _other = new();
    private ProtocolVersion _version;

    /// <summary>Messages held.</summary>
    public int Count { get; private set; }

    /// <summary>Payload bytes of all of them.</summary>
    public long PayloadBytes { get; private set; }

    /// <summary>Who gets them.</summary>
    internal MatchResult Match { get; private set; } = MatchResult.Nobody;

    /// <summary>Whose they are.</summary>
    internal Session? Publisher { get; private set; }

    /// <summary>Whether messages may be held back at all just now.</summary>
    internal bool IsOpen { get; set; }

    /// <summary>The packets of all messages, for a receiver that takes them as they are.</summary>
    /// <param name="version">The receiver's version.</param>
    /// <param name="largestPacketBytes">The length of the longest.</param>
    public ReadOnlySpan<byte> Encoded(ProtocolVersion version, out int largestPacketBytes)
    {
        Form form = _first;
        if (version != _version)
        {
            form = _other;
            if (form.Length == 0) Translate();
        }

        largestPacketBytes = form.Largest;
        return form.Bytes.AsSpan(0, form.Length);
    }

    /// <summary>Whether a message can join those held.</summary>
    internal bool Accepts(in Publication publication, MatchResult match) => Count == 0
        || (ReferenceEquals(match, Match) && ReferenceEquals(publication.Publisher, Publisher) && VersionOf(publication) == _version
            && _first.Length + publication.Payload.Length < LargestBytes);

    /// <summary>Holds a message back.</summary>
    internal void Add(in Publication publication, MatchResult match)
    {
        if (Count == 0)
        {
            Match = match;
            Publisher = publication.Publisher;
            _version = VersionOf(publication);
        }

        Count++;
        PayloadBytes += publication.Payload.Length;
        _first.Add(
            new OutgoingPublish
            {
                Topic = publication.Topic,
                Payload = publication.Payload,
                ForwardedProperties = publication.Properties,
                ExpirySeconds = publication.ExpirySeconds,
            },
            _version);
    }

    /// <summary>Takes the message at a position of the held bytes, for a receiver that needs them one by one.</summary>
    /// <param name="position">0 at first; moved to the next message.</param>
    /// <param name="scratch">Room for the properties of any message held.</param>
    /// <param name="publication">The message.</param>
    internal bool TryRead(ref int position, Span<byte> scratch, out Publication publication)
    {
        publication = default;
        if (!TryParse(ref position, out PublishPacket packet)) return false;
        PropertyBlock properties = packet.Properties;
        int forwarded = properties.CopyForwarded(scratch);
        publication = new Publication
        {
            Topic = packet.Topic,
            Payload = packet.Payload,
            Properties = scratch[..forwarded],
            ExpirySeconds = properties.Has(PropertyId.MessageExpiryInterval) ? properties.GetNumber(PropertyId.MessageExpiryInterval, 0) : null,
            Publisher = Publisher,
        };
        return true;
    }

    /// <summary>Forgets what was held.</summary>
    internal void Clear()
    {
        Count = 0;
        PayloadBytes = 0;
        Match = MatchResult.Nobody;
        Publisher = null;
        _first.Clear();
        _other.Clear();
    }

    private static ProtocolVersion VersionOf(in Publication publication) =>
        publication.Properties.IsEmpty && publication.ExpirySeconds is null ? ProtocolVersion.V311 : ProtocolVersion.V5;

    private void Translate()
    {
        ProtocolVersion version = _version == ProtocolVersion.V5 ? ProtocolVersion.V311 : ProtocolVersion.V5;
        // 3.1.1 drops the properties, and messages held in 3.1.1's form have none: either way topic and payload are all.
        for (int position = 0; TryParse(ref position, out PublishPacket packet);)
        {
            _other.Add(new OutgoingPublish { Topic = packet.Topic, Payload = packet.Payload }, version);
        }
    }

    private bool TryParse(ref int position, out PublishPacket packet)
    {
        packet = default;
        ReadOnlySpan<byte> rest = _first.Bytes.AsSpan(position, _first.Length - position);
        if (Frame.Cut(rest, int.MaxValue, out Frame frame, out int length) != FrameStatus.Complete) return false;
        position += length;
        return PublishPacket.TryParse(frame, _version, out packet, out _);
    }

    /// <summary>Encoded packets, and the memory they are in, which is kept for the next burst.</summary>
    private sealed class Form
    {
        public byte[] Bytes { get; private set; } = [];

        public int Length { get; private set; }

        public int Largest { get; private set; }

        public void Add(in OutgoingPublish publish, ProtocolVersion version)
        {
            int length = publish.Length(version);
            if (Bytes.Length - Length < length)
            {
                byte[] larger = GC.AllocateUninitializedArray<byte>(Math.Max(Length + length, Math.Max(4096, 2 * Bytes.Length)));
                Bytes.AsSpan(0, Length).CopyTo(larger);
                Bytes = larger;
            }

            publish.Write(Bytes.AsSpan(Length, length), version);
            Length += length;
            Largest = Math.Max(Largest, length);
        }

        public void Clear()
        {
            Length = 0;
            Largest = 0;
        }
    }
}
