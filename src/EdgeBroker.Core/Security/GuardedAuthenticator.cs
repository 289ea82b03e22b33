using System.Security.Cryptography;
using EdgeBroker.Core.Limits;
using EdgeBroker.Protocol;
using EdgeBroker.Protocol.Scram;

namespace EdgeBroker.Core.Security;

/// <summary>
/// Puts the <see cref="LoginGuard"/> in front of an authenticator: where too many logins of a network failed, the next one is looked at later, or not at all;
/// and each that fails is noted.
/// </summary>
/// <param name="authenticator">Who decides.</param>
/// <param name="limits">The limits in force.</param>
public sealed class GuardedAuthenticator(IAuthenticator authenticator, BrokerLimits limits) : IAuthenticator
{
    /// <inheritdoc/>
    public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation)
    {
        if (!CanFail(request) || authenticator.IsRemembered(request)) return authenticator.AuthenticateAsync(request, cancellation);
        string guessedAt = authenticator.GuessedAt(request, ClaimedName(request));
        // A re-authentication is not made to wait: each failure costs the connection, and the next login waits.
        if (request.IsRenewal) return AskAsync(request, guessedAt, cancellation);
        switch (limits.Logins.AskWaitMs(request.Network, guessedAt))
        {
            case 0:
                return AskAsync(request, guessedAt, cancellation);
            case { } waitMs:
                limits.Report(LimitKind.AuthFailuresPerIp, LimitAction.Delayed, request.RemoteEndPoint);
                return ValueTask.FromResult(AuthenticationResult.Later(TimeSpan.FromMilliseconds(waitMs), new WaitingLogin(this, request, guessedAt)));
            default:
                limits.Count(LimitKind.AuthFailuresPerIp, LimitAction.Refused);
                Wipe(request);
                return ValueTask.FromResult(AuthenticationResult.Refused(
                    BrokerLimits.ReasonOf(LimitKind.AuthFailuresPerIp), limits.Describe(LimitKind.AuthFailuresPerIp) + " is reached"));
        }
    }

    /// <inheritdoc/>
    public AuthenticationResult Review(AuthenticationResult identity, AclSubject subject) => authenticator.Review(identity, subject);

    /// <inheritdoc/>
    public bool IsRemembered(AuthenticationRequest request) => authenticator.IsRemembered(request);

    /// <inheritdoc/>
    public string GuessedAt(AuthenticationRequest request, string? claimedName) => authenticator.GuessedAt(request, claimedName);

    // Who has proved its name otherwise, or shows nothing that could be guessed, is not a matter of guessing.
    private static bool CanFail(AuthenticationRequest request) =>
        request.TransportIdentity is null && (request.Method is not null || request.UserName is not null || request.Password is not null);

    // By a method it may say so there, and something else or nothing in CONNECT.
    private static string? ClaimedName(AuthenticationRequest request)
    {
        if (request.Method != ScramSha256.Name) return request.UserName;
        return ScramClientFirst.TryParse(request.MethodData, out ScramClientFirst first) == ScramOutcome.Right ? first.UserName : request.UserName;
    }

    private static void Wipe(AuthenticationRequest request)
    {
        CryptographicOperations.ZeroMemory(request.Password);
        CryptographicOperations.ZeroMemory(request.MethodData);
    }

    private ValueTask<AuthenticationResult> AskAsync(AuthenticationRequest request, string guessedAt, CancellationToken cancellation) =>
        Watch(authenticator.AuthenticateAsync(request, cancellation), request.Network, guessedAt);

    private ValueTask<AuthenticationResult> Watch(ValueTask<AuthenticationResult> pending, ClientNetwork network, string guessedAt) =>
        pending.IsCompletedSuccessfully
            ? ValueTask.FromResult(Noted(pending.GetAwaiter().GetResult(), network, guessedAt))
            : WatchAsync(pending, network, guessedAt);

    private async ValueTask<AuthenticationResult> WatchAsync(ValueTask<AuthenticationResult> pending, ClientNetwork network, string guessedAt) =>
        Noted(await pending.ConfigureAwait(false), network, guessedAt);

    private AuthenticationResult Noted(AuthenticationResult verdict, ClientNetwork network, string guessedAt)
    {
        if (verdict.Reason is ReasonCode.BadUserNameOrPassword or ReasonCode.NotAuthorized) limits.Logins.NoteFailure(network, guessedAt);
        if (verdict.Reply is not { Next: { } next } reply) return verdict;
        return verdict with { Reply = reply with { Next = new WatchedExchange(this, next, network, guessedAt) } };
    }

    /// <summary>A question to a client whose answer may be a failure.</summary>
    private sealed class WatchedExchange(GuardedAuthenticator guard, IAuthenticationExchange exchange, ClientNetwork network, string guessedAt)
        : IAuthenticationExchange
    {
        public ValueTask<AuthenticationResult> ContinueAsync(byte[] data, CancellationToken cancellation) =>
            guard.Watch(exchange.ContinueAsync(data, cancellation), network, guessedAt);

        public void Abandon() => exchange.Abandon();
    }

    /// <summary>A login that is looked at when its wait is over.</summary>
    private sealed class WaitingLogin(GuardedAuthenticator guard, AuthenticationRequest request, string guessedAt) : IAuthenticationExchange
    {
        public ValueTask<AuthenticationResult> ContinueAsync(byte[] data, CancellationToken cancellation) =>
            guard.AskAsync(request, guessedAt, cancellation);

        public void Abandon() => Wipe(request);
    }
}
