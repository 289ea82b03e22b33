using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;

namespace EdgeBroker.Mqtt.Connections;

// AUTH (3.15): authentication in several steps (4.12), and again on the same connection (4.12.1).
public sealed partial class MqttConnection
{
    private const string NoRoomForAuth = "the Maximum Packet Size has no room for AUTH";

    // Null: the client asked for no method.
    private EnhancedAuthentication? _method;

    /// <summary>What comes between a question and CONNACK: an answer, or the client gives up.</summary>
    private void HandleUnadmitted(in Frame frame)
    {
        if (!DisconnectPacket.TryParse(frame, _rules.Version, out DisconnectPacket packet, out ParseError error))
        {
            Refuse(error.Reason, error.Explanation);
            return;
        }

        if (frame.Type == PacketType.Disconnect)
        {
            ReasonCode reason = packet.ReasonCode.IsError() ? packet.ReasonCode : ReasonCode.UnspecifiedError;
            Refuse(reason, "the client gave up while it was authenticated", answer: false);
            return;
        }

        if (!IsExpected(packet, ReasonCode.ContinueAuthentication, out string explanation))
        {
            Refuse(ReasonCode.ProtocolError, explanation);
            return;
        }

        IAuthenticationExchange exchange = _method!.Exchange!;
        _method.Exchange = null;
        _state = State.Authenticating;
        byte[] answer = packet.Properties.GetValue(PropertyId.AuthenticationData).ToArray();
        Decide(exchange.ContinueAsync(answer, CancellationToken.None), isFirst: false);
    }

    private void HandleAuth(in Frame frame)
    {
        if (_rules.Version != ProtocolVersion.V5)
        {
            Fail(ReasonCode.MalformedPacket, "packet type 15 does not exist in MQTT 3.1.1");
            return;
        }

        if (_method is null)
        {
            Fail(ReasonCode.ProtocolError, "AUTH without an authentication method in CONNECT");
            return;
        }

        if (!DisconnectPacket.TryParse(frame, _rules.Version, out DisconnectPacket packet, out ParseError error))
        {
            Fail(error.Reason, error.Explanation);
            return;
        }

        if (!IsExpected(packet, _deadlines.IsRenewing ? ReasonCode.ContinueAuthentication : ReasonCode.ReAuthenticate, out string explanation))
        {
            Fail(ReasonCode.ProtocolError, explanation);
            return;
        }

        Renew(packet.Properties.GetValue(PropertyId.AuthenticationData).ToArray());
    }

    private bool IsExpected(in DisconnectPacket packet, ReasonCode expected, out string explanation)
    {
        explanation = "AUTH with a reason code that has no place here: 0x19 begins a re-authentication, 0x18 answers a question of the broker";
        if (packet.ReasonCode != expected || _method!.IsThinking) return false;
        // [MQTT-4.12.0-5], [MQTT-4.12.1-1]
        explanation = "AUTH with another authentication method than CONNECT";
        return packet.Properties.GetValue(PropertyId.AuthenticationMethod).SequenceEqual(_method.MethodText);
    }

    /// <summary>Begins a re-authentication or goes on with it. Meanwhile all other packets have their way, under the rights of before.</summary>
    private void Renew(byte[] data)
    {
        EnhancedAuthentication method = _method!;
        ValueTask<AuthenticationResult> pending;
        if (method.Exchange is { } exchange)
        {
            method.Exchange = null;
            pending = exchange.ContinueAsync(data, CancellationToken.None);
        }
        else
        {
            _deadlines.RenewalDueMs = _transport.NowMs + (long)Options.ConnectTimeout.TotalMilliseconds;
            SetDeadline();
            pending = _endpoint.Authenticator.AuthenticateAsync(method.Request with { MethodData = data, IsRenewal = true }, CancellationToken.None);
        }

        if (pending.IsCompletedSuccessfully)
        {
            ConcludeRenewal(pending.GetAwaiter().GetResult());
            return;
        }

        method.IsThinking = true;
        _ = WhenDecidedAsync(pending, verdict =>
        {
            if (_state != State.Connected || _transport.IsClosing) return;
            method.IsThinking = false;
            ConcludeRenewal(verdict);
        });
    }

    private void ConcludeRenewal(AuthenticationResult verdict)
    {
        EnhancedAuthentication method = _method!;
        if (verdict is { Reason: ReasonCode.ContinueAuthentication, Reply.Next: { } next })
        {
            method.Exchange = next;
            if (!TrySendAuth(ReasonCode.ContinueAuthentication, verdict.Reply.Data)) Fail(ReasonCode.PacketTooLarge, NoRoomForAuth);
            return;
        }

        EndRenewal();
        verdict = AsOfNow(verdict);
        // A name or password that is wrong has no code of its own in DISCONNECT.
        ReasonCode reason = verdict.Reason == ReasonCode.BadUserNameOrPassword ? ReasonCode.NotAuthorized : verdict.Reason;
        string? cause = verdict.Cause;
        bool discardWill = false;
        if (reason == ReasonCode.Success)
        {
            cause = verdict.UserName != _principal.Identity.UserName
                ? $"the client is user \"{_principal.Identity.UserName}\" and tried to become \"{verdict.UserName}\""
                : FindDenied(verdict.Permissions, out discardWill);
            if (cause is not null) reason = ReasonCode.NotAuthorized;
        }

        if (reason != ReasonCode.Success)
        {
            Fail(reason, TextOf(verdict with { Reason = reason }), logged: "re-authentication failed: " + (cause ?? TextOf(verdict)), discardWill);
            return;
        }

        _principal = _principal.With(Kept(verdict));
        SetDeadline();
        if (!TrySendAuth(ReasonCode.Success, verdict.Reply?.Data)) Fail(ReasonCode.PacketTooLarge, NoRoomForAuth);
    }

    /// <summary>What is kept of a verdict that lets the client in. It holds as long as it says.</summary>
    private AuthenticationResult Kept(AuthenticationResult verdict)
    {
        _deadlines.IdentityDueMs = verdict.ValidFor is { } validFor ? _transport.NowMs + (long)validFor.TotalMilliseconds : long.MaxValue;
        return verdict.Reply is null ? verdict : verdict with { Reply = null };
    }

    /// <summary>The authentication or re-authentication is over, well or not.</summary>
    private void EndRenewal()
    {
        _method?.End();
        _deadlines.RenewalDueMs = long.MaxValue;
    }

    /// <summary>Asks a client that is not let in yet.</summary>
    private void Ask(AuthenticationReply question)
    {
        _method!.Exchange = question.Next;
        _state = State.AwaitingAuth;
        if (!TrySendAuth(ReasonCode.ContinueAuthentication, question.Data)) Refuse(ReasonCode.PacketTooLarge, NoRoomForAuth);
    }

    /// <summary>Sends AUTH; false when the client does not take packets of its length [MQTT-3.1.2-24].</summary>
    private bool TrySendAuth(ReasonCode reason, byte[]? data)
    {
        PropertyBuilder properties = PropertyBuilder.For(PacketType.Auth, stackalloc byte[256]);
        AddMethod(ref properties, data);
        var packet = new DisconnectPacket { Type = PacketType.Auth, ReasonCode = reason, Properties = properties.Block };
        int length = packet.Length(_rules.Version);
        bool fits = (uint)length <= _clientMaxPacketBytes;
        lock (Output.Gate)
        {
            if (fits && !_transport.IsClosing)
            {
                packet.Write(Output, _rules.Version);
                Sent(length);
            }
        }

        properties.Dispose();
        return fits;
    }

    private void AddMethod(ref PropertyBuilder properties, byte[]? data)
    {
        properties.Add(PropertyId.AuthenticationMethod, _method!.MethodText);
        if (data is not null) properties.Add(PropertyId.AuthenticationData, data);
    }

    /// <summary>What a client that is not let in is told: nothing that helps to guess, but what it did wrong as a program.</summary>
    private static string TextOf(AuthenticationResult verdict) => verdict.Reason switch
    {
        ReasonCode.ServerBusy => "busy: try again later",
        ReasonCode.ConnectionRateExceeded => "busy: a limit of the broker is reached; try again later",
        ReasonCode.BadAuthenticationMethod or ReasonCode.ProtocolError when verdict.Cause is { } cause => cause,
        _ => "not let in: no valid credentials",
    };
}
