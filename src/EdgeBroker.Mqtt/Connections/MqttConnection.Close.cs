using EdgeBroker.Core.Events;
using EdgeBroker.Protocol;

namespace EdgeBroker.Mqtt.Connections;

// The ends of a connection: the client says goodbye, breaks a rule, is taken over, or just goes.
public sealed partial class MqttConnection
{
    /// <inheritdoc/>
    public void Shutdown() => Fail(ReasonCode.ServerShuttingDown, "the broker is stopping");

    /// <inheritdoc/>
    public void LoseListener() => Fail(ReasonCode.AdministrativeAction, "the listener was removed from the broker's configuration");

    /// <inheritdoc/>
    public void OnClosed(string explanation, bool isFault)
    {
        if (_holdsSlot) Broker.Limits.Connections.Leave(Transport.RemoteAddress);
        _extras?.Aliases?.Clear();
        if (!_hasEnded) EndWithTransport(explanation, isFault);
        // The session has let go of the link: nobody sends by it any more.
        _link.ForgetAliases();
    }

    private void EndWithTransport(string explanation, bool isFault)
    {
        ReasonCode reason = _link.ClosedByBroker;
        DisconnectedBy by = isFault || reason != ReasonCode.Success ? DisconnectedBy.Broker : DisconnectedBy.Network;
        if (reason == ReasonCode.Success) reason = ReasonCode.UnspecifiedError;
        else explanation = ReasonText.For(reason);
        EndSession(by, reason, explanation, discardWill: false, newExpirySeconds: null, isFault);
    }

    private void HandleDisconnect(in Frame frame)
    {
        if (!DisconnectPacket.TryParse(frame, _link.Version, out DisconnectPacket packet, out ParseError error))
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

        EndSession(DisconnectedBy.Client, packet.ReasonCode, "the client disconnected", packet.ReasonCode == ReasonCode.Success, newExpirySeconds);
        _link.CloseTransport();
    }

    /// <summary>Closes because the client broke a rule or the broker has a reason; 5.0 is told which. The will is due.</summary>
    /// <param name="reason">The reason code.</param>
    /// <param name="explanation">What the client is told.</param>
    /// <param name="logged">What the log says, where that is more than the client may know.</param>
    /// <param name="discardWill">Whether its will goes with it.</param>
    private void Fail(ReasonCode reason, string explanation, string? logged = null, bool discardWill = false)
    {
        if (_hasEnded) return;
        // The session first: from here on it sends nothing here, and nothing follows DISCONNECT [MQTT-3.14.4-1].
        DisconnectedBy by = reason == ReasonCode.KeepAliveTimeout ? DisconnectedBy.Network : DisconnectedBy.Broker;
        EndSession(by, reason, logged ?? explanation, discardWill, newExpirySeconds: null);
        _link.CloseWith(reason, explanation);
    }

    private void FailFrame(FrameStatus status, int announcedBytes)
    {
        if (status == FrameStatus.TooLarge) Fail(ReasonCode.PacketTooLarge, $"a packet of {announcedBytes} bytes, above mqtt.max_packet_size");
        else Fail(ReasonCode.MalformedPacket, "the fixed header is malformed");
    }

    private void EndSession(
        DisconnectedBy by, ReasonCode reason, string explanation, bool discardWill, uint? newExpirySeconds, bool isFault = false)
    {
        _hasEnded = true;
        // Null: whoever took the session has told of it.
        if (Broker.Disconnect(Lease, discardWill, newExpirySeconds, Context, isFault) is not { } end) return;
        if (!Broker.Events.Wants(EventKinds.ClientDisconnected)) return;
        Broker.Events.ClientDisconnected(
            new DisconnectedEvent(Describe(), by, reason, explanation, _link.ConnectedMs, end.SessionKept, end.WillPublished));
    }

    // Made when someone is told, rather than kept by every idle connection.
    private ClientDescription Describe() => _link.Describe(Lease.Session.Id, _principal.Identity.UserName);
}
