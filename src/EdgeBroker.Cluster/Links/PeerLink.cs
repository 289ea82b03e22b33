using EdgeBroker.Cluster.Fields;
using EdgeBroker.Cluster.Forwarding;
using EdgeBroker.Cluster.Interest;
using EdgeBroker.Cluster.Retained;
using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Topics;

namespace EdgeBroker.Cluster.Links;

/// <summary>
/// One connection to another node: bytes in, bytes out. What comes in and all that follows is the business of the thread that serves the cluster; publishers
/// write messages to the output, and one more thread takes from it.
/// </summary>
public sealed partial class PeerLink : IFrameHandler, IPeerLink
{
    // What another node may make grow here.
    private const int MostFilters = 1_000_000;
    private const long MostControlBytes = 8L * 1024 * 1024;

    private readonly MeshNode _mesh;
    private readonly FrameReader _reader;
    private readonly SeenQueue _interestToSee;
    private HashSet<byte[]>? _present;
    private string? _failure;
    private string? _cause;
    private int _theirMaxMessageBytes;

    internal PeerLink(MeshNode mesh, byte? expected, bool isDialed, long mostBytes, int mostMessageBytes)
    {
        _mesh = mesh;
        IsDialed = isDialed;
        Expected = expected;
        Output = new LinkOutput(mostBytes);
        _interestToSee = new SeenQueue(mesh.RequestRun);
        _sessionsToSee = new SeenQueue(mesh.RequestRun);
        _reader = new FrameReader(mostMessageBytes);
    }

    /// <summary>Whether it is over: what is still in the output may be sent, nothing is read any more.</summary>
    public bool IsClosed => Volatile.Read(ref _cause) is not null;

    /// <summary>Why it is over; null: it is not.</summary>
    public string? Cause => Volatile.Read(ref _cause);

    /// <summary>Whether it has ever been linked.</summary>
    public bool HasBeenLinked { get; internal set; }

    /// <summary>Called when there is something to take, perhaps under a lock of the caller's; set before the link is opened.</summary>
    public Action OutputAdded
    {
        set => Output.Added = value;
    }

    /// <inheritdoc/>
    public bool HasRoom => Output.HasRoom(FrameClass.Messages);

    /// <summary>The node that has to answer; null: whoever does.</summary>
    internal byte? Expected { get; }

    /// <summary>Whether this node has connected, and has spoken first.</summary>
    internal bool IsDialed { get; }

    internal LinkOutput Output { get; }

    internal MeshPeer? Peer { get; set; }

    internal RetainedFeed? Retained { get; set; }

    internal long HeardMs { get; set; }

    internal long OpenedMs { get; init; }

    internal long PingedMs { get; set; }

    /// <summary>The version of this node's interest that the other has in its tree; -1: not all there is yet.</summary>
    internal long SeenVersion { get; private set; } = -1;

    /// <summary>Whether all that the other's subscribers want is in this node's tree.</summary>
    internal bool HasInterest { get; private set; }

    /// <summary>Whether either publishes to the other whatever its subscribers want, and knows the other's sessions.</summary>
    internal bool IsLinked => HasInterest && SeenVersion >= 0 && HasSessions && SessionsSeen >= 0;

    /// <summary>Why it has to end; null: it has not.</summary>
    internal string? Failure => Volatile.Read(ref _failure) ?? (Output.BytesOf(FrameClass.Control) > MostControlBytes ? "it does not read" : null);

    /// <summary>Takes the next bytes to be sent; false: there are none now. One thread.</summary>
    public bool TryTake(out ReadOnlyMemory<byte> bytes)
    {
        bool wasFull = !HasRoom || !Output.HasRoom(FrameClass.Bulk);
        bool isThere = Output.TryTake(out bytes);
        if (wasFull && HasRoom && Output.HasRoom(FrameClass.Bulk)) _mesh.RequestRun();
        return isThere;
    }

    /// <inheritdoc/>
    public bool TrySend(long life, byte lane, long position, in Publication message, ReadOnlySpan<byte> group)
    {
        if (MessageFrames.LengthOf(message, group) > _theirMaxMessageBytes) return false;
        Output.Add(FrameClass.Messages, MessageFrames.Write(new PeerLaneId(life, lane), position, message, group));
        return true;
    }

    /// <inheritdoc/>
    public bool TrySendOnce(in Publication message, ReadOnlySpan<byte> group)
    {
        if (!HasRoom || MessageFrames.LengthOf(message, group) > _theirMaxMessageBytes) return false;
        Output.Add(FrameClass.Messages, MessageFrames.Write(default, 0, message, group));
        return true;
    }

    /// <inheritdoc/>
    public int SendOnce(in MessageSegment messages)
    {
        if (!HasRoom) return messages.Count;
        foreach (byte[] frames in MessageFrames.WriteBursts(messages)) Output.Add(FrameClass.Messages, frames);
        return 0;
    }

    /// <inheritdoc/>
    public void RequestPump() => _mesh.RequestRun();

    /// <inheritdoc/>
    public void Fail(string cause)
    {
        Interlocked.CompareExchange(ref _failure, cause, null);
        _mesh.RequestRun();
    }

    /// <summary>Takes what has come; false: it breaks the protocol.</summary>
    internal bool Feed(ReadOnlySpan<byte> bytes) => _reader.Feed(bytes, this) || Refuse(_reader.Fault!);

    // Who sends hears of it, and ends the connection when all has been sent.
    internal void Close(string cause)
    {
        Volatile.Write(ref _cause, cause);
        LoseProposals();
        Output.Added();
    }

    internal void Begin(Hello theirs) => _theirMaxMessageBytes = theirs.MaxMessageBytes;

    internal void Send(byte[] control) => Output.Add(FrameClass.Control, control);

    internal void SendNumber(FrameType type, long number)
    {
        using BodyWriter body = BodyWriter.Begin();
        body.Int64(number);
        Send(Frames.Of(type, body.Written));
    }

    internal void SendSeen(PeerLaneId lane, long through)
    {
        using BodyWriter body = BodyWriter.Begin();
        body.Int64(lane.Life);
        body.Byte(lane.Lane);
        body.Int64(through);
        Send(Frames.Of(FrameType.MessageSeen, body.Written));
    }

    /// <summary>Tells the other how far what it has told is safe.</summary>
    internal void TellSeen()
    {
        _interestToSee.Tell(version => SendNumber(FrameType.InterestSeen, version));
        _sessionsToSee.Tell(version => SendNumber(FrameType.SessionsSeen, version));
    }

    /// <inheritdoc/>
    bool IFrameHandler.Handle(FrameType type, ReadOnlySpan<byte> body)
    {
        if (IsClosed || Failure is not null) return true;
        if (Peer is not { } peer) return type == FrameType.Hello && Links.Hello.Read(body) is { } hello && _mesh.Meet(this, hello);
        return type switch
        {
            FrameType.Ping => TakePing(body),
            FrameType.Interest => TakeInterest(body, peer),
            FrameType.InterestSeen => TakeInterestSeen(body),
            FrameType.Sessions => TakeSessions(body, peer),
            FrameType.SessionsSeen => TakeSessionsSeen(body, peer),
            FrameType.Message => TakeMessage(body, peer),
            FrameType.MessageSeen => TakeMessageSeen(body, peer),
            FrameType.Burst => TakeBurst(body, peer),
            FrameType.RetainedRow => _mesh.TakeRow(body),
            FrameType.RetainedThrough => TakeThrough(body, peer),
            FrameType.RetainedSince => TakeSince(body),
            FrameType.Sight => TakeSight(body),
            FrameType.Propose => TakeProposal(body),
            FrameType.Proposed => TakeAnswer(body, peer.Node),
            FrameType.Will => TakeWill(body, peer),
            FrameType.Bye => TakeBye(body),
            _ => false,
        };
    }

    private bool Refuse(string fault)
    {
        Fail(fault);
        return false;
    }

    private bool TakePing(ReadOnlySpan<byte> bytes)
    {
        var body = new FieldReader(bytes);
        var clock = new Stamp(body.Int64());
        return !body.IsBroken && clock.Value >= 0 && _mesh.TryMerge(clock);
    }

    private bool TakeInterest(ReadOnlySpan<byte> bytes, MeshPeer peer)
    {
        var body = new FieldReader(bytes);
        long version = body.Int64();
        var part = (InterestPart)body.Byte();
        if (body.IsBroken || version < 0 || (!HasInterest && (part & InterestPart.Full) == 0)) return false;
        if ((part & InterestPart.First) != 0) _present = new HashSet<byte[]>(TopicComparer.Instance);
        Completion? completion = null;
        while (!body.IsAtEnd)
        {
            if (!InterestFrames.TryRead(ref body, _mesh.MaxTopicLevels, out ReadOnlySpan<byte> filter, out Core.Topics.Interest interest)) return false;
            if (peer.Outbox.FilterCount >= MostFilters && interest != Core.Topics.Interest.None) return false;
            completion = Completion.Both(completion, peer.Outbox.SetInterest(filter, interest));
            _present?.Add(filter.ToArray());
        }

        if (body.IsBroken) return false;
        bool isWhole = part == InterestPart.Changes || (part & InterestPart.Last) != 0;
        if ((part & InterestPart.Last) != 0 && _present is { } present)
        {
            foreach (byte[] gone in peer.Outbox.FiltersBeside(present))
            {
                completion = Completion.Both(completion, peer.Outbox.SetInterest(gone, Core.Topics.Interest.None));
            }

            _present = null;
            HasInterest = true;
        }

        _interestToSee.Add(isWhole ? version : -1, completion);
        return true;
    }

    private bool TakeInterestSeen(ReadOnlySpan<byte> bytes)
    {
        var body = new FieldReader(bytes);
        long version = body.Int64();
        if (!body.IsWhole || version > _mesh.InterestVersion) return false;
        SeenVersion = Math.Max(SeenVersion, version);
        return true;
    }

    private bool TakeMessage(ReadOnlySpan<byte> bytes, MeshPeer peer)
    {
        if (!MessageFrames.TryRead(bytes, _mesh.MaxTopicLevels, out ForwardedMessage message)) return false;
        if (!_mesh.TryMerge(message.Publication.Stamp)) return false;
        // Without a stamp it would get one here, and be newer than it is.
        ForwardedMessage taken = message is { Publication.Retain: true, Publication.Stamp.IsNone: true } ? message.WithoutRetain() : message;
        if (taken.Lane != 0) return peer.Inbox.Take(taken);
        peer.Inbox.TakeOnce(taken.Publication, taken.Group);
        return true;
    }

    private bool TakeBurst(ReadOnlySpan<byte> bytes, MeshPeer peer)
    {
        var body = new FieldReader(bytes);
        while (!body.IsAtEnd)
        {
            if (!MessageFrames.TryReadOne(ref body, _mesh.MaxTopicLevels, out Publication message) || message.Retain) return false;
            peer.Inbox.TakeOnce(message, group: []);
        }

        return !body.IsBroken;
    }

    private static bool TakeMessageSeen(ReadOnlySpan<byte> bytes, MeshPeer peer)
    {
        var body = new FieldReader(bytes);
        (long life, byte lane, long through) = (body.Int64(), body.Byte(), body.Int64());
        if (!body.IsWhole) return false;
        peer.Outbox.AcknowledgeThrough(life, lane, through);
        return true;
    }

    private static bool TakeThrough(ReadOnlySpan<byte> bytes, MeshPeer peer)
    {
        var body = new FieldReader(bytes);
        long through = body.Int64();
        if (!body.IsWhole || through < 0) return false;
        peer.RetainedCursor = Math.Max(peer.RetainedCursor, through);
        return true;
    }

    private bool TakeSince(ReadOnlySpan<byte> bytes)
    {
        var body = new FieldReader(bytes);
        long since = body.Int64();
        if (!body.IsWhole || since < 0) return false;
        Retained!.Ask(since);
        return true;
    }

    private bool TakeBye(ReadOnlySpan<byte> bytes)
    {
        string cause = ByeFrame.Read(bytes, out bool isRemoved);
        if (isRemoved) _mesh.NoteRemoved(cause);
        Fail("it said: " + cause);
        return true;
    }
}
