using System.Security.Cryptography;
using EdgeBroker.Core;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Protocol.Scram;
using EdgeBroker.Security.Passwords;
using EdgeBroker.Security.Scram;
using EdgeBroker.Security.Tokens;
using EdgeBroker.Security.Verification;

namespace EdgeBroker.Security;

/// <summary>
/// Lets clients in by user name and password, or by a token in the password's place; whom the transport has identified, by that alone; and by nothing at all
/// where the listener allows it. What was verified before is answered at once; everything else waits for the <see cref="VerificationQueue"/>.
/// </summary>
public sealed class CredentialAuthenticator : IAuthenticator
{
    /// <summary>The method by which a client sends a token, at CONNECT and again before it expires.</summary>
    public const string TokenMethod = "JWT";

    // No names: a name has no control characters.
    private const string Tokens = "\u0001tokens";
    private const string Nobody = "\u0001nobody";

    // Where there is nobody, there is nothing to find out by the time an answer takes.
    private static readonly AuthenticationResult NobodyThere =
        AuthenticationResult.Refused(ReasonCode.BadUserNameOrPassword, "there are no users: the password file is empty or not configured");

    private readonly CredentialSources _sources;
    private readonly Replaceable<AclRuleSet> _rules;
    private readonly VerificationQueue _queue;
    private readonly VerificationCache _cache;
    private readonly AuthenticationCounters _counters;
    private readonly TimeProvider _time;
    private readonly ScramMethod? _scram;

    /// <param name="sources">Users and keys; for others, make another authenticator with the same queue and cache.</param>
    /// <param name="rules">What those who are let in may do.</param>
    /// <param name="queue">Where passwords and signatures are checked.</param>
    /// <param name="cache">What was verified before.</param>
    /// <param name="counters">What became of whom.</param>
    /// <param name="time">The clock.</param>
    public CredentialAuthenticator(
        CredentialSources sources,
        Replaceable<AclRuleSet> rules,
        VerificationQueue queue,
        VerificationCache cache,
        AuthenticationCounters counters,
        TimeProvider time)
    {
        _sources = sources;
        _rules = rules;
        _queue = queue;
        _cache = cache;
        _counters = counters;
        _time = time;
        if (sources.Users is { } users && new ScramMethod(users, cache, counters) is { IsOffered: true } scram) _scram = scram;
    }

    /// <inheritdoc/>
    public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation)
    {
        if (request.Method is not null) return ByMethod(request);
        if (request.TransportIdentity is { } name) return ValueTask.FromResult(AdmitIdentified(request, name));
        if (request.UserName is null && request.Password is null) return ValueTask.FromResult(AdmitAnonymous(request));
        byte[] secret = request.Password ?? [];
        ValueTask<AuthenticationResult> verdict = _sources.Tokens is not null && TokenVerifier.IsTokenLike(secret)
            ? CheckToken(request, secret, _sources.Tokens, _sources.TokenKeys!)
            : CheckPassword(request, secret);
        // Those that wait wipe it when their turn has come.
        if (verdict.IsCompleted) CryptographicOperations.ZeroMemory(secret);
        return verdict;
    }

    /// <inheritdoc/>
    public bool IsRemembered(AuthenticationRequest request)
    {
        if (request is not { Method: null, Password: { } secret }) return false;
        if (_sources.Tokens is not null && TokenVerifier.IsTokenLike(secret))
        {
            return secret.Length <= TokenOptions.MaxTokenBytes && _sources.TokenKeys!.Current is { } keys
                && _cache.Find(_cache.DigestOf("", secret, keys.Fingerprint)) is not null;
        }

        return secret.Length <= PasswordHash.MaxPasswordBytes && request.UserName is { } name && _sources.Users?.Find(name) is { } entry
            && _cache.Find(_cache.DigestOf(name, secret, entry.Hash.Text)) is not null;
    }

    /// <inheritdoc/>
    public string GuessedAt(AuthenticationRequest request, string? claimedName)
    {
        if (request.Method == TokenMethod) return Tokens;
        if (_sources.Tokens is not null && request.Password is { } secret && TokenVerifier.IsTokenLike(secret)) return Tokens;
        return claimedName is not null && _sources.Users?.Find(claimedName) is not null ? claimedName : Nobody;
    }

    /// <inheritdoc/>
    public AuthenticationResult Review(AuthenticationResult identity, AclSubject subject)
    {
        // Anonymous, or known by its transport: neither hangs on users or keys.
        if (identity.Credential is not Credential credential) return Admit(subject);
        if (credential.Entry is { } entry && _sources.Users?.Find(entry.UserName)?.Hash.Text != entry.Hash.Text)
        {
            return AuthenticationResult.Refused(ReasonCode.NotAuthorized, $"user \"{entry.UserName}\" was removed, or has another password now");
        }

        if (credential.Token is { } token)
        {
            string? objection = _sources.Tokens is { } verifier
                ? verifier.FindObjection(token, _sources.TokenKeys!.Current)
                : "tokens are not accepted any more";
            if (objection is not null) return AuthenticationResult.Refused(ReasonCode.NotAuthorized, objection);
        }

        return identity with { Permissions = _rules.Current.PermissionsFor(subject, credential.Token?.Rules) };
    }

    /// <summary>By the method the client asks for, and that alone: a password beside it is not looked at, and a certificate must name the same user.</summary>
    private ValueTask<AuthenticationResult> ByMethod(AuthenticationRequest request)
    {
        CryptographicOperations.ZeroMemory(request.Password);
        switch (request.Method)
        {
            case ScramSha256.Name when _scram is not null:
                return ValueTask.FromResult(
                    _scram.Begin(request, (entry, last) => Admit(request, entry, remembered: false) with { Reply = new AuthenticationReply(last, null) }));
            case TokenMethod when _sources.Tokens is not null:
                byte[] token = request.MethodData;
                bool isOne = token.Length <= TokenOptions.MaxTokenBytes && TokenVerifier.IsTokenLike(token);
                return isOne
                    ? CheckToken(request, token, _sources.Tokens, _sources.TokenKeys!)
                    : Refuse(AuthenticationResult.Refused(ReasonCode.NotAuthorized, "authentication data that is no token"));
            default:
                string[] offered = [.. _scram is null ? [] : new[] { ScramSha256.Name }, .. _sources.Tokens is null ? [] : new[] { TokenMethod }];
                string list = offered.Length == 0 ? "none" : string.Join(" and ", offered);
                return Refuse(
                    AuthenticationResult.Refused(ReasonCode.BadAuthenticationMethod, $"this authentication method is not offered here; offered: {list}"));
        }
    }

    /// <summary>Whoever has proved a name by a certificate is that user; what else it presents is not looked at.</summary>
    private AuthenticationResult AdmitIdentified(AuthenticationRequest request, string name)
    {
        CryptographicOperations.ZeroMemory(request.Password);
        _counters.CountAdmitted(remembered: true);
        return Admit(new AclSubject(name, request.ClientId, request.Listener, request.TransportMethod));
    }

    private AuthenticationResult AdmitAnonymous(AuthenticationRequest request)
    {
        if (!request.AnonymousAllowed)
        {
            return AuthenticationResult.Refused(ReasonCode.NotAuthorized, "no credentials, and the listener does not let anonymous clients in");
        }

        return Admit(new AclSubject(null, request.ClientId, request.Listener, AuthenticationMethod.Anonymous));
    }

    private AuthenticationResult Admit(AclSubject subject) =>
        AuthenticationResult.Admitted(subject.UserName, _rules.Current.PermissionsFor(subject), subject.Via);

    private ValueTask<AuthenticationResult> CheckPassword(AuthenticationRequest request, byte[] password)
    {
        string userName = request.UserName ?? "";
        PasswordFile? users = _sources.Users;
        if (users is null || users.Entries.Count == 0) return Refuse(NobodyThere);
        if (userName.Length > PasswordFile.MaxUserNameLength || password.Length > PasswordHash.MaxPasswordBytes)
        {
            return Refuse(AuthenticationResult.Refused(ReasonCode.BadUserNameOrPassword, "a user name or password longer than any here"));
        }

        // For a name that nobody has, somebody's hash is verified, always the same: the time an answer takes does not tell who exists.
        PasswordEntry? entry = users.Find(userName);
        PasswordEntry verified = entry ?? users.Entries[_cache.PickFor(userName, users.Entries.Count)];
        VerificationCache.Digest digest = _cache.DigestOf(userName, password, verified.Hash.Text);
        if (entry is not null && _cache.Find(digest) is not null) return ValueTask.FromResult(Admit(request, entry, remembered: true));
        return Enqueue(request, password.Length, PasswordHash.VerifyBytes, () =>
        {
            bool isRight = verified.Hash.Verify(password) & entry is not null;
            CryptographicOperations.ZeroMemory(password);
            if (!isRight)
            {
                _counters.CountRefused();
                return AuthenticationResult.Refused(
                    ReasonCode.BadUserNameOrPassword, entry is null ? $"there is no user \"{userName}\"" : $"wrong password for user \"{userName}\"");
            }

            _cache.Add(digest, entry!);
            return Admit(request, entry!, remembered: false);
        });
    }

    private ValueTask<AuthenticationResult> CheckToken(AuthenticationRequest request, byte[] token, TokenVerifier verifier, ITokenKeys source)
    {
        if (token.Length > TokenOptions.MaxTokenBytes)
        {
            return Refuse(
                AuthenticationResult.Refused(ReasonCode.BadUserNameOrPassword, $"a token of {token.Length} bytes, above {TokenOptions.MaxTokenBytes}"));
        }

        if (source.Current is not { } keys)
        {
            return Refuse(AuthenticationResult.Refused(ReasonCode.ServerUnavailable, "the keys that tokens are signed with have not been read yet"));
        }

        VerificationCache.Digest digest = _cache.DigestOf("", token, keys.Fingerprint);
        if (_cache.Find(digest) is TokenVerdict known && known.Expires > _time.GetUtcNow() && verifier.FindObjection(known, keys) is null)
        {
            return ValueTask.FromResult(Admit(request, known, remembered: true));
        }

        // Decoded and parsed it takes some four times its length.
        return Enqueue(request, token.Length, 4 * token.Length, () =>
        {
            TokenVerdict verdict = verifier.Verify(token, keys, out bool isKeyUnknown);
            CryptographicOperations.ZeroMemory(token);
            if (isKeyUnknown) source.AskForNewer();
            if (verdict.Refusal is not null)
            {
                _counters.CountRefused();
                return AuthenticationResult.Refused(ReasonCode.NotAuthorized, verdict.Refusal) with { Method = AuthenticationMethod.Jwt };
            }

            _cache.Add(digest, verdict);
            return Admit(request, verdict, remembered: false);
        });
    }

    private ValueTask<AuthenticationResult> Enqueue(AuthenticationRequest request, int secretBytes, int workBytes, Func<AuthenticationResult> verify)
    {
        // Names that nobody has share one place in the line of their address, and one turn.
        ClientNetwork source = request.Network.For(GuessedAt(request, request.UserName));
        if (_queue.TryEnqueue(source, new VerificationCost(secretBytes, workBytes), verify, out Task<AuthenticationResult> verdict))
        {
            return new ValueTask<AuthenticationResult>(verdict);
        }

        _counters.CountBusy();
        return ValueTask.FromResult(
            AuthenticationResult.Refused(ReasonCode.ServerBusy, "busy: too many passwords wait to be verified, of this address or in all"));
    }

    private ValueTask<AuthenticationResult> Refuse(AuthenticationResult refusal)
    {
        _counters.CountRefused();
        return ValueTask.FromResult(refusal);
    }

    private AuthenticationResult Admit(AuthenticationRequest request, PasswordEntry entry, bool remembered)
    {
        _counters.CountAdmitted(remembered);
        AuthenticationMethod method = request.Method is null ? AuthenticationMethod.Password : AuthenticationMethod.Scram;
        var subject = new AclSubject(entry.UserName, request.ClientId, request.Listener, method);
        return new AuthenticationResult(ReasonCode.Success, entry.UserName, _rules.Current.PermissionsFor(subject))
        {
            Credential = new Credential(entry, null),
            Method = method,
        };
    }

    private AuthenticationResult Admit(AuthenticationRequest request, TokenVerdict token, bool remembered)
    {
        if (request.TransportIdentity is { } named && named != token.UserName)
        {
            _counters.CountRefused();
            return AuthenticationResult.Refused(ReasonCode.NotAuthorized, $"the certificate names \"{named}\", and the token \"{token.UserName}\"");
        }

        _counters.CountAdmitted(remembered);
        var subject = new AclSubject(token.UserName, request.ClientId, request.Listener, AuthenticationMethod.Jwt);
        return new AuthenticationResult(ReasonCode.Success, token.UserName, _rules.Current.PermissionsFor(subject, token.Rules))
        {
            Credential = new Credential(null, token),
            Method = AuthenticationMethod.Jwt,
            ValidFor = token.Expires - _time.GetUtcNow(),
        };
    }

    /// <summary>What a client was let in by.</summary>
    /// <param name="Entry">Its line of the password file; null: it came with a token.</param>
    /// <param name="Token">What its token turned out to be; null: it came with a password.</param>
    private sealed record Credential(PasswordEntry? Entry, TokenVerdict? Token);
}
