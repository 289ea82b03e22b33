using System.Text;
using EdgeBroker.Core;
using EdgeBroker.Core.Ingress;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Security;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Mqtt.Connections;

// CONNECT (3.1): what is wrong with it, and what of it is kept.
public sealed partial class Handshake
{
    private void HandleConnect(in Frame frame)
    {
        _link.Context.Counters.Connects++;
        bool parsed = ConnectPacket.TryParse(frame, out ConnectPacket packet, out ParseError error);
        // Above 5 nobody knows the answer's form; 5.0's names the reason. Below, 3.1.1's return code is what older clients read [MQTT-3.1.2-2].
        _link.Speak(packet.ProtocolLevel >= (byte)ProtocolVersion.V5 ? ProtocolVersion.V5 : ProtocolVersion.V311);
        if (!parsed)
        {
            RefuseUnparsed(packet.ProtocolLevel, error);
            return;
        }

        ReadClientLimits(packet.Properties);
        if (_refusedBy is { } limit)
        {
            RefuseByLimit(limit, Encoding.UTF8.GetString(packet.ClientId));
            return;
        }

        if (!Accepts(packet, out ReasonCode reason, out string explanation))
        {
            Refuse(reason, explanation, Encoding.UTF8.GetString(packet.ClientId));
            return;
        }

        Connect = Prepare(packet);
        Connect.Account(Broker.Limits.Ledger, frame.Length);
        Authenticate(packet);
    }

    private void RefuseUnparsed(byte level, ParseError error)
    {
        // A CONNECT that is malformed or of another protocol altogether is not answered in 3.1.1 [MQTT-3.1.4-1]; an unknown level is [MQTT-3.1.2-2].
        bool answer = _link.Rules.MalformedConnectIsAnswered || (error.Reason == ReasonCode.UnsupportedProtocolVersion && level != 0);
        Refuse(error.Reason, error.Explanation, clientId: null, answer);
    }

    private void ReadClientLimits(PropertyBlock properties)
    {
        _link.MaxPacketBytes = Math.Min(properties.GetNumber(PropertyId.MaximumPacketSize, MqttLink.NoLimit), MqttLink.NoLimit);
        _link.Speak(_link.Version, wantsReasons: properties.GetNumber(PropertyId.RequestProblemInformation, 1) == 1);
        int aliases = (int)Math.Min(properties.GetNumber(PropertyId.TopicAliasMaximum, 0), (uint)Options.TopicAliasMaximum);
        if (aliases > 0) _link.UseAliases(aliases);
    }

    private bool Accepts(in ConnectPacket packet, out ReasonCode reason, out string explanation)
    {
        (reason, explanation) = (ReasonCode.UnsupportedProtocolVersion, "this version of MQTT is not spoken here (mqtt.versions)");
        if ((Options.Versions & VersionOf(packet)) == 0) return false;
        (reason, explanation) = (ReasonCode.ClientIdentifierNotValid, "an empty client id needs a clean session");
        if (packet.ClientId.IsEmpty && _link.Rules.EmptyClientIdNeedsCleanStart && !packet.CleanStart) return false;
        (reason, explanation) = (ReasonCode.ClientIdentifierNotValid, $"a client id of {packet.ClientId.Length} bytes, above mqtt.max_client_id_bytes");
        if (packet.ClientId.Length > Options.MaxClientIdBytes) return false;
        (reason, explanation) = (ReasonCode.ClientIdentifierNotValid, "client ids that begin with $local/, $bridge/ or $node/ are the broker's own");
        if (ReservedIds.IsReserved(packet.ClientId)) return false;
        (reason, explanation) = (ReasonCode.Success, "");
        if (!packet.HasWill) return true;
        var will = new Publication
        {
            Topic = packet.WillTopic,
            Payload = packet.WillPayload,
            QoS = packet.WillQoS,
            Retain = packet.WillRetain,
            IsText = packet.WillProperties.GetNumber(PropertyId.PayloadFormatIndicator, 0) == 1,
        };
        // What the client may do is not known yet.
        PublishVerdict verdict = Ingress.Evaluate(will, Permissions.All, Options, Encoding.UTF8.GetString(packet.ClientId), MayBeBridge(packet));
        (reason, explanation) = (verdict.Reason, "the will: " + verdict.Cause);
        return verdict.Decision == PublishDecision.Accepted;
    }

    private static MqttVersions VersionOf(in ConnectPacket packet) =>
        packet.IsV31 ? MqttVersions.V31 : packet.Version == ProtocolVersion.V5 ? MqttVersions.V5 : MqttVersions.V311;

    // In 5.0 a bridge has no way to say that it is one.
    private static bool MayBeBridge(in ConnectPacket packet) => packet.IsBridge || packet.Version == ProtocolVersion.V5;

    private PendingConnect Prepare(in ConnectPacket packet)
    {
        bool assigned = packet.ClientId.IsEmpty;
        uint maxExpirySeconds = (uint)Math.Min(Options.MaxSessionExpiry.TotalSeconds, uint.MaxValue - 1);
        uint requestedExpirySeconds = RequestedExpirySeconds(packet, maxExpirySeconds);
        bool asksForMark = AsksForMark(packet.Properties);
        var grant = new SessionGrant(
            Math.Min(requestedExpirySeconds, maxExpirySeconds),
            (int)packet.Properties.GetNumber(PropertyId.ReceiveMaximum, ushort.MaxValue),
            packet.HasWill ? MakeWill(packet) : null)
        {
            Network = Network,
            Way = asksForMark ? Encoding.UTF8.GetString(packet.ClientId) : null,
        };
        return new PendingConnect
        {
            ClientId = assigned ? "auto-" + Guid.NewGuid().ToString("N") : Encoding.UTF8.GetString(packet.ClientId),
            IsAssignedId = assigned,
            IsV31 = packet.IsV31,
            IsBridge = packet.IsBridge,
            MayBeBridge = MayBeBridge(packet),
            CleanStart = packet.CleanStart,
            Grant = grant,
            RequestedExpirySeconds = requestedExpirySeconds,
            RequestedKeepAliveSeconds = packet.KeepAliveSeconds,
            KeepAliveSeconds = GrantedKeepAliveSeconds(packet.KeepAliveSeconds),
            ClaimedUser = packet.HasUserName ? Encoding.UTF8.GetString(packet.UserName) : null,
            Shown = WhatIsShown(packet),
            WantsResponseInformation = packet.Properties.GetNumber(PropertyId.RequestResponseInformation, 0) == 1,
            NodeMark = asksForMark && Endpoint.Broker.NodeMark is { } mark ? Encoding.UTF8.GetBytes(mark) : null,
        };
    }

    private ClientNetwork Network => Transport.PeerUserId is { } userId ? ClientNetwork.OfPeer(userId) : ClientNetwork.Of(Transport.RemoteAddress);

    private static bool AsksForMark(PropertyBlock properties)
    {
        if (!properties.Has(PropertyId.UserProperty)) return false;
        foreach (Property property in properties)
        {
            if (property.Id == PropertyId.UserProperty && property.Name.SequenceEqual("edgebroker-bridge"u8)) return true;
        }

        return false;
    }

    private AuthenticationMethod TransportMethod => Endpoint.Transport == "unix" ? AuthenticationMethod.Peer : AuthenticationMethod.Certificate;

    private AuthenticationMethod WhatIsShown(in ConnectPacket packet)
    {
        if (_link.Identity is not null) return TransportMethod;
        return packet.HasUserName || packet.HasPassword ? AuthenticationMethod.Password : AuthenticationMethod.Anonymous;
    }

    private uint RequestedExpirySeconds(in ConnectPacket packet, uint maxExpirySeconds)
    {
        if (!_link.Rules.CleanStartEndsWithConnection) return packet.Properties.GetNumber(PropertyId.SessionExpiryInterval, 0);
        return packet.CleanStart ? 0 : maxExpirySeconds;
    }

    private int GrantedKeepAliveSeconds(int requestedSeconds)
    {
        int maxSeconds = (int)Math.Min(Options.MaxKeepAlive.TotalSeconds, ushort.MaxValue);
        // 3.1.1 has no way to tell a client of another keep alive, so its own holds.
        if (maxSeconds == 0 || _link.Rules.Version == ProtocolVersion.V311) return requestedSeconds;
        return requestedSeconds == 0 ? maxSeconds : Math.Min(requestedSeconds, maxSeconds);
    }

    private static Will MakeWill(in ConnectPacket packet)
    {
        var properties = new byte[packet.WillProperties.Bytes.Length];
        int length = packet.WillProperties.CopyForwarded(properties);
        bool expires = packet.WillProperties.Has(PropertyId.MessageExpiryInterval);
        uint? expirySeconds = expires ? packet.WillProperties.GetNumber(PropertyId.MessageExpiryInterval, 0) : null;
        var message = new Message
        {
            Topic = packet.WillTopic.ToArray(),
            Payload = packet.WillPayload.ToArray(),
            Properties = properties[..length],
            QoS = packet.WillQoS,
            Retain = packet.WillRetain,
        };
        return new Will(message, packet.WillProperties.GetNumber(PropertyId.WillDelayInterval, 0), expirySeconds);
    }

    private void Authenticate(in ConnectPacket packet)
    {
        var request = new AuthenticationRequest(
            Connect!.ClientId,
            Connect.ClaimedUser,
            packet.HasPassword ? packet.Password.ToArray() : null,
            Transport.RemoteEndPoint,
            Endpoint.AnonymousAllowed)
        {
            Network = Network,
            Listener = Endpoint.Listener,
            TransportIdentity = _link.Identity,
            TransportMethod = TransportMethod,
        };
        if (packet.Properties.Has(PropertyId.AuthenticationMethod))
        {
            // What it keeps for later has no password in it.
            var method = new EnhancedAuthentication(request with
            {
                Password = null,
                Method = Encoding.UTF8.GetString(packet.Properties.GetValue(PropertyId.AuthenticationMethod)),
            });
            Connect.Method = method;
            request = method.Request with { Password = request.Password, MethodData = packet.Properties.GetValue(PropertyId.AuthenticationData).ToArray() };
        }

        _state = State.Authenticating;
        Decide(Endpoint.Authenticator.AuthenticateAsync(request, CancellationToken.None), isFirst: true);
    }
}
