using System.Buffers.Binary;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Routing;

/// <summary>
/// QoS 0 messages of one receive, encoded one behind the other until they are matched together and go out in runs: those next to each other that go to the same subscribers, so that each
/// subscriber's memory is touched once for all of a run. A message with properties is held in its 5.0 form, others in 3.1.1's; the other form of a run, and that with aliases, is made when the
/// first subscriber asks for it.
/// </summary>
public sealed class PublishBurst
{
    /// <summary>Messages held at most.</summary>
    internal const int MostMessages = 256;

    private const int LargestBytes = 64 * 1024;

    private readonly Form _first = new();
    private readonly Form _other = new();
    private readonly Form _aliased = new();
    private int[] _aliasPlaces = [];
    private Held[] _held = new Held[16];
    private MatchResult[] _matches = [];
    private ProtocolVersion _version;
    private int _runFrom;
    private int _runTo;
    private int _runLargest;

    /// <summary>Messages of the run.</summary>
    public int Count => _runTo - _runFrom;

    /// <summary>Payload bytes of the run.</summary>
    public long PayloadBytes { get; private set; }

    /// <summary>Messages held.</summary>
    internal int Waiting { get; private set; }

    /// <summary>Whose they are.</summary>
    internal Session? Publisher { get; private set; }

    /// <summary>Whether messages may be held back at all just now.</summary>
    internal bool IsOpen { get; set; }

    /// <summary>Who gets each of the messages held: filled before the first run is asked for.</summary>
    internal Span<MatchResult> Matches
    {
        get
        {
            if (_matches.Length < Waiting) _matches = new MatchResult[_held.Length];
            return _matches.AsSpan(0, Waiting);
        }
    }

    /// <summary>The packets of the run, for a receiver that takes them as they are.</summary>
    /// <param name="version">The receiver's version.</param>
    /// <param name="largestPacketBytes">The length of the longest.</param>
    public ReadOnlySpan<byte> Encoded(ProtocolVersion version, out int largestPacketBytes)
    {
        if (version == _version)
        {
            largestPacketBytes = _runLargest;
            return RunBytes;
        }

        if (_other.Length == 0) Translate();
        largestPacketBytes = _other.Largest;
        return _other.Bytes.AsSpan(0, _other.Length);
    }

    /// <summary>The packets of the run in 5.0's form, for a receiver for whom aliases stand for their topics: it fills in its own before it copies them.</summary>
    /// <param name="places">Where the two bytes of each packet's alias are.</param>
    /// <param name="largestPacketBytes">The length of the longest.</param>
    public Span<byte> EncodedWithAliases(out ReadOnlySpan<int> places, out int largestPacketBytes)
    {
        if (_aliased.Length == 0) EncodeWithAliases();
        places = _aliasPlaces.AsSpan(0, Count);
        largestPacketBytes = _aliased.Largest;
        return _aliased.Bytes.AsSpan(0, _aliased.Length);
    }

    /// <summary>The topic of a message of the run.</summary>
    public ReadOnlySpan<byte> TopicOf(int index) => HeldTopic(_runFrom + index);

    /// <summary>Whether a message can join those held.</summary>
    internal bool Accepts(in Publication publication) => Waiting == 0
        || (Waiting < MostMessages && ReferenceEquals(publication.Publisher, Publisher) && VersionOf(publication) == _version
            && _first.Length + publication.Payload.Length < LargestBytes);

    /// <summary>Holds a message back.</summary>
    internal void Add(in Publication publication)
    {
        if (Waiting == 0)
        {
            Publisher = publication.Publisher;
            _version = VersionOf(publication);
        }

        if (Waiting == _held.Length) Array.Resize(ref _held, 4 * _held.Length);
        int at = _first.Length;
        _first.Add(
            new OutgoingPublish
            {
                Topic = publication.Topic,
                Payload = publication.Payload,
                ForwardedProperties = publication.Properties,
                ExpirySeconds = publication.ExpirySeconds,
            },
            _version);
        // Behind the fixed header's remaining length and the topic's own.
        int topicAt = at + 1;
        while ((_first.Bytes[topicAt++] & 0x80) != 0)
        {
        }

        _held[Waiting++] = new Held(at, topicAt + 2, (ushort)publication.Topic.Length, publication.Payload.Length, _first.Length);
    }

    /// <summary>The topic of a message held.</summary>
    internal ReadOnlySpan<byte> HeldTopic(int index) => _first.Bytes.AsSpan(_held[index].TopicAt, _held[index].TopicLength);

    /// <summary>Goes on to the next run; null when there is none left. What a shared group gets is a run of its own.</summary>
    internal MatchResult? NextRun()
    {
        _runFrom = _runTo;
        if (_runFrom == Waiting) return null;
        _other.Clear();
        _aliased.Clear();
        MatchResult match = _matches[_runFrom];
        PayloadBytes = 0;
        _runLargest = 0;
        do
        {
            ref readonly Held held = ref _held[_runTo++];
            PayloadBytes += held.PayloadLength;
            _runLargest = Math.Max(_runLargest, held.End - held.At);
        }
        while (_runTo < Waiting && ReferenceEquals(_matches[_runTo], match) && match.Groups.Length == 0);
        return match;
    }

    /// <summary>Takes the message at a position of the run's bytes, for a receiver that needs them one by one.</summary>
    /// <param name="position">0 at first; moved to the next message.</param>
    /// <param name="scratch">Room for the properties of any message held.</param>
    /// <param name="memo">What remembers the properties read last.</param>
    /// <param name="publication">The message.</param>
    internal bool TryRead(ref int position, Span<byte> scratch, PropertyMemo memo, out Publication publication)
    {
        publication = default;
        if (!TryParse(ref position, memo, out PublishPacket packet)) return false;
        PropertyBlock properties = packet.Properties;
        if (!properties.TryGetForwarded(out ReadOnlySpan<byte> forwarded)) forwarded = scratch[..properties.CopyForwarded(scratch)];
        publication = new Publication
        {
            Topic = packet.Topic,
            Payload = packet.Payload,
            Properties = forwarded,
            ExpirySeconds = properties.Has(PropertyId.MessageExpiryInterval) ? properties.GetNumber(PropertyId.MessageExpiryInterval, 0) : null,
            Publisher = Publisher,
        };
        return true;
    }

    /// <summary>Forgets what was held.</summary>
    internal void Clear()
    {
        Array.Clear(_matches, 0, Math.Min(_matches.Length, Waiting));
        Waiting = 0;
        _runFrom = 0;
        _runTo = 0;
        Publisher = null;
        _first.Clear();
        _other.Clear();
        _aliased.Clear();
    }

    private static ProtocolVersion VersionOf(in Publication publication) =>
        publication.Properties.IsEmpty && publication.ExpirySeconds is null ? ProtocolVersion.V311 : ProtocolVersion.V5;

    private ReadOnlySpan<byte> RunBytes => _first.Bytes.AsSpan(_held[_runFrom].At, _held[_runTo - 1].End - _held[_runFrom].At);

    private void Translate()
    {
        ProtocolVersion version = _version == ProtocolVersion.V5 ? ProtocolVersion.V311 : ProtocolVersion.V5;
        // 3.1.1 drops the properties, and messages held in 3.1.1's form have none: either way topic and payload are all.
        for (int i = _runFrom; i < _runTo; i++)
        {
            ref readonly Held held = ref _held[i];
            _other.Add(new OutgoingPublish { Topic = HeldTopic(i), Payload = PayloadOf(held) }, version);
        }
    }

    private void EncodeWithAliases()
    {
        if (_aliasPlaces.Length < Count) _aliasPlaces = new int[_held.Length];
        for (int i = _runFrom; i < _runTo; i++)
        {
            ref readonly Held held = ref _held[i];
            ReadOnlySpan<byte> forwarded = PropertiesOf(held);
            uint? expirySeconds = null;
            // It was written before the others.
            if (!forwarded.IsEmpty && forwarded[0] == (byte)PropertyId.MessageExpiryInterval)
            {
                expirySeconds = BinaryPrimitives.ReadUInt32BigEndian(forwarded[1..]);
                forwarded = forwarded[(1 + sizeof(uint))..];
            }

            _aliased.Add(new OutgoingPublish { Payload = PayloadOf(held), ForwardedProperties = forwarded, ExpirySeconds = expirySeconds }, ProtocolVersion.V5, insteadOfTopic: 1);
            _aliasPlaces[i - _runFrom] = _aliased.Length - held.PayloadLength - forwarded.Length - sizeof(ushort);
        }
    }

    private ReadOnlySpan<byte> PayloadOf(in Held held) => _first.Bytes.AsSpan(held.End - held.PayloadLength, held.PayloadLength);

    private ReadOnlySpan<byte> PropertiesOf(in Held held)
    {
        if (_version != ProtocolVersion.V5) return default;
        ReadOnlySpan<byte> behindTopic = _first.Bytes.AsSpan(held.TopicAt + held.TopicLength);
        return behindTopic.Slice(VariableByteInteger.Read(behindTopic, out uint length), (int)length);
    }

    private bool TryParse(ref int position, PropertyMemo memo, out PublishPacket packet)
    {
        packet = default;
        if (Frame.Cut(RunBytes[position..], int.MaxValue, out Frame frame, out int length) != FrameStatus.Complete) return false;
        position += length;
        return PublishPacket.TryParse(frame, _version, memo, out packet, out _);
    }

    /// <summary>Where a message lies among the bytes held.</summary>
    private readonly record struct Held(int At, int TopicAt, ushort TopicLength, int PayloadLength, int End);

    /// <summary>Encoded packets, and the memory they are in, which is kept for the next burst.</summary>
    private sealed class Form
    {
        public byte[] Bytes { get; private set; } = [];

        public int Length { get; private set; }

        public int Largest { get; private set; }

        public void Add(in OutgoingPublish publish, ProtocolVersion version, ushort insteadOfTopic = 0)
        {
            int length = publish.Length(version, insteadOfTopic);
            if (Bytes.Length - Length < length)
            {
                byte[] larger = GC.AllocateUninitializedArray<byte>(Math.Max(Length + length, Math.Max(4096, 2 * Bytes.Length)));
                Bytes.AsSpan(0, Length).CopyTo(larger);
                Bytes = larger;
            }

            publish.Write(Bytes.AsSpan(Length, length), version, insteadOfTopic);
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
