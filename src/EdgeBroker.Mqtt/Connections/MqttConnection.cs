using EdgeBroker.Core;
using EdgeBroker.Core.Ingress;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;
using EdgeBroker.Transport;
using EdgeBroker.Transport.Buffers;

namespace EdgeBroker.Mqtt.Connections;

/// <summary>
/// One MQTT connection, of either version and over any transport: cuts packets from what comes in, acts on them, and writes what the session sends. Runs on its
/// transport's thread, but for the members of <see cref="ISessionLink"/>.
/// </summary>
public sealed partial class MqttConnection : IConnectionHandler, ISessionLink
{
    // What TLS begins with; as MQTT it would be a CONNECT with reserved flags set.
    private const byte TlsHandshake = 0x16;

    private readonly MqttEndpoint _endpoint;
    private readonly TransportConnection _transport;
    private readonly RoutingContext _context;
    private readonly string? _transportIdentity;
    private readonly bool _leavesGate;

    // Those in force when it began, which CONNACK tells the client of: newer ones are for connections that come after them.
    private readonly MqttOptions _options;

    private State _state;
    private ProtocolRules _rules = ProtocolRules.V311;

    // From CONNACK on.
    private Principal _principal = null!;

    /// <param name="endpoint">What the listener's connections share.</param>
    /// <param name="transport">The bytes.</param>
    /// <param name="context">The routing context of the transport's thread.</param>
    /// <param name="transportIdentity">The name the transport has proved to be the client's; null: none.</param>
    /// <param name="admission">What the broker's <see cref="ConnectionGate"/> said to whoever made the transport, and gives the place back; null: it is asked
    /// here.</param>
    public MqttConnection(
        MqttEndpoint endpoint, TransportConnection transport, RoutingContext context, string? transportIdentity = null, Admission? admission = null)
    {
        _transportIdentity = transportIdentity;
        _endpoint = endpoint;
        _options = endpoint.Broker.Options;
        _transport = transport;
        _context = context;
        _context.Counters.SocketsOpened++;
        Admission verdict = admission ?? Broker.Limits.Connections.Enter(transport.RemoteAddress);
        _refusedBy = verdict.Limit;
        _leavesGate = admission is null && verdict.Limit is null;
        if (verdict.Limit is { } limit && !verdict.MayHearWhy) TurnAway(limit);
        else AwaitConnect();
    }

    private enum State : byte
    {
        /// <summary>Nothing but CONNECT is accepted.</summary>
        AwaitingConnect,

        /// <summary>The authenticator is thinking; nothing is read.</summary>
        Authenticating,

        /// <summary>The client has been asked; nothing but AUTH and DISCONNECT is accepted.</summary>
        AwaitingAuth,

        /// <summary>CONNACK has been written.</summary>
        Connected,

        /// <summary>Over; the transport may still be sending.</summary>
        Ended,
    }

    /// <summary>What it shares with the other connections of its listener.</summary>
    public MqttEndpoint Endpoint => _endpoint;

    private Broker Broker => _endpoint.Broker;

    private MqttOptions Options => _options;

    private ConnectionLease Lease => _principal.Lease;

    private OutputBuffer Output => _transport.Output;

    /// <inheritdoc/>
    public int Receive(ReadOnlySpan<byte> bytes, out int announcedBytes)
    {
        int consumed = 0;
        announcedBytes = 0;
        ActiveLimits? active = Broker.Limits.Active;
        while (_state is State.AwaitingConnect or State.AwaitingAuth or State.Connected && !_transport.IsClosing && _holds == HoldReasons.None)
        {
            FrameStatus status = Frame.Cut(bytes[consumed..], Options.MaxPacketSizeBytes, out Frame frame, out announcedBytes);
            if (_state == State.AwaitingConnect && consumed < bytes.Length && !IsConnect(bytes[consumed]))
            {
                Refuse(ReasonCode.ProtocolError, NotConnect(bytes[consumed]));
                break;
            }

            // [MQTT-3.1.2-30]
            if (_state == State.AwaitingAuth && consumed < bytes.Length && bytes[consumed] >> 4 is not ((int)PacketType.Auth or (int)PacketType.Disconnect))
            {
                Refuse(ReasonCode.ProtocolError, "a client that is being authenticated sends AUTH or DISCONNECT and nothing else");
                break;
            }

            if (status == FrameStatus.Incomplete)
            {
                if (consumed < bytes.Length && _state == State.Connected)
                {
                    _deadlines.NotePartial(announcedBytes, consumed > 0, _transport.NowMs);
                    SetDeadline();
                }

                break;
            }

            if (status != FrameStatus.Complete)
            {
                FailFrame(status, announcedBytes);
                break;
            }

            announcedBytes = 0;
            // A whole packet has come, whether or not it can be handled now.
            if (_state == State.Connected) _deadlines.NotePacket(_transport.NowMs);
            LimitVerdict verdict = default;
            if (active is not null && !IsAdmitted(active, frame, out verdict)) break;
            if (!Handle(frame, verdict)) break;
            if (active is not null && _state == State.Connected)
            {
                Ingress.Charge(active, OperationOf(frame), frame.Length, verdict, _principal, _transport.NowMs);
            }

            consumed += frame.Length;
            _context.Counters.PacketsReceived++;
            _context.Counters.BytesReceived += frame.Length;
        }

        return consumed;
    }

    /// <inheritdoc/>
    public void OnTurn()
    {
        if (_state != State.Connected) return;
        Broker.Pump(Lease, _context);
        if ((_holds & HoldReasons.Output) != 0 && !IsOutputFull()) Release(HoldReasons.Output);
    }

    /// <summary>Acts on a packet.</summary>
    /// <returns>False: it cannot be acted on yet and stays unread.</returns>
    private bool Handle(in Frame frame, in LimitVerdict verdict)
    {
        if (_state == State.AwaitingConnect)
        {
            HandleConnect(frame);
            return true;
        }

        if (_state == State.AwaitingAuth)
        {
            HandleUnadmitted(frame);
            return true;
        }

        // What the client published before goes out before anything else it asks for is done or answered.
        if (frame.Type != PacketType.Publish || (frame.Header & 0x06) != 0) Broker.Deliver(_context.Batch, _context);
        switch (frame.Type)
        {
            case PacketType.Publish when !HandlePublish(frame, verdict): return false;
            case PacketType.Publish: break;
            case PacketType.Puback:
            case PacketType.Pubrec:
            case PacketType.Pubrel:
            case PacketType.Pubcomp: HandleAck(frame); break;
            case PacketType.Subscribe: HandleSubscribe(frame); break;
            case PacketType.Unsubscribe: HandleUnsubscribe(frame); break;
            case PacketType.Pingreq: HandlePing(frame); break;
            case PacketType.Disconnect: HandleDisconnect(frame); break;
            case PacketType.Connect: Fail(ReasonCode.ProtocolError, "a second CONNECT"); break;
            case PacketType.Auth: HandleAuth(frame); break;
            default: Fail(ReasonCode.ProtocolError, "a packet that only a server sends"); break;
        }

        if (_state == State.Connected && IsOutputFull()) Hold(HoldReasons.Output);
        return true;
    }

    private static bool IsConnect(byte first) => first >> 4 == (int)PacketType.Connect && first != TlsHandshake;

    // What people connect to the wrong port with.
    private static string NotConnect(byte first) => first switch
    {
        TlsHandshake => "the client speaks TLS to a plain listener; leave its CA file (--cafile) out or use the TLS port",
        (byte)'G' => "the client speaks HTTP or WebSocket to a plain MQTT listener; use the ws or http port",
        _ => "the first packet is not CONNECT",
    };

    private void HandlePing(in Frame frame)
    {
        if (!PingPacket.IsValid(frame))
        {
            Fail(ReasonCode.MalformedPacket, "PINGREQ with a body");
            return;
        }

        lock (Output.Gate)
        {
            if (_transport.IsClosing) return;
            PingPacket.WriteResponse(Output);
            Sent(2);
        }
    }

    /// <summary>Counts a packet written by this connection's own thread, and has it flushed; under the gate.</summary>
    private void Sent(int bytes)
    {
        _context.Counters.PacketsSent++;
        _context.Counters.BytesSent += bytes;
        _transport.RequestFlush();
    }
}
