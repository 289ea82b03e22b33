using System.Text;
using EdgeBroker.Core.Ports;
using EdgeBroker.Protocol;

namespace EdgeBroker.Mqtt.Connections;

// The ends of a connection: the client says goodbye, breaks a rule, is refused, is taken over, or just goes.
public sealed partial class MqttConnection
{
    // Why the broker closed the connection; success: it did not. Written by whoever takes the session over, before it closes the transport; read when that is
    // over.
    private volatile ReasonCode _closedByBroker;

    /// <inheritdoc/>
    void ISessionLink.Close(ReasonCode reason)
    {
        lock (Output.Gate)
        {
            if (_transport.IsClosing) return;
            _closedByBroker = reason;
            try
            {
                WriteDisconnect(reason, ReasonText.Of(reason));
            }
            finally
            {
                _transport.Close();
            }
        }
    }

    /// <summary>Ends the connection because the broker stops; on the connection's own thread.</summary>
    public void Shutdown() => End(ReasonCode.ServerShuttingDown, "the broker is stopping");

    /// <summary>Ends the connection because its listener is no more; on the connection's own thread. A 5.0 client is told 0x98.</summary>
    public void LoseListener() => End(ReasonCode.AdministrativeAction, "the listener was removed from the broker's configuration");

    private void End(ReasonCode reason, string explanation)
    {
        if (_state == State.Connected) Fail(reason, explanation);
        else CloseTransport();
    }

    /// <inheritdoc/>
    public void OnClosed(string explanation, bool isFault)
    {
        LeaveGate();
        if (_state == State.Connected)
        {
            ReasonCode reason = _closedByBroker;
            if (reason == ReasonCode.Success) reason = ReasonCode.UnspecifiedError;
            else explanation = Encoding.UTF8.GetString(ReasonText.Of(reason));
            EndSession(reason, explanation, discardWill: false, newExpirySeconds: null, isFault);
        }

        _state = State.Ended;
    }

    private void HandleDisconnect(in Frame frame)
    {
        if (!DisconnectPacket.TryParse(frame, _rules.Version, out DisconnectPacket packet, out ParseError error))
        {
            Fail(error.Reason, error.Explanation);
            return;
        }

        if (!packet.ReasonCode.IsClientDisconnect())
        {
            Fail(ReasonCode.ProtocolError, "DISCONNECT with a reason code that only a server may send");
            return;
        }

        uint? newExpirySeconds = null;
        if (packet.Properties.Has(PropertyId.SessionExpiryInterval))
        {
            newExpirySeconds = Math.Min(packet.Properties.GetNumber(PropertyId.SessionExpiryInterval, 0), (uint)Options.MaxSessionExpiry.TotalSeconds);
            if (newExpirySeconds != 0 && !Lease.Session.OutlivesConnection)
            {
                Fail(ReasonCode.ProtocolError, "DISCONNECT asks for a session expiry that CONNECT set to 0");
                return;
            }
        }

        EndSession(packet.ReasonCode, "the client disconnected", packet.ReasonCode == ReasonCode.Success, newExpirySeconds);
        CloseTransport();
    }

    /// <summary>Closes because the client broke a rule or the broker has a reason; 5.0 is told which. The will is due.</summary>
    /// <param name="reason">The reason code.</param>
    /// <param name="explanation">What the client is told.</param>
    /// <param name="logged">What the log says, where that is more than the client may know.</param>
    /// <param name="discardWill">Whether its will goes with it.</param>
    private void Fail(ReasonCode reason, string explanation, string? logged = null, bool discardWill = false)
    {
        if (_state != State.Connected)
        {
            Refuse(reason, explanation);
            return;
        }

        // The session first: from here on it sends nothing here, and nothing follows DISCONNECT [MQTT-3.14.4-1].
        EndSession(reason, logged ?? explanation, discardWill, newExpirySeconds: null);
        lock (Output.Gate)
        {
            if (!_transport.IsClosing) WriteDisconnect(reason, Encoding.UTF8.GetBytes(explanation));
            _transport.Close();
        }
    }

    private void FailFrame(FrameStatus status, int announcedBytes)
    {
        if (status == FrameStatus.TooLarge) Fail(ReasonCode.PacketTooLarge, $"a packet of {announcedBytes} bytes, above mqtt.max_packet_size");
        else Fail(ReasonCode.MalformedPacket, "the fixed header is malformed");
    }

    private void EndSession(ReasonCode reason, string explanation, bool discardWill, uint? newExpirySeconds, bool isFault = false)
    {
        _state = State.Ended;
        Broker.Disconnect(Lease, discardWill, newExpirySeconds, _context, isFault);
        Broker.Events.ClientDisconnected(Describe(), reason, explanation);
    }

    /// <summary>Refuses a connection that is not accepted yet, with a CONNACK where the version has one for it.</summary>
    /// <param name="reason">The reason code.</param>
    /// <param name="explanation">What the client is told.</param>
    /// <param name="clientId">Its client id, once known.</param>
    /// <param name="answer">Whether there is an answer at all.</param>
    /// <param name="logged">What the log says, where that is more than the client may know.</param>
    private void Refuse(ReasonCode reason, string explanation, string? clientId = null, bool answer = true, string? logged = null)
    {
        clientId ??= _connect?.ClientId;
        bool connectSeen = _state == State.Authenticating || clientId is not null
            || _rules.Version == ProtocolVersion.V5 || reason == ReasonCode.UnsupportedProtocolVersion;
        _state = State.Ended;
        Broker.Events.ConnectRefused(_transport.RemoteEndPoint, clientId, reason, logged ?? explanation);
        if (answer && connectSeen) WriteRefusal(reason, explanation);
        CloseTransport();
    }

    private void WriteRefusal(ReasonCode reason, string explanation)
    {
        bool v5 = _rules.Version == ProtocolVersion.V5;
        if (!v5 && reason.ToConnectReturnCode() is null) return;
        if (v5 && !reason.IsAllowedIn(PacketType.Connack)) reason = ReasonCode.UnspecifiedError;
        PropertyBuilder properties = PropertyBuilder.For(PacketType.Connack, stackalloc byte[128]);
        if (v5 && _wantsProblemInformation) properties.Add(PropertyId.ReasonString, Encoding.UTF8.GetBytes(explanation));
        var packet = new ConnackPacket { ReasonCode = reason, Properties = properties.Block };
        if ((uint)packet.Length(_rules.Version) > _clientMaxPacketBytes) packet = new ConnackPacket { ReasonCode = reason };
        int length = packet.Length(_rules.Version);
        lock (Output.Gate)
        {
            if ((uint)length <= _clientMaxPacketBytes)
            {
                packet.Write(Output, _rules.Version);
                Sent(length);
            }
        }

        properties.Dispose();
    }

    /// <summary>Under the gate, from any thread: counts nothing, since the counters are the own thread's.</summary>
    private void WriteDisconnect(ReasonCode reason, ReadOnlySpan<byte> explanation)
    {
        if (!_rules.ServerMayDisconnect) return;
        if (!reason.IsAllowedIn(PacketType.Disconnect)) reason = ReasonCode.UnspecifiedError;
        PropertyBuilder properties = PropertyBuilder.For(PacketType.Disconnect, stackalloc byte[160]);
        if (_wantsProblemInformation) properties.Add(PropertyId.ReasonString, explanation);
        var packet = new DisconnectPacket { Type = PacketType.Disconnect, ReasonCode = reason, Properties = properties.Block };
        if ((uint)packet.Length(_rules.Version) > _clientMaxPacketBytes) packet = packet with { Properties = default };
        packet.Write(Output, _rules.Version);
        properties.Dispose();
    }

    private void CloseTransport()
    {
        lock (Output.Gate) _transport.Close();
    }
}
