using EdgeBroker.Core;
using EdgeBroker.Core.Ingress;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;
using EdgeBroker.Transport;
using EdgeBroker.Transport.Buffers;

namespace EdgeBroker.Mqtt.Connections;

/// <summary>
/// The reading side of an MQTT connection, of either version and over any transport, from CONNACK on: cuts packets from what comes in, acts on them, and has
/// them answered by the <see cref="MqttLink"/>. Runs on its transport's thread.
/// </summary>
public sealed partial class MqttConnection : IMqttHandler
{
    private readonly MqttLink _link;
    private readonly bool _holdsSlot;
    private readonly bool _isBridge;
    private Principal _principal;
    private Extras? _extras;
    private bool _hasEnded;

    /// <param name="link">The writing side, by which CONNACK has been sent.</param>
    /// <param name="lease">The right to act for the session.</param>
    /// <param name="connect">What it was let in with.</param>
    /// <param name="holdsSlot">Whether it holds a slot among the broker's connections, to be given back.</param>
    internal MqttConnection(MqttLink link, ConnectionLease lease, PendingConnect connect, bool holdsSlot)
    {
        _link = link;
        _holdsSlot = holdsSlot;
        if (connect.Method is { } method) _extras = new Extras { Method = method };
        _principal = new Principal
        {
            Receiver = lease.Session,
            Generation = lease.Generation,
            Identity = Keep(connect.Identity!),
            Grants = link.Options,
            HearsRefusals = Rules.AcksCarryReasons,
            WaitsForStore = !Rules.AcksCarryReasons,
            IsBridge = connect.MayBeBridge,
        };
        // 3.1.1 knows no limit but the identifiers.
        if (_link.Version == ProtocolVersion.V5) _acks.Begin(Options.ReceiveMaximum, lease.Session.ReceivedIdCount);
        else _acks.Begin(ushort.MaxValue, inheritedReceives: 0);
        _isBridge = connect.IsBridge;
        EndRenewal();
        BeginKeepAlive(connect.KeepAliveSeconds);
    }

    /// <inheritdoc/>
    public MqttEndpoint Endpoint => _link.Endpoint;

    /// <inheritdoc/>
    public bool HasLoggedIn => true;

    /// <summary>Memory of the topics the client has given numbers to; a hint on other threads.</summary>
    internal int AliasBytes => _extras?.Aliases?.MemoryBytes ?? 0;

    private bool IsConnected => !_hasEnded;

    private Broker Broker => Endpoint.Broker;

    private TransportConnection Transport => _link.Transport;

    private RoutingContext Context => _link.Context;

    private ProtocolRules Rules => _link.Rules;

    private MqttOptions Options => _link.Options;

    private ConnectionLease Lease => _principal.Lease;

    private OutputBuffer Output => Transport.Output;

    /// <inheritdoc/>
    public int Receive(ReadOnlySpan<byte> bytes, out int announcedBytes)
    {
        int consumed = 0;
        announcedBytes = 0;
        ActiveLimits? active = Broker.Limits.Active;
        while (IsConnected && !Transport.IsClosing && _holds == HoldReasons.None)
        {
            FrameStatus status = Frame.Cut(bytes[consumed..], Options.MaxPacketSizeBytes, out Frame frame, out announcedBytes);
            if (status == FrameStatus.Incomplete)
            {
                if (consumed < bytes.Length)
                {
                    _deadlines.NotePartial(announcedBytes, consumed > 0, Transport.NowMs);
                    SetDeadline();
                    HoldLongPacket(bytes.Length - consumed);
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
            _deadlines.NotePacket(Transport.NowMs);
            LimitVerdict verdict = default;
            if (active is not null && !IsAdmitted(active, frame, out verdict)) break;
            if (!Handle(frame, verdict)) break;
            if (active is not null && IsConnected)
            {
                Ingress.Charge(active, OperationOf(frame), frame.Length, verdict, _principal, Transport.NowMs);
            }

            consumed += frame.Length;
            Context.Counters.PacketsReceivedBy[(int)frame.Type]++;
            Context.Counters.BytesReceived += frame.Length;
        }

        _link.CountReceived(consumed);
        return consumed;
    }

    /// <inheritdoc/>
    public void OnCallback()
    {
        if (!IsConnected) return;
        Broker.Pump(Lease, Context);
        if ((_holds & HoldReasons.Output) != 0 && !IsOutputFull()) Release(HoldReasons.Output);
    }

    /// <summary>Acts on a packet.</summary>
    /// <returns>False: it cannot be acted on yet and stays unread.</returns>
    private bool Handle(in Frame frame, in LimitVerdict verdict)
    {
        // What the client published before goes out before anything else it asks for is done or answered.
        if (frame.Type != PacketType.Publish || (frame.Header & 0x06) != 0) Broker.Deliver(Context.Batch, Context);
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

        if (IsConnected && IsOutputFull()) Hold(HoldReasons.Output);
        return true;
    }

    private void HandlePing(in Frame frame)
    {
        if (!PingPacket.IsValid(frame))
        {
            Fail(ReasonCode.MalformedPacket, "PINGREQ with a body");
            return;
        }

        _link.SendPingresp();
    }

    /// <summary>What few 5.0 clients use, so that the others do not carry it.</summary>
    private sealed class Extras
    {
        public EnhancedAuthentication? Method { get; init; }

        public InboundAliases? Aliases { get; set; }
    }
}
