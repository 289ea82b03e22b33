using System.Text;
using EdgeBroker.Core.Ingress;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Security;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Mqtt.Sending;
using EdgeBroker.Protocol;

namespace EdgeBroker.Mqtt.Connections;

// CONNECT (3.1) and CONNACK (3.2).
public sealed partial class MqttConnection
{
    private const uint NoLimit = uint.MaxValue;

    private PendingConnect? _connect;
    private uint _clientMaxPacketBytes = NoLimit;
    private bool _wantsProblemInformation = true;
    private bool _sessionPresent;

    private void HandleConnect(in Frame frame)
    {
        _context.Counters.Connects++;
        bool parsed = ConnectPacket.TryParse(frame, out ConnectPacket packet, out ParseError error);
        // Above 5 nobody knows the answer's form; 5.0's names the reason. Below, 3.1.1's return code is what older clients read. So do mosquitto's bridges,
        // which first try 3.1 or 3.1.1 with the high bit set and only on 0x01 [MQTT-3.1.2-2] go on without.
        _rules = packet.ProtocolLevel is >= (byte)ProtocolVersion.V5 and not (0x83 or 0x84) ? ProtocolRules.V5 : ProtocolRules.V311;
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

        _connect = Prepare(packet);
        Authenticate(packet);
    }

    private void RefuseUnparsed(byte level, ParseError error)
    {
        // A CONNECT that is malformed or of another protocol altogether is not answered in 3.1.1 [MQTT-3.1.4-1]; an unknown level is [MQTT-3.1.2-2].
        bool answer = _rules.MalformedConnectIsAnswered || (error.Reason == ReasonCode.UnsupportedProtocolVersion && level != 0);
        Refuse(error.Reason, error.Explanation, clientId: null, answer);
    }

    private void ReadClientLimits(PropertyBlock properties)
    {
        _clientMaxPacketBytes = properties.GetNumber(PropertyId.MaximumPacketSize, NoLimit);
        _wantsProblemInformation = properties.GetNumber(PropertyId.RequestProblemInformation, 1) == 1;
        int aliases = (int)Math.Min(properties.GetNumber(PropertyId.TopicAliasMaximum, 0), (uint)Options.TopicAliasMaximum);
        if (aliases > 0) _outboundAliases = new OutboundAliases(aliases);
        if (_rules.Version == ProtocolVersion.V5 && Options.TopicAliasMaximum > 0) _inboundAliases = new InboundAliases(Options.TopicAliasMaximum);
    }

    private bool Accepts(in ConnectPacket packet, out ReasonCode reason, out string explanation)
    {
        (reason, explanation) = (ReasonCode.ClientIdentifierNotValid, "an empty client id needs a clean session");
        if (packet.ClientId.IsEmpty && _rules.EmptyClientIdNeedsCleanStart && !packet.CleanStart) return false;
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
        PublishVerdict verdict = Ingress.Evaluate(will, Permissions.All, Options);
        (reason, explanation) = (verdict.Reason, "the will: " + verdict.Cause);
        return verdict.Decision == PublishDecision.Accepted;
    }

    private PendingConnect Prepare(in ConnectPacket packet)
    {
        bool assigned = packet.ClientId.IsEmpty;
        uint maxExpirySeconds = (uint)Math.Min(Options.MaxSessionExpiry.TotalSeconds, uint.MaxValue - 1);
        uint requestedExpirySeconds = RequestedExpirySeconds(packet, maxExpirySeconds);
        var grant = new SessionGrant(
            Math.Min(requestedExpirySeconds, maxExpirySeconds),
            (int)packet.Properties.GetNumber(PropertyId.ReceiveMaximum, ushort.MaxValue),
            packet.HasWill ? MakeWill(packet) : null);
        return new PendingConnect
        {
            ClientId = assigned ? "auto-" + Guid.NewGuid().ToString("N") : Encoding.UTF8.GetString(packet.ClientId),
            IsAssignedId = assigned,
            CleanStart = packet.CleanStart,
            Grant = grant,
            RequestedExpirySeconds = requestedExpirySeconds,
            RequestedKeepAliveSeconds = packet.KeepAliveSeconds,
            KeepAliveSeconds = GrantedKeepAliveSeconds(packet.KeepAliveSeconds),
            WantsResponseInformation = packet.Properties.GetNumber(PropertyId.RequestResponseInformation, 0) == 1,
        };
    }

    private uint RequestedExpirySeconds(in ConnectPacket packet, uint maxExpirySeconds)
    {
        if (!_rules.CleanStartEndsWithConnection) return packet.Properties.GetNumber(PropertyId.SessionExpiryInterval, 0);
        return packet.CleanStart ? 0 : maxExpirySeconds;
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
            _connect!.ClientId,
            packet.HasUserName ? Encoding.UTF8.GetString(packet.UserName) : null,
            packet.HasPassword ? packet.Password.ToArray() : null,
            _transport.RemoteEndPoint,
            _endpoint.AnonymousAllowed)
        {
            Network = ClientNetwork.Of(_transport.RemoteAddress),
            Listener = _endpoint.Listener,
            TransportIdentity = _transportIdentity,
        };
        if (packet.Properties.Has(PropertyId.AuthenticationMethod))
        {
            // What it keeps for later has no password in it.
            _method = new EnhancedAuthentication(request with
            {
                Password = null,
                Method = Encoding.UTF8.GetString(packet.Properties.GetValue(PropertyId.AuthenticationMethod)),
            });
            request = _method.Request with { Password = request.Password, MethodData = packet.Properties.GetValue(PropertyId.AuthenticationData).ToArray() };
        }

        _state = State.Authenticating;
        Decide(_endpoint.Authenticator.AuthenticateAsync(request, CancellationToken.None), isFirst: true);
    }

    /// <param name="pending">What the authenticator will say.</param>
    /// <param name="isFirst">Whether the client has not been asked back.</param>
    private void Decide(ValueTask<AuthenticationResult> pending, bool isFirst)
    {
        if (pending.IsCompletedSuccessfully)
        {
            AuthenticationResult known = pending.GetAwaiter().GetResult();
            // An exchange goes on with whom it was begun.
            Admit(isFirst ? known : AsOfNow(known));
            return;
        }

        _transport.PauseReading();
        // Only once: however many questions there are, a client has this long to be let in.
        if (isFirst) AwaitConnect();
        _ = WhenDecidedAsync(pending, verdict =>
        {
            if (_state != State.Authenticating || _transport.IsClosing) return;
            Admit(AsOfNow(verdict));
            if (_connect?.WaitingLogin is null) _transport.ResumeReading();
        });
    }

    // Users, rules and the listener may have been replaced while it was being thought about, or the client asked.
    private AuthenticationResult AsOfNow(AuthenticationResult verdict) => verdict.Reason == ReasonCode.Success ? Judge(verdict) : verdict;

    /// <summary>Goes on upon the connection's own thread when the authenticator has answered.</summary>
    private async Task WhenDecidedAsync(ValueTask<AuthenticationResult> pending, Action<AuthenticationResult> act)
    {
        AuthenticationResult verdict;
        try
        {
            verdict = await pending.ConfigureAwait(false);
        }
        catch (Exception)
        {
            // Whatever kept the authenticator from answering is its own to log; the client is not let in.
            verdict = AuthenticationResult.Refused(ReasonCode.UnspecifiedError);
        }

        _transport.Post(() => act(verdict));
    }

    /// <summary>Leaves the client unread until its login may be looked at. That time is not on its account.</summary>
    private void Wait(TimeSpan wait, IAuthenticationExchange login)
    {
        _connect!.WaitingLogin = login;
        _transport.PauseReading();
        _transport.SetDeadline(_transport.NowMs + (long)wait.TotalMilliseconds);
    }

    private void GoOnAfterWait()
    {
        IAuthenticationExchange login = _connect!.WaitingLogin!;
        _connect.WaitingLogin = null;
        AwaitConnect();
        Decide(login.ContinueAsync([], CancellationToken.None), isFirst: true);
        // One that is thought about goes on pausing; it reads on with the verdict.
        if (_state != State.Authenticating) _transport.ResumeReading();
    }

    private void Admit(AuthenticationResult verdict)
    {
        PendingConnect connect = _connect!;
        if (verdict is { Wait: { } wait, Reply.Next: { } login })
        {
            Wait(wait, login);
            return;
        }

        if (verdict is { Reason: ReasonCode.ContinueAuthentication, Reply.Next: not null } && _method is not null)
        {
            Ask(verdict.Reply);
            return;
        }

        if (verdict.Reason != ReasonCode.Success)
        {
            Refuse(verdict.Reason, TextOf(verdict), connect.ClientId, logged: verdict.Cause);
            return;
        }

        if (_method is not null) _method.LastWord = verdict.Reply?.Data;
        if (connect.Grant.Will is { } will && Ingress.Evaluate(Publication.Of(will.Message, 0), verdict.Permissions, Options) is { Cause: { } cause } refused)
        {
            Refuse(refused.Reason, "the client may not publish its will", connect.ClientId, logged: "the client may not publish its will: " + cause);
            return;
        }

        if (!ConnackFits(connect))
        {
            Refuse(ReasonCode.PacketTooLarge, "the Maximum Packet Size has no room for CONNACK", connect.ClientId);
            return;
        }

        _state = State.Connected;
        SessionGrant grant = connect.Grant with { UserName = verdict.UserName, Permissions = verdict.Permissions };
        ConnectionLease lease = Broker.Connect(connect.ClientId, connect.CleanStart, grant, _context, this);
        _principal = new Principal
        {
            Receiver = lease.Session,
            Lease = lease,
            Identity = Kept(verdict),
            Grants = _options,
            HearsRefusals = _rules.AcksCarryReasons,
            WaitsForStore = !_rules.AcksCarryReasons,
        };
        _connect = null;
        // 3.1.1 knows no limit but the identifiers.
        if (_rules.Version == ProtocolVersion.V5) _acks.Begin(Options.ReceiveMaximum, Lease.Session.ReceivedIdCount);
        else _acks.Begin(ushort.MaxValue, inheritedReceives: 0);
        BeginKeepAlive(connect.KeepAliveSeconds);
        EndRenewal();
        Broker.Events.ClientConnected(Describe(), _sessionPresent);
    }

    // Made when someone is told, rather than kept by every idle connection.
    private ClientDescription Describe() =>
        new(Lease.Session.Id, _principal.Identity.UserName, _transport.RemoteEndPoint, _rules.Version, _deadlines.KeepAliveSeconds);

    /// <inheritdoc/>
    void ISessionLink.Prepare(Session session) => Output.Gate = session.SyncRoot;

    /// <inheritdoc/>
    void ISessionLink.SendConnack(bool sessionPresent)
    {
        _sessionPresent = sessionPresent;
        PropertyBuilder properties = PropertyBuilder.For(PacketType.Connack, stackalloc byte[256]);
        if (_rules.Version == ProtocolVersion.V5) AddGrants(ref properties, _connect!);
        var packet = new ConnackPacket { SessionPresent = sessionPresent, Properties = properties.Block };
        packet.Write(Output, _rules.Version);
        Sent(packet.Length(_rules.Version));
        properties.Dispose();
    }

    /// <summary>
    /// Whether the client accepts our CONNACK [MQTT-3.1.2-24], if need be without the Response Information. Whatever else it must be sent is shorter.
    /// </summary>
    private bool ConnackFits(PendingConnect connect)
    {
        if (_clientMaxPacketBytes == NoLimit || ConnackLength(connect) <= _clientMaxPacketBytes) return true;
        connect.WantsResponseInformation = false;
        return ConnackLength(connect) <= _clientMaxPacketBytes;
    }

    private long ConnackLength(PendingConnect connect)
    {
        PropertyBuilder properties = PropertyBuilder.For(PacketType.Connack, stackalloc byte[256]);
        AddGrants(ref properties, connect);
        int length = new ConnackPacket { Properties = properties.Block }.Length(_rules.Version);
        properties.Dispose();
        return length;
    }

    private void AddGrants(ref PropertyBuilder properties, PendingConnect connect)
    {
        if (connect.Grant.ExpirySeconds != connect.RequestedExpirySeconds) properties.Add(PropertyId.SessionExpiryInterval, connect.Grant.ExpirySeconds);
        properties.Add(PropertyId.ReceiveMaximum, (uint)Options.ReceiveMaximum);
        if (Options.MaxQos < 2) properties.Add(PropertyId.MaximumQoS, (uint)Options.MaxQos);
        if (!Options.RetainAvailable) properties.Add(PropertyId.RetainAvailable, 0);
        properties.Add(PropertyId.MaximumPacketSize, (uint)Options.MaxPacketSizeBytes);
        if (connect.IsAssignedId) properties.Add(PropertyId.AssignedClientIdentifier, Encoding.UTF8.GetBytes(connect.ClientId));
        if (Options.TopicAliasMaximum > 0) properties.Add(PropertyId.TopicAliasMaximum, (uint)Options.TopicAliasMaximum);
        if (connect.KeepAliveSeconds != connect.RequestedKeepAliveSeconds) properties.Add(PropertyId.ServerKeepAlive, (uint)connect.KeepAliveSeconds);
        if (connect.WantsResponseInformation && IsOneLevel(connect.ClientId))
        {
            properties.Add(PropertyId.ResponseInformation, Encoding.UTF8.GetBytes("response/" + connect.ClientId));
        }

        if (_method is not null) AddMethod(ref properties, _method.LastWord);
    }

    // A client id that is no topic level of its own cannot name a part of the topic tree.
    private static bool IsOneLevel(string clientId) => clientId.AsSpan().IndexOfAny('/', '+', '#') < 0;
}
