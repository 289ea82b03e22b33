using EdgeBroker.Core.Events;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;

namespace EdgeBroker.Mqtt.Connections;

// AUTH (3.15): authentication again on the same connection (4.12.1).
public sealed partial class MqttConnection
{
    // Null: the client asked for no method.
    private EnhancedAuthentication? Method => _extras?.Method;

    private void HandleAuth(in Frame frame)
    {
        if (_link.Version != ProtocolVersion.V5)
        {
            Fail(ReasonCode.MalformedPacket, "packet type 15 does not exist in MQTT 3.1.1");
            return;
        }

        if (Method is null)
        {
            Fail(ReasonCode.ProtocolError, "AUTH without an authentication method in CONNECT");
            return;
        }

        if (!DisconnectPacket.TryParse(frame, _link.Version, out DisconnectPacket packet, out ParseError error))
        {
            Fail(error.Reason, error.Explanation);
            return;
        }

        if (!Method.IsExpected(packet, _deadlines.IsRenewing ? ReasonCode.ContinueAuthentication : ReasonCode.ReAuthenticate, out string explanation))
        {
            Fail(ReasonCode.ProtocolError, explanation);
            return;
        }

        Renew(packet.Properties.GetValue(PropertyId.AuthenticationData).ToArray());
    }

    /// <summary>Begins a re-authentication or goes on with it. Meanwhile all other packets have their way, under the rights of before.</summary>
    private void Renew(byte[] data)
    {
        EnhancedAuthentication method = Method!;
        ValueTask<AuthenticationResult> pending;
        if (method.Exchange is { } exchange)
        {
            method.Exchange = null;
            pending = exchange.ContinueAsync(data, CancellationToken.None);
        }
        else
        {
            _deadlines.RenewalDueMs = Transport.NowMs + (long)Options.ConnectTimeout.TotalMilliseconds;
            SetDeadline();
            pending = Endpoint.Authenticator.AuthenticateAsync(method.Request with { MethodData = data, IsRenewal = true }, CancellationToken.None);
        }

        if (pending.IsCompletedSuccessfully)
        {
            ConcludeRenewal(pending.GetAwaiter().GetResult());
            return;
        }

        method.IsThinking = true;
        _ = Handshake.WhenDecidedAsync(pending, Transport, verdict =>
        {
            if (!IsConnected || Transport.IsClosing) return;
            method.IsThinking = false;
            ConcludeRenewal(verdict);
        });
    }

    private void ConcludeRenewal(AuthenticationResult verdict)
    {
        EnhancedAuthentication method = Method!;
        if (verdict is { Reason: ReasonCode.ContinueAuthentication, Reply.Next: { } next })
        {
            method.Exchange = next;
            SendAuth(ReasonCode.ContinueAuthentication, verdict.Reply.Data);
            return;
        }

        EndRenewal();
        // Users, rules and the listener may have been replaced meanwhile.
        if (verdict.Reason == ReasonCode.Success) verdict = Endpoint.Judge(verdict, Lease.Session.Id);
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

        TellRenewed(verdict with { Reason = reason, Cause = cause });
        if (reason != ReasonCode.Success)
        {
            string logged = "re-authentication failed: " + (cause ?? ReasonText.Of(verdict));
            Fail(reason, ReasonText.Of(verdict with { Reason = reason }), logged, discardWill);
            return;
        }

        _principal = _principal.With(Keep(verdict));
        SetDeadline();
        SendAuth(ReasonCode.Success, verdict.Reply?.Data);
    }

    /// <summary>What is kept of a verdict that lets the client in. It holds as long as it says.</summary>
    private AuthenticationResult Keep(AuthenticationResult verdict)
    {
        // A certificate ends, too.
        TimeSpan? holds = Transport.IdentityValidFor is { } certificate && !(verdict.ValidFor < certificate) ? certificate : verdict.ValidFor;
        _deadlines.IdentityDueMs = holds is { } validFor ? Transport.NowMs + (long)validFor.TotalMilliseconds : long.MaxValue;
        return verdict.Reply is null ? verdict : verdict with { Reply = null };
    }

    /// <summary>The authentication or re-authentication is over, well or not.</summary>
    private void EndRenewal()
    {
        Method?.End();
        _deadlines.RenewalDueMs = long.MaxValue;
    }

    private void TellRenewed(AuthenticationResult verdict)
    {
        AuthenticationMethod method = verdict.Method == AuthenticationMethod.Unknown ? Method!.Kind : verdict.Method;
        _link.Tell(Lease.Session.Id, verdict.ClaimedUser ?? _principal.Identity.UserName, method, verdict);
    }

    private void SendAuth(ReasonCode reason, byte[]? data)
    {
        if (!_link.TrySendAuth(reason, Method!, data)) Fail(ReasonCode.PacketTooLarge, EnhancedAuthentication.NoRoom);
    }
}
