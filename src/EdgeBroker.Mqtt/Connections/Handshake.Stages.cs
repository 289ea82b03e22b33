using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Ingress;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Security;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Mqtt.Connections;

// From a CONNECT that makes sense to CONNACK: who the client is, in one step or several (4.12), and whether its session is ours.
public sealed partial class Handshake
{
    // For the claims that are answered at once, which is nearly all.
    [ThreadStatic]
    private static CancellationTokenSource? _spareCancel;

    /// <summary>What comes between a question and CONNACK: an answer, or the client gives up.</summary>
    private void HandleAnswer(in Frame frame)
    {
        EnhancedAuthentication method = Connect!.Method!;
        if (!DisconnectPacket.TryParse(frame, _link.Version, out DisconnectPacket packet, out ParseError error))
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

        if (!method.IsExpected(packet, ReasonCode.ContinueAuthentication, out string explanation))
        {
            Refuse(ReasonCode.ProtocolError, explanation);
            return;
        }

        IAuthenticationExchange exchange = method.Exchange!;
        method.Exchange = null;
        _state = State.Authenticating;
        byte[] answer = packet.Properties.GetValue(PropertyId.AuthenticationData).ToArray();
        Decide(exchange.ContinueAsync(answer, CancellationToken.None), isFirst: false);
    }

    /// <param name="pending">What the authenticator will say.</param>
    /// <param name="isFirst">Whether the client has not been asked back.</param>
    private void Decide(ValueTask<AuthenticationResult> pending, bool isFirst)
    {
        if (pending.IsCompletedSuccessfully)
        {
            AuthenticationResult known = pending.GetAwaiter().GetResult();
            // An exchange goes on with whom it was begun.
            GoOn(isFirst ? known : AsOfNow(known));
            return;
        }

        Transport.PauseReading();
        // Only once: however many questions there are, a client has this long to be let in.
        if (isFirst) AwaitClient();
        _ = WhenDecidedAsync(pending, Transport, verdict =>
        {
            if (_state != State.Authenticating || Transport.IsClosing) return;
            GoOn(AsOfNow(verdict));
            ReadOn();
        });
    }

    // Users, rules and the listener may have been replaced while it was being thought about, or the client asked.
    private AuthenticationResult AsOfNow(AuthenticationResult verdict) =>
        verdict.Reason == ReasonCode.Success ? Endpoint.Judge(verdict, Connect!.ClientId) : verdict;

    /// <summary>Goes on upon the connection's own thread when the authenticator has answered.</summary>
    internal static async Task WhenDecidedAsync(
        ValueTask<AuthenticationResult> pending, Transport.TransportConnection transport, Action<AuthenticationResult> act)
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

        transport.Post(() => act(verdict));
    }

    /// <summary>Reads on unless somebody is still thinking; a client that waits for its login stays unread as well.</summary>
    private void ReadOn()
    {
        if (_state is not (State.Authenticating or State.Draining or State.Claiming)) Transport.ResumeReading();
    }

    /// <summary>Leaves the client unread until its login may be looked at. That time is not on its account.</summary>
    private void Wait(TimeSpan wait, IAuthenticationExchange login)
    {
        Connect!.WaitingLogin = login;
        Transport.PauseReading();
        Transport.SetDeadline(Transport.NowMs + (long)wait.TotalMilliseconds);
    }

    private void GoOnAfterWait()
    {
        IAuthenticationExchange login = Connect!.WaitingLogin!;
        Connect.WaitingLogin = null;
        AwaitClient();
        Decide(login.ContinueAsync([], CancellationToken.None), isFirst: true);
        ReadOn();
    }

    private void GoOn(AuthenticationResult verdict)
    {
        bool isQuestion = verdict is { Reason: ReasonCode.ContinueAuthentication, Reply.Next: not null };
        if (verdict is { Wait: { } wait, Reply.Next: { } login })
        {
            Wait(wait, login);
            return;
        }

        if (isQuestion && Connect!.Method is { } method)
        {
            Ask(method, verdict.Reply!);
            return;
        }

        TellAuthenticated(verdict);
        if (IsLetIn(verdict)) DrainOlder(verdict);
    }

    private void TellAuthenticated(AuthenticationResult verdict)
    {
        PendingConnect connect = Connect!;
        string? userName = verdict.Reason == ReasonCode.Success ? verdict.UserName : verdict.ClaimedUser ?? connect.ClaimedUser;
        _link.Tell(connect.ClientId, userName, connect.MethodFor(verdict), verdict);
    }

    /// <summary>Asks a client that is not let in yet.</summary>
    private void Ask(EnhancedAuthentication method, AuthenticationReply question)
    {
        method.Exchange = question.Next;
        _state = State.AwaitingAuth;
        if (_link.TrySendAuth(ReasonCode.ContinueAuthentication, method, question.Data)) return;
        Refuse(ReasonCode.PacketTooLarge, EnhancedAuthentication.NoRoom);
    }

    /// <summary>Whether a verdict lets the client in, with its will and its Maximum Packet Size; false: it has been refused.</summary>
    private bool IsLetIn(AuthenticationResult verdict)
    {
        PendingConnect connect = Connect!;
        if (verdict.Reason != ReasonCode.Success)
        {
            Refuse(verdict.Reason, ReasonText.Of(verdict), logged: verdict.Cause);
            return false;
        }

        if (connect.Method is { } method && verdict.Reply is { } last) method.LastWord = last.Data;
        if (EvaluateWill(verdict) is { Cause: { } cause } refused)
        {
            Refuse(refused.Reason, "the client may not publish its will", logged: "the client may not publish its will: " + cause);
            return false;
        }

        if (Broker.FindOwner(connect.ClientId, verdict.UserName) is { } owner)
        {
            RefuseForeign(OwnedBy(owner));
            return false;
        }

        if (Broker.FindSessionLimit(connect.ClientId, connect.CleanStart, connect.Grant with { UserName = verdict.UserName }) is { } limit)
        {
            Broker.Limits.Report(limit, LimitAction.Refused, connect.ClientId);
            Refuse(
                ReasonCode.QuotaExceeded, $"no further session or will is kept ({BrokerLimits.NameOf(limit)})",
                logged: $"no further session or will is kept: {Broker.Limits.Describe(limit)} is reached");
            return false;
        }

        if (connect.ConnackFits(_link.MaxPacketBytes, Options)) return true;
        Refuse(ReasonCode.PacketTooLarge, "the Maximum Packet Size has no room for CONNACK");
        return false;
    }

    private PublishVerdict EvaluateWill(AuthenticationResult verdict) => Connect!.Grant.Will is not { } will
        ? default
        : Ingress.Evaluate(Publication.Of(will.Message, 0), verdict.Permissions, Options, Connect.ClientId, Connect.MayBeBridge);

    /// <summary>The client id is another user's: whoever knows it could take messages and end the connection.</summary>
    private void RefuseForeign(string logged) => Refuse(ReasonCode.ClientIdentifierNotValid, "the client id is in use by another user", logged: logged);

    private static string OwnedBy(string owner) =>
        $"the client id belongs to user \"{owner}\", whose session is connected or kept (edgebroker kick --forget ends it)";

    private void Claim(AuthenticationResult identity)
    {
        PendingConnect connect = Connect!;
        connect.Identity = identity;
        _state = State.Claiming;
        CancellationTokenSource cancel = _spareCancel ?? new CancellationTokenSource();
        _spareCancel = null;
        ICluster cluster = Broker.Cluster;
        ValueTask<SessionClaim> claim;
        try
        {
            claim = cluster.ClaimAsync(
                new SessionRequest(connect.ClientId, connect.CleanStart, connect.Grant.ExpirySeconds != 0, identity.UserName), cancel.Token);
        }
        catch (Exception exception)
        {
            claim = ValueTask.FromException<SessionClaim>(exception);
        }

        if (claim.IsCompletedSuccessfully)
        {
            if (cancel.TryReset()) _spareCancel = cancel;
            Conclude(claim.GetAwaiter().GetResult());
            return;
        }

        Transport.PauseReading();
        AwaitClient();
        _claim = new PendingClaim(cluster, connect.ClientId, cancel);
        _ = WhenClaimedAsync(claim, _claim);
    }

    private async Task WhenClaimedAsync(ValueTask<SessionClaim> claim, PendingClaim pending)
    {
        SessionClaim answer = default;
        try
        {
            answer = await claim.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (pending.IsAbandoned)
        {
            // As it was asked to.
        }
        catch (Exception exception)
        {
            Broker.ReportFault(exception, "claiming the session of " + Connect!.ClientId);
        }

        if (pending.Answer(answer)) Transport.Post(ConcludeClaim);
    }

    private void ConcludeClaim()
    {
        // What is not taken here is given back when the connection is over.
        if (_state != State.Claiming || Transport.IsClosing || !_claim!.TryTake(out SessionClaim answer)) return;
        Connect!.Identity = AsOfNow(Connect.Identity!);
        Conclude(answer);
        ReadOn();
    }

    private void Conclude(in SessionClaim claim)
    {
        switch (claim.Outcome)
        {
            case ClaimOutcome.Granted:
                Take(claim.Epoch);
                break;
            case ClaimOutcome.Busy:
                Refuse(ReasonCode.ServerBusy, "busy: try again later", logged: "the client's session is being moved between nodes of the cluster");
                break;
            case ClaimOutcome.Elsewhere or ClaimOutcome.Moved:
                ReasonCode reason = claim.Outcome == ClaimOutcome.Moved ? ReasonCode.ServerMoved : ReasonCode.UseAnotherServer;
                string logged = "the client's session is on " + (claim.Server ?? "another node");
                Refuse(reason, "the client's session is on another server", logged: logged, server: claim.Server);
                break;
            case ClaimOutcome.Foreign:
                RefuseForeign("the client id belongs to another user: " + claim.Cause);
                break;
            default:
                Refuse(
                    ReasonCode.ServerUnavailable, "unavailable: try again later", logged: claim.Cause ?? "the cluster cannot say who serves the client");
                break;
        }
    }

    /// <summary>The session is ours: takes it, or gives it back if the client may not come in any more.</summary>
    private void Take(Epoch epoch)
    {
        bool isTaken = false;
        try
        {
            if (!IsLetIn(Connect!.Identity!)) return;
            isTaken = Enter(epoch);
        }
        finally
        {
            if (!isTaken) Broker.Cluster.Release(Connect!.ClientId, epoch);
        }
    }

    /// <summary>Takes the session; false: it is another user's by now, and the client has been refused.</summary>
    private bool Enter(Epoch epoch)
    {
        PendingConnect connect = Connect!;
        AuthenticationResult identity = connect.Identity!;
        _link.Begin(connect.KeepAliveSeconds);
        SessionGrant grant = connect.Grant with { UserName = identity.UserName, Permissions = identity.Permissions, Epoch = epoch };
        if (grant.Will is { } will) grant = grant with { Will = will with { Author = new WillAuthor(Endpoint, identity, connect.ClientId) } };
        if (Broker.Connect(connect.ClientId, connect.CleanStart, grant, _link.Context, _link) is not { } lease)
        {
            RefuseForeign(OwnedBy(Broker.FindOwner(connect.ClientId, identity.UserName) ?? ""));
            return false;
        }

        Broker.Cluster.Connected(connect.ClientId, epoch, lease);
        _state = State.Done;
        var connection = new MqttConnection(_link, lease, connect, _holdsSlot);
        Transport.Handler = connection;
        connect.Release(Broker.Limits.Ledger);
        if (!Broker.Events.Wants(EventKinds.ClientConnected)) return true;
        ClientDescription client = _link.Describe(connect.ClientId, identity.UserName);
        Broker.Events.ClientConnected(
            new ConnectedEvent(client, connect.IsSessionPresent, connect.CleanStart, connect.Grant.ExpirySeconds, _link.Identity));
        return true;
    }
}
