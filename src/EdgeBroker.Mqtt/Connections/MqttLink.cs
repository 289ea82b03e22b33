using System.Text;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Management;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Security;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Mqtt.Sending;
using EdgeBroker.Protocol;
using EdgeBroker.Transport;
using EdgeBroker.Transport.Buffers;

namespace EdgeBroker.Mqtt.Connections;

/// <summary>
/// The writing side of an MQTT connection, from its first byte to its last. To its session it is the link: called under the session's lock, on any thread. The
/// reading side writes its answers with it, on the connection's own thread; these members take the lock themselves.
/// </summary>
/// <param name="endpoint">What the listener's connections share.</param>
/// <param name="transport">The bytes.</param>
/// <param name="context">The routing context of the transport's thread.</param>
/// <param name="identity">The name the transport has proved to be the client's; null: none.</param>
internal sealed partial class MqttLink(MqttEndpoint endpoint, TransportConnection transport, RoutingContext context, string? identity) : ISessionLink
{
    /// <summary><see cref="MaxPacketBytes"/> of a client that takes whatever MQTT has: five bytes of fixed header, and what they can announce.</summary>
    public const uint NoLimit = VariableByteInteger.MaxValue + 5;

    private const int MostReasonBytes = 1024;

    private long _connectedAtMs;
    private long _messagesReceived;
    private long _bytesReceived;
    private long _messagesSent;
    private long _bytesSent;
    private ushort _keepAliveSeconds;
    private Dialect _dialect;
    private volatile ReasonCode _closedByBroker;

    // In one byte: with two an idle connection would be eight bytes larger.
    private enum Dialect : byte
    {
        V311,
        V5,
        TerseV5,
    }

    private bool WantsReasons => _dialect == Dialect.V5;

    /// <summary>What it shares with the other connections of its listener.</summary>
    public MqttEndpoint Endpoint => endpoint;

    /// <summary>The bytes.</summary>
    public TransportConnection Transport => transport;

    /// <summary>The routing context of the transport's thread.</summary>
    public RoutingContext Context => context;

    /// <summary>The name the transport has proved to be the client's; null: none.</summary>
    public string? Identity => identity;

    /// <summary>What waits to be sent.</summary>
    public OutputBuffer Output => transport.Output;

    /// <summary>
    /// Those in force when the connection began, which CONNACK tells the client of: newer ones are for connections that come after it.
    /// </summary>
    public Core.MqttOptions Options { get; } = endpoint.Broker.Options;

    /// <summary>The client's version; 3.1.1 until CONNECT says otherwise.</summary>
    public ProtocolVersion Version => _dialect == Dialect.V311 ? ProtocolVersion.V311 : ProtocolVersion.V5;

    /// <summary>What the client's version does differently.</summary>
    public ProtocolRules Rules => ProtocolRules.For(Version);

    /// <summary>The client's Maximum Packet Size.</summary>
    public uint MaxPacketBytes { get; set; } = NoLimit;

    /// <summary>
    /// Why the broker closed the connection; success: it did not. Written by whoever takes the session over, before the transport is closed; read when that is
    /// over.
    /// </summary>
    public ReasonCode ClosedByBroker => _closedByBroker;

    /// <summary>What the client speaks; from CONNECT.</summary>
    /// <param name="version">Its version.</param>
    /// <param name="wantsReasons">Of 5.0: whether it wants to be told in words what is wrong (3.1.2.11.7).</param>
    public void Speak(ProtocolVersion version, bool wantsReasons = true) =>
        _dialect = version == ProtocolVersion.V311 ? Dialect.V311 : wantsReasons ? Dialect.V5 : Dialect.TerseV5;

    /// <inheritdoc/>
    public long HeldBytes =>
        Output.Length + transport.KeptBytes + (_aliases?.MemoryBytes ?? 0) + ((transport.Handler as MqttConnection)?.AliasBytes ?? 0);

    /// <inheritdoc/>
    public void GiveUpMemory() => transport.Post(() => (transport.Handler as MqttConnection)?.GiveUpMemory());

    /// <inheritdoc/>
    public void Drain(Action done) => transport.Drain(done);

    /// <summary>How long the client has been connected.</summary>
    public long ConnectedMs => endpoint.Broker.Clock.NowMs - _connectedAtMs;

    /// <summary>How many topics the client takes aliases for; from CONNECT.</summary>
    public void UseAliases(int maximum) => _aliases = new OutboundAliases(maximum, endpoint.Broker.Limits.Ledger);

    /// <summary>Gives up their memory, once no session sends by it.</summary>
    public void ForgetAliases()
    {
        if (_aliases is null) return;
        lock (Output.SyncRoot.Alone()) _aliases.Clear();
    }

    /// <summary>The session is about to be taken: what there is to show of the connection from here on.</summary>
    public void Begin(int keepAliveSeconds)
    {
        _keepAliveSeconds = (ushort)keepAliveSeconds;
        _connectedAtMs = endpoint.Broker.Clock.NowMs;
    }

    /// <summary>Counts what the client has sent; on the connection's own thread.</summary>
    public void CountReceived(int bytes) => _bytesReceived += bytes;

    /// <summary>Counts a PUBLISH of the client; on the connection's own thread.</summary>
    public void CountMessageReceived() => _messagesReceived++;

    /// <inheritdoc/>
    public void Prepare(Session session) => transport.UseLock(session.SyncRoot);

    /// <inheritdoc/>
    public void RequestPumpWhenDrained() => transport.WantsCallbackWhenDrained = true;

    /// <inheritdoc/>
    public void RequestPump() => transport.RequestCallback();

    /// <summary>The client that has the connection.</summary>
    public ClientDescription Describe(string clientId, string? userName) =>
        new(clientId, userName, transport.RemoteEndPoint, endpoint.Listener, endpoint.Transport, Version, _keepAliveSeconds);

    /// <inheritdoc/>
    public LinkKind Kind => new(endpoint.Transport, Version);

    /// <inheritdoc/>
    public LinkDescription Describe() => new(
        transport.RemoteEndPoint,
        endpoint.Listener,
        endpoint.Transport,
        Version,
        _keepAliveSeconds,
        identity,
        _connectedAtMs,
        new SessionTraffic(
            Volatile.Read(ref _messagesReceived), Volatile.Read(ref _messagesSent), Volatile.Read(ref _bytesReceived), Volatile.Read(ref _bytesSent),
            Output.Length));

    /// <summary>Tells of a verdict of the authenticator.</summary>
    /// <param name="clientId">The client id.</param>
    /// <param name="userName">The name it was let in with, or, if it was not, gave.</param>
    /// <param name="method">What it showed.</param>
    /// <param name="verdict">The verdict.</param>
    public void Tell(string clientId, string? userName, AuthenticationMethod method, AuthenticationResult verdict)
    {
        BrokerEvents events = endpoint.Broker.Events;
        if (verdict.Reason == ReasonCode.Success)
        {
            if (!events.Wants(EventKinds.AuthenticationSucceeded)) return;
            events.AuthenticationSucceeded(new AuthenticationSucceededEvent(Describe(clientId, userName), method));
        }
        else if (IsVerdict(verdict.Reason) && events.Wants(EventKinds.AuthenticationFailed))
        {
            events.AuthenticationFailed(new AuthenticationFailedEvent(Describe(clientId, userName), method, verdict.Reason, verdict.Cause));
        }
    }

    /// <inheritdoc/>
    public void SendConnack(bool sessionPresent)
    {
        // It has the connection until this has been written.
        PendingConnect connect = ((Handshake)transport.Handler).Connect!;
        connect.IsSessionPresent = sessionPresent;
        PropertyBuilder properties = PropertyBuilder.For(PacketType.Connack, stackalloc byte[256]);
        if (Version == ProtocolVersion.V5) connect.AddGrants(ref properties, Options);
        var packet = new ConnackPacket { SessionPresent = sessionPresent && !connect.IsV31, Properties = properties.Block };
        packet.Write(Output, Version);
        Sent(PacketType.Connack, packet.Length(Version));
        properties.Dispose();
    }

    /// <inheritdoc/>
    public void SendPubrel(ushort packetId) =>
        Sent(PacketType.Pubrel, new AckPacket { Type = PacketType.Pubrel, PacketId = packetId }.Write(Output, Version));

    /// <inheritdoc/>
    public void Close(ReasonCode reason)
    {
        lock (Output.SyncRoot.Alone())
        {
            if (transport.IsClosing) return;
            _closedByBroker = reason;
            try
            {
                WriteDisconnect(reason, ReasonText.Of(reason));
            }
            finally
            {
                transport.Close();
            }
        }
    }

    /// <summary>Tells a 5.0 client why, and closes; what was written before goes out first.</summary>
    public void CloseWith(ReasonCode reason, string explanation)
    {
        lock (Output.SyncRoot.Alone())
        {
            if (!transport.IsClosing) WriteDisconnect(reason, Encoding.UTF8.GetBytes(explanation));
            transport.Close();
        }
    }

    /// <summary>Closes; what was written goes out first.</summary>
    public void CloseTransport()
    {
        lock (Output.SyncRoot.Alone()) transport.Close();
    }

    // Otherwise nobody has looked at what the client showed.
    private static bool IsVerdict(ReasonCode reason) => reason is not (ReasonCode.ServerBusy or ReasonCode.ServerUnavailable
        or ReasonCode.ServerShuttingDown or ReasonCode.UnspecifiedError or ReasonCode.ConnectionRateExceeded);

    /// <summary>Under the lock, from any thread: counts nothing, since the context's counters are the own thread's.</summary>
    private void WriteDisconnect(ReasonCode reason, ReadOnlySpan<byte> explanation)
    {
        if (!Rules.ServerMayDisconnect) return;
        if (!reason.IsAllowedIn(PacketType.Disconnect)) reason = ReasonCode.UnspecifiedError;
        PropertyBuilder properties = PropertyBuilder.For(PacketType.Disconnect, stackalloc byte[160]);
        if (WantsReasons) AddReason(ref properties, explanation);
        var packet = new DisconnectPacket { Type = PacketType.Disconnect, ReasonCode = reason, Properties = properties.Block };
        if ((uint)packet.Length(Version) > MaxPacketBytes) packet = packet with { Properties = default };
        packet.Write(Output, Version);
        properties.Dispose();
    }

    // What a client chose may stand in it, as a topic of 65,535 bytes does.
    private static void AddReason(ref PropertyBuilder properties, ReadOnlySpan<byte> explanation) =>
        properties.Add(PropertyId.ReasonString, Utf8Text.Cut(explanation, MostReasonBytes));

    /// <summary>Counts a packet that the connection's own thread has written, and has it flushed; under the lock.</summary>
    private void Sent(PacketType type, int bytes)
    {
        context.Counters.PacketsSentBy[(int)type]++;
        context.Counters.BytesSent += bytes;
        _bytesSent += bytes;
        transport.RequestFlush();
    }
}
