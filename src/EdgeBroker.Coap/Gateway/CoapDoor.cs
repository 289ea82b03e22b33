using System.Security.Cryptography;
using System.Text;
using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Dtls;
using EdgeBroker.Coap.Messages;
using EdgeBroker.Coap.Resources;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;

namespace EdgeBroker.Coap.Gateway;

/// <summary>How a listener lets peers in.</summary>
/// <param name="Listener">Its address, as configured.</param>
/// <param name="AllowAnonymous">Whether a peer without credentials comes in.</param>
/// <param name="AllowQueryCredentials">Whether a query may hold a user name and a password, which anybody on the way can read.</param>
public sealed record DoorSettings(string Listener, bool AllowAnonymous, bool AllowQueryCredentials);

/// <summary>Lets peers in: the same users and rules as MQTT. A peer that was let in is known for as long as it is remembered, and shows the same.</summary>
/// <param name="broker">The broker.</param>
/// <param name="authenticator">Who decides.</param>
/// <param name="settings">How peers come in.</param>
/// <param name="executor">Where who had to wait goes on.</param>
/// <param name="time">The clock.</param>
/// <param name="clients">The clients of all listeners.</param>
internal sealed class CoapDoor(
    Broker broker, IAuthenticator authenticator, Replaceable<DoorSettings> settings, ISerialExecutor executor, TimeProvider time, CoapClients clients)
{
    private long _clients;

    /// <summary>Where peers are remembered. Set before the first one comes.</summary>
    internal ResourceServer? Server { get; set; }

    /// <summary>Who a peer is, as its transport has proved; null: it proves nothing.</summary>
    internal Func<PeerEndPoint, PeerIdentity?> Identify { get; set; } = _ => null;

    /// <summary>Lets a request's peer in, and goes on with what it wants; or refuses it.</summary>
    internal void Enter(PendingRequest pending, TopicQuery query, Action<PendingRequest, CoapClient> act) =>
        Enter(pending.Peer, query, client => act(pending, client), told => pending.Refuse(CoapCode.Unauthorized, told));

    /// <summary>Lets a peer in, and goes on with what it wants; or refuses it.</summary>
    /// <param name="peer">The peer.</param>
    /// <param name="query">What it says of itself.</param>
    /// <param name="act">Goes on, at once or later.</param>
    /// <param name="refuse">Tells it that it is not let in; null: it has asked for nothing.</param>
    internal void Enter(Peer peer, TopicQuery query, Action<CoapClient> act, Action<string>? refuse)
    {
        PeerIdentity? proved = Identify(peer.EndPoint);
        // Who has proved who it is, is that; what it says besides does not matter.
        if (proved?.UserName is not null) query = query.WithoutCredentials(proved.ClientId);
        bool hasCredentials = query.UserName is not null || query.Password is not null;
        if (hasCredentials && !settings.Current.AllowQueryCredentials)
        {
            Refuse(peer, query, ReasonCode.NotAuthorized, "credentials in a query (allow_query_credentials)", "no credentials in a query here", refuse);
            return;
        }

        string credentials = Credentials(query);
        if (peer.State is CoapClient { IsStale: false } known && known.Credentials == credentials)
        {
            act(known);
            return;
        }

        PeerEndPoint at = peer.At;
        string clientId = query.ClientId ?? proved?.UserName ?? "coap-" + at;
        byte[]? password = query.Password is { } text ? Encoding.UTF8.GetBytes(text) : null;
        var request = new AuthenticationRequest(clientId, query.UserName, password, at.ToString(), settings.Current.AllowAnonymous)
        {
            Network = ClientNetwork.Of(at.ToAddress()),
            Listener = settings.Current.Listener,
            TransportIdentity = proved?.UserName,
            TransportMethod = proved?.Psk is not null ? AuthenticationMethod.Psk : AuthenticationMethod.Certificate,
        };
        // What is answered at once is answered here; the rest comes back in a callback of its own.
        Task<AuthenticationResult> verdict = authenticator.AuthenticateAsync(request, CancellationToken.None).AsTask();
        if (verdict.IsCompletedSuccessfully && verdict.GetAwaiter().GetResult() is { Wait: null } result)
        {
            Admit(peer, query, proved, request, credentials, result, act, refuse);
        }
        else
        {
            _ = AdmitLaterAsync(peer, query, proved, request, credentials, verdict, act, refuse);
        }
    }

    /// <summary>Judges the peers of a server by the users and rules now in force.</summary>
    /// <returns>How many lost something.</returns>
    public int Review(ResourceServer server)
    {
        int ended = 0;
        foreach (Peer peer in server.Layer.Peers.ToArray())
        {
            if (peer.State is not CoapClient client) continue;
            AuthenticationResult now = authenticator.Review(client.Identity, client.Subject);
            bool isIn = now.Reason == ReasonCode.Success && (client.Subject.UserName is not null || settings.Current.AllowAnonymous);
            // What it was let in with is asked for again with its next request; observations go on as far as they are permitted.
            client.IsStale = true;
            if (!isIn)
            {
                ended++;
                client.Ending = ClientEnding.NotLetIn;
                client.Dispose();
                peer.State = null;
            }

            server.ForEachObserved(peer, observed =>
            {
                if (observed is not TopicObserved topic) return;
                if (isIn) topic.Review(now.Permissions);
                else topic.EndWith(CoapResponse.Because(CoapCode.Unauthorized, "not let in any more"));
            });
        }

        return ended;
    }

    // A password must not be kept; whoever shows another must be looked at again.
    private static string Credentials(TopicQuery query)
    {
        string secret = query.Password is null ? "" : Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(query.Password)));
        return $"{query.ClientId}\u0001{query.UserName}\u0001{secret}";
    }

    private async Task AdmitLaterAsync(
        Peer peer, TopicQuery query, PeerIdentity? proved, AuthenticationRequest request, string credentials, Task<AuthenticationResult> verdict,
        Action<CoapClient> act, Action<string>? refuse)
    {
        AuthenticationResult result;
        try
        {
            result = await verdict.ConfigureAwait(false);
            while (result is { Wait: { } wait, Reply.Next: { } next })
            {
                // The login guard makes whoever guesses wait; nobody else waits with it.
                await Task.Delay(wait, time).ConfigureAwait(false);
                result = await next.ContinueAsync([], CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception exception)
        {
            broker.ReportFault(exception, "authenticating " + request.RemoteEndPoint);
            result = AuthenticationResult.Refused(ReasonCode.UnspecifiedError, "the authenticator failed");
        }

        executor.Run(() => Admit(peer, query, proved, request, credentials, result, act, refuse));
    }

    private void Admit(
        Peer peer, TopicQuery query, PeerIdentity? proved, AuthenticationRequest request, string credentials, AuthenticationResult result,
        Action<CoapClient> act, Action<string>? refuse)
    {
        // Meanwhile the peer may have gone: nobody would forget a client that is entered now.
        if (peer.IsForgotten) return;
        TellVerdict(peer, query, proved, request, result);
        if (result.Reason != ReasonCode.Success)
        {
            Refuse(peer, query, result.Reason, result.Cause ?? "not let in", "credentials are needed, or are not good", refuse);
            return;
        }

        var subject = new AclSubject(result.UserName, request.ClientId, request.Listener, result.Method);
        LocalClient publisher = broker.OpenLocal($"coap/{request.ClientId}/{Interlocked.Increment(ref _clients)}", new LocalClientOptions
        {
            Identity = result,
            Network = request.Network,
            WaitsForStore = false,
        });
        var client = new CoapClient(Server!, executor, peer)
        {
            Credentials = credentials,
            Subject = subject,
            Identity = result,
            Publisher = publisher,
            Clients = clients,
            IsNamed = query.ClientId is not null || result.UserName is not null,
            ProvedName = proved?.UserName,
        };
        if (!clients.TryEnter(client))
        {
            client.Dispose();
            Refuse(peer, query, ReasonCode.NotAuthorized, "the client id belongs to another user", "the client id is another user's", refuse);
            return;
        }

        // After the new one has come, so that a client that only shows itself anew does not seem to leave.
        (peer.State as CoapClient)?.Dispose();
        peer.State = client;
        act(client);
    }

    private void TellVerdict(Peer peer, TopicQuery query, PeerIdentity? proved, AuthenticationRequest request, AuthenticationResult result)
    {
        bool isIn = result.Reason == ReasonCode.Success;
        if (!broker.Events.Wants(isIn ? EventKinds.AuthenticationSucceeded : EventKinds.AuthenticationFailed)) return;
        AuthenticationMethod shown = proved?.Psk is not null ? AuthenticationMethod.Psk
            : proved?.UserName is not null ? AuthenticationMethod.Certificate
            : query.UserName is not null || query.Password is not null ? AuthenticationMethod.Password : AuthenticationMethod.Anonymous;
        // Who shows nothing and comes in was not authenticated; and may not even be there.
        if (shown == AuthenticationMethod.Anonymous && isIn) return;
        AuthenticationMethod method = result.Method == AuthenticationMethod.Unknown || shown == AuthenticationMethod.Psk ? shown : result.Method;
        bool isSecure = peer.EndPoint.Association != 0;
        var client = new ClientDescription(
            ReservedIds.Coap + request.ClientId, isIn ? result.UserName : request.UserName ?? request.TransportIdentity, peer.At.ToString(),
            request.Listener, isSecure ? "dtls" : "udp", ProtocolVersion.V5, KeepAliveSeconds: 0)
        { OtherProtocol = isSecure ? "coaps" : "coap" };
        if (isIn) broker.Events.AuthenticationSucceeded(new AuthenticationSucceededEvent(client, method));
        else broker.Events.AuthenticationFailed(new AuthenticationFailedEvent(client, method, result.Reason, result.Cause));
    }

    private void Refuse(Peer peer, TopicQuery query, ReasonCode reason, string cause, string told, Action<string>? refuse)
    {
        broker.Events.ConnectRefused(new ConnectRefusedEvent(
            peer.At.ToString(), query.ClientId, reason, cause, settings.Current.Listener, query.UserName));
        refuse?.Invoke(told);
    }
}
