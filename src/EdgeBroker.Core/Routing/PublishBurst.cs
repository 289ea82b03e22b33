using System.Buffers.Binary;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Routing;

/// <summary>
/// QoS 0 messages received together, encoded one behind the other until they are matched together and go out in runs: those next to each other from one
/// publisher to the same subscribers. A message with properties is held in its 5.0 form, others in 3.1.1's; the other form of a run, and that with aliases, is
/// made when the first subscriber asks for it.
/// </summary>
public sealed class PublishBurst
{
    /// <summary>Messages held at most.</summary>
    internal const int MostMessages = 1024;

    private const int LargestBytes = 64 * 1024;

    private readonly Form _first = new();
    private readonly Form _other = new();
    private readonly Form _aliased = new();
    private int[] _aliasPlaces = [];
    private Held[] _held = new Held[16];
    private MatchResult[] _matches = [];
    private Run[] _runs = new Run[4];
    private ProtocolVersion _version;
    private int _runCount;
    private int _run;

    /// <summary>Messages of the run.</summary>
    public int Count => Current.To - Current.From;

    /// <summary>Payload bytes of the run.</summary>
    public long PayloadBytes => Current.PayloadBytes;

    /// <summary>Messages held.</summary>
    internal int Waiting { get; private set; }

    /// <summary>Whose the messages of the run are.</summary>
    internal Receiver? Publisher => _held[Current.From].Publisher;

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
        ref Run run = ref Current;
        if (version == _version)
        {
            largestPacketBytes = run.Largest;
            return RunBytes;
        }

        if (run.Other.Length == 0) run.Other = Translate(run);
        largestPacketBytes = run.Other.Largest;
        return _other.Bytes.AsSpan(run.Other.At, run.Other.Length);
    }

    /// <summary>
    /// The packets of the run in 5.0's form, for a receiver for whom aliases stand for their topics: it fills in its own before it copies them.
    /// </summary>
    /// <param name="places">Where the two bytes of each packet's alias are.</param>
    /// <param name="largestPacketBytes">The length of the longest.</param>
    public Span<byte> EncodedWithAliases(out ReadOnlySpan<int> places, out int largestPacketBytes)
    {
        ref Run run = ref Current;
        if (run.Aliased.Length == 0) run.Aliased = EncodeWithAliases(run);
        places = _aliasPlaces.AsSpan(run.From, Count);
        largestPacketBytes = run.Aliased.Largest;
        return _aliased.Bytes.AsSpan(run.Aliased.At, run.Aliased.Length);
    }

    /// <summary>The topic of a message of the run.</summary>
    public ReadOnlySpan<byte> TopicOf(int index) => HeldTopic(Current.From + index);

    /// <summary>Whether a message can join those held.</summary>
    internal bool Accepts(in Publication publication) => Waiting == 0
        || (Waiting < MostMessages && VersionOf(publication) == _version && _first.Length + publication.Payload.Length < LargestBytes);

    /// <summary>Holds a message back.</summary>
    internal void Add(in Publication publication)
    {
        if (Waiting == 0) _version = VersionOf(publication);
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

        _held[Waiting++] = new Held(publication.Publisher, at, topicAt + 2, (ushort)publication.Topic.Length, publication.Payload.Length, _first.Length);
    }

    /// <summary>The topic of a message held.</summary>
    internal ReadOnlySpan<byte> HeldTopic(int index) => _first.Bytes.AsSpan(_held[index].TopicAt, _held[index].TopicLength);

    /// <summary>The current run's number.</summary>
    internal int RunNumber => _run;

    /// <summary>Whether all messages held are one run.</summary>
    internal bool IsOneRun => _runCount == 1 && Current.To == Waiting;

    /// <summary>Goes on to the next run; null when there is none left. What a shared group gets is a run of its own.</summary>
    internal MatchResult? NextRun()
    {
        int from = _runCount == 0 ? 0 : _runs[_runCount - 1].To;
        if (from == Waiting) return null;
        if (_runCount == _runs.Length) Array.Resize(ref _runs, 4 * _runs.Length);
        _run = _runCount++;
        ref Run run = ref Current;
        MatchResult match = _matches[from];
        run = new Run { From = from, To = from };
        do
        {
            ref readonly Held held = ref _held[run.To++];
            run.PayloadBytes += held.PayloadLength;
            run.Largest = Math.Max(run.Largest, held.End - held.At);
        }
        while (run.To < Waiting && ReferenceEquals(_matches[run.To], match)
            && ReferenceEquals(_held[run.To].Publisher, _held[from].Publisher) && match.Groups.Length == 0);
        return match;
    }

    /// <summary>Goes back to a run.</summary>
    internal void Select(int run) => _run = run;

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
        Array.Clear(_held, 0, Waiting);
        Waiting = 0;
        _runCount = 0;
        _first.Clear();
        _other.Clear();
        _aliased.Clear();
    }

    private static ProtocolVersion VersionOf(in Publication publication) =>
        publication.Properties.IsEmpty && publication.ExpirySeconds is null ? ProtocolVersion.V311 : ProtocolVersion.V5;

    private ref Run Current => ref _runs[_run];

    private ReadOnlySpan<byte> RunBytes => _first.Bytes.AsSpan(_held[Current.From].At, _held[Current.To - 1].End - _held[Current.From].At);

    private Piece Translate(in Run run)
    {
        ProtocolVersion version = _version == ProtocolVersion.V5 ? ProtocolVersion.V311 : ProtocolVersion.V5;
        var piece = new Piece(_other.Length);
        // 3.1.1 drops the properties, and messages held in 3.1.1's form have none: either way topic and payload are all.
        for (int i = run.From; i < run.To; i++)
        {
            piece.Add(_other.Add(new OutgoingPublish { Topic = HeldTopic(i), Payload = PayloadOf(_held[i]) }, version));
        }

        return piece;
    }

    private Piece EncodeWithAliases(in Run run)
    {
        if (_aliasPlaces.Length < Waiting) _aliasPlaces = new int[_held.Length];
        var piece = new Piece(_aliased.Length);
        for (int i = run.From; i < run.To; i++)
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

            piece.Add(
                _aliased.Add(
                    new OutgoingPublish { Payload = PayloadOf(held), ForwardedProperties = forwarded, ExpirySeconds = expirySeconds }, ProtocolVersion.V5,
                    insteadOfTopic: 1));
            _aliasPlaces[i] = piece.Length - held.PayloadLength - forwarded.Length - sizeof(ushort);
        }

        return piece;
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
    private readonly record struct Held(Receiver? Publisher, int At, int TopicAt, ushort TopicLength, int PayloadLength, int End);

    /// <summary>Messages of one publisher behind one another that go to the same subscribers, and where their other forms are once they are made.</summary>
    private struct Run
    {
        public int From;
        public int To;
        public int Largest;
        public long PayloadBytes;
        public Piece Other;
        public Piece Aliased;
    }

    /// <summary>Where the packets of a run are among those of a form.</summary>
    private struct Piece(int at)
    {
        public readonly int At = at;
        public int Length;
        public int Largest;

        public void Add(int packetBytes)
        {
            Length += packetBytes;
            Largest = Math.Max(Largest, packetBytes);
        }
    }

    /// <summary>Encoded packets, and the memory they are in, which is kept for the next burst.</summary>
    private sealed class Form
    {
        public byte[] Bytes { get; private set; } = [];

        public int Length { get; private set; }

        /// <summary>Writes a packet behind the others; returns its length.</summary>
        public int Add(in OutgoingPublish publish, ProtocolVersion version, ushort insteadOfTopic = 0)
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
            return length;
        }

        public void Clear() => Length = 0;
    }
}
