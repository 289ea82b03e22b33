using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Routing;
using EdgeBroker.Protocol;
using EdgeBroker.Transport;
using EdgeBroker.Transport.Buffers;

namespace EdgeBroker.Mqtt.Connections;

/// <summary>
/// A connection up to CONNACK: takes CONNECT, has the client authenticated, claims its session from the cluster, and gives its place to a
/// <see cref="MqttConnection"/>. Each stage goes on in the same call where its answer is at hand; otherwise the client stays unread until it is, and with it
/// what it has sent ahead.
/// </summary>
public sealed partial class Handshake : IMqttHandler
{
    // What TLS begins with; as MQTT it would be a CONNECT with reserved flags set.
    private const byte TlsHandshake = 0x16;

    // Time a connection that is not wanted has for its CONNECT, so that it can be told why.
    private const long RejectGraceMs = 2_000;

    // An ordinary CONNECT is not longer.
    private const int ShortBytes = 4 * 1024;

    private readonly MqttLink _link;
    private readonly LimitKind? _refusedBy;
    private readonly bool _holdsSlot;
    private PendingClaim? _claim;
    private State _state;

    /// <param name="endpoint">What the listener's connections share.</param>
    /// <param name="transport">The bytes.</param>
    /// <param name="context">The routing context of the transport's thread.</param>
    /// <param name="transportIdentity">The name the transport has proved to be the client's; null: none.</param>
    /// <param name="admission">What the broker's <see cref="ConnectionLimiter"/> said to whoever made the transport, and gives the place back; null: it is
    /// asked here.</param>
    public Handshake(
        MqttEndpoint endpoint, TransportConnection transport, RoutingContext context, string? transportIdentity = null, Admission? admission = null)
    {
        _link = new MqttLink(endpoint, transport, context, transportIdentity);
        context.Counters.SocketsOpened++;
        Admission verdict = admission ?? Broker.Limits.Connections.Enter(transport.RemoteAddress);
        _refusedBy = verdict.Limit;
        _holdsSlot = admission is null && verdict.Limit is null;
        if (verdict.Limit is { } limit && !verdict.MayHearWhy) RejectSilently(limit);
        else AwaitClient();
    }

    /// <inheritdoc/>
    public bool HasLoggedIn => false;

    private enum State : byte
    {
        /// <summary>Nothing but CONNECT is accepted.</summary>
        AwaitingConnect,

        /// <summary>The authenticator is thinking, or the login has to wait; nothing is read.</summary>
        Authenticating,

        /// <summary>The client has been asked; nothing but AUTH and DISCONNECT is accepted.</summary>
        AwaitingAuth,

        /// <summary>What an older connection of the client had received is being handled; nothing is read.</summary>
        Draining,

        /// <summary>The cluster is thinking; nothing is read.</summary>
        Claiming,

        /// <summary>CONNACK has been written, and another handler has the connection.</summary>
        Done,

        /// <summary>Refused, or gone; the transport may still be sending.</summary>
        Ended,
    }

    /// <inheritdoc/>
    public MqttEndpoint Endpoint => _link.Endpoint;

    /// <summary>The CONNECT that is being dealt with; null: none has come.</summary>
    internal PendingConnect? Connect { get; private set; }

    private Broker Broker => Endpoint.Broker;

    private MqttOptions Options => _link.Options;

    private TransportConnection Transport => _link.Transport;

    private int MostBytes => Math.Min(Options.MaxPacketSizeBytes, Options.MaxConnectBytes);

    /// <inheritdoc/>
    public int Receive(ReadOnlySpan<byte> bytes, out int announcedBytes)
    {
        int consumed = 0;
        announcedBytes = 0;
        while (_state is State.AwaitingConnect or State.AwaitingAuth)
        {
            FrameStatus status = Frame.Cut(bytes[consumed..], MostBytes, out Frame frame, out announcedBytes);
            if (consumed < bytes.Length && WhyNotAwaited(bytes[consumed]) is { } cause)
            {
                Refuse(ReasonCode.ProtocolError, cause);
                break;
            }

            if (status == FrameStatus.Incomplete)
            {
                if (!IsRoomFor(bytes.Length - consumed)) RefuseUnfinished();
                break;
            }

            if (status != FrameStatus.Complete)
            {
                RefuseFrame(status, announcedBytes);
                break;
            }

            announcedBytes = 0;
            if (_state == State.AwaitingConnect) HandleConnect(frame);
            else HandleAnswer(frame);
            consumed += frame.Length;
            _link.Context.Counters.PacketsReceivedBy[(int)frame.Type]++;
            _link.Context.Counters.BytesReceived += frame.Length;
        }

        _link.CountReceived(consumed);
        if (_state == State.Done && consumed < bytes.Length) consumed += Transport.Handler.Receive(bytes[consumed..], out announcedBytes);
        return consumed;
    }

    /// <inheritdoc/>
    public void OnCallback()
    {
        // Nobody but a session asks for callbacks.
    }

    /// <inheritdoc/>
    public void OnDeadline()
    {
        switch (_state)
        {
            case State.AwaitingConnect when _refusedBy is { } limit:
                RefuseByLimit(limit, clientId: null);
                return;
            case State.AwaitingConnect:
                Broker.Limits.Count(LimitKind.ConnectTimeout, LimitAction.Disconnected);
                Refuse(ReasonCode.UnspecifiedError, "no complete CONNECT within limits.connect_timeout", answer: false);
                return;
            case State.Authenticating when Connect!.WaitingLogin is not null:
                GoOnAfterWait();
                return;
            case State.Authenticating:
                Refuse(ReasonCode.ServerUnavailable, "authentication did not finish within limits.connect_timeout");
                return;
            case State.AwaitingAuth:
                Broker.Limits.Count(LimitKind.ConnectTimeout, LimitAction.Disconnected);
                Refuse(ReasonCode.UnspecifiedError, "the client did not answer within limits.connect_timeout while it was authenticated");
                return;
            case State.Draining:
                EndDrain();
                return;
            case State.Claiming:
                Refuse(ReasonCode.ServerUnavailable, "the cluster did not say within limits.connect_timeout who serves the client");
                return;
        }
    }

    /// <inheritdoc/>
    public void OnClosed(string explanation, bool isFault)
    {
        _state = State.Ended;
        if (_holdsSlot) Broker.Limits.Connections.Leave(Transport.RemoteAddress);
        Connect?.WaitingLogin?.Abandon();
        Connect?.Release(Broker.Limits.Ledger);
        _claim?.Abandon();
    }

    /// <inheritdoc/>
    public void Shutdown() => _link.CloseTransport();

    /// <inheritdoc/>
    public void LoseListener() => _link.CloseTransport();

    /// <inheritdoc/>
    public bool Review() => false;

    /// <summary>What speaks against a packet that begins like this; null: it is one that is awaited.</summary>
    private string? WhyNotAwaited(byte first)
    {
        if (_state == State.AwaitingConnect) return first >> 4 == (int)PacketType.Connect && first != TlsHandshake ? null : NotConnect(first);
        // [MQTT-3.1.2-30]
        return first >> 4 is (int)PacketType.Auth or (int)PacketType.Disconnect
            ? null
            : "a client that is being authenticated sends AUTH or DISCONNECT and nothing else";
    }

    // What people connect to the wrong port with.
    private static string NotConnect(byte first) => first switch
    {
        TlsHandshake => "the client speaks TLS to a plain listener; leave its CA file (--cafile) out or use the TLS port",
        (byte)'G' => "the client speaks HTTP or WebSocket to a plain MQTT listener; use the ws or http port",
        _ => "the first packet is not CONNECT",
    };

    private void AwaitClient() =>
        Transport.SetDeadline(Transport.NowMs + (_refusedBy is null ? (long)Options.ConnectTimeout.TotalMilliseconds : RejectGraceMs));

    /// <summary>Closes a connection that is one too many, in a flood of such, without a word.</summary>
    private void RejectSilently(LimitKind limit)
    {
        _state = State.Ended;
        // In a flood even the text costs something.
        if (Broker.Events.Wants(EventKinds.ConnectRefused)) Tell(null, BrokerLimits.ReasonOf(limit), Broker.Limits.Describe(limit) + " is reached");
        Transport.ClosesAtOnce = true;
        _link.CloseTransport();
    }

    private void RefuseByLimit(LimitKind limit, string? clientId) => Refuse(
        BrokerLimits.ReasonOf(limit),
        $"busy: {BrokerLimits.NameOf(limit)} is reached; try again later",
        clientId,
        answer: clientId is not null,
        logged: Broker.Limits.Describe(limit) + " is reached");

    /// <summary>
    /// Whether a packet that has not come whole may be kept: those who have not logged in share what there is for all of them, and who has sent most gives way
    /// first. What fits in one segment is hardly ever kept.
    /// </summary>
    private bool IsRoomFor(int keptBytes)
    {
        long mostBytes = Broker.Limits.MostUnauthenticatedBytes;
        long otherBytes = BufferMemory.UnauthenticatedBytes;
        return otherBytes + keptBytes <= mostBytes || (keptBytes <= ShortBytes && otherBytes + keptBytes <= 2 * mostBytes);
    }

    private void RefuseUnfinished()
    {
        const LimitKind limit = LimitKind.MaxUnauthenticatedBytes;
        Broker.Limits.Report(limit, LimitAction.Refused, Transport.RemoteEndPoint);
        Refuse(BrokerLimits.ReasonOf(limit), "busy: too much of CONNECT packets that are not complete; try again later", answer: false);
    }

    private void RefuseFrame(FrameStatus status, int announcedBytes)
    {
        string key = MostBytes == Options.MaxPacketSizeBytes ? "mqtt.max_packet_size" : "mqtt.max_connect_bytes";
        if (status == FrameStatus.TooLarge) Refuse(ReasonCode.PacketTooLarge, $"a packet of {announcedBytes} bytes, above {key} ({MostBytes})");
        else Refuse(ReasonCode.MalformedPacket, "the fixed header is malformed");
    }

    /// <summary>Refuses the connection, with a CONNACK where the version has one for the reason.</summary>
    /// <param name="reason">The reason code.</param>
    /// <param name="explanation">What the client is told.</param>
    /// <param name="clientId">Its client id, where CONNECT was not accepted.</param>
    /// <param name="answer">Whether there is an answer at all.</param>
    /// <param name="logged">What the log says, where that is more than the client may know.</param>
    /// <param name="server">Where the client is to go instead; null: nowhere.</param>
    private void Refuse(ReasonCode reason, string explanation, string? clientId = null, bool answer = true, string? logged = null, string? server = null)
    {
        clientId ??= Connect?.ClientId;
        bool isConnectSeen = clientId is not null || _link.Version == ProtocolVersion.V5 || reason == ReasonCode.UnsupportedProtocolVersion;
        _state = State.Ended;
        _claim?.Abandon();
        Tell(clientId, reason, logged ?? explanation);
        if (answer && isConnectSeen) _link.SendRefusal(reason, explanation, server);
        _link.CloseTransport();
    }

    private void Tell(string? clientId, ReasonCode reason, string explanation) =>
        Broker.Events.ConnectRefused(
            new ConnectRefusedEvent(Transport.RemoteEndPoint, clientId, reason, explanation, Endpoint.Listener, _link.Identity ?? Connect?.ClaimedUser));
}
