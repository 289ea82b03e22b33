using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Protocol.Scram;
using EdgeBroker.Security.Passwords;
using EdgeBroker.Security.Verification;

namespace EdgeBroker.Security.Scram;

/// <summary>
/// The method SCRAM-SHA-256: whoever knows a password proves it without sending it, and the broker proves that it knows what it keeps of it. A name that nobody
/// has, or that has no such credentials, is asked like any other and fails at the end. Costs a few digests: fit for a reactor.
/// </summary>
internal sealed class ScramMethod
{
    private readonly PasswordFile _users;
    private readonly VerificationCache _cache;
    private readonly AuthenticationCounters _counters;
    private readonly PasswordEntry[] _entries;

    public ScramMethod(PasswordFile users, VerificationCache cache, AuthenticationCounters counters)
    {
        _users = users;
        _cache = cache;
        _counters = counters;
        _entries = [.. users.Entries.Where(entry => entry.Hash is ScramHash)];
    }

    /// <summary>Whether anybody can be authenticated by it.</summary>
    public bool IsOffered => _entries.Length > 0;

    /// <summary>Answers a client's first message.</summary>
    /// <param name="request">The request.</param>
    /// <param name="admit">Lets a user in, with a last word to the client.</param>
    public AuthenticationResult Begin(AuthenticationRequest request, Func<PasswordEntry, byte[], AuthenticationResult> admit)
    {
        ScramOutcome outcome = ScramClientFirst.TryParse(request.MethodData, out ScramClientFirst first);
        if (outcome == ScramOutcome.Right && first.UserName.Length > PasswordFile.MaxUserNameLength) outcome = ScramOutcome.UserNameNotTaken;
        if (outcome != ScramOutcome.Right) return Refuse(outcome, "of an unknown user", userName: null);
        PasswordEntry? entry = _users.Find(first.UserName);
        // Made for everyone, so that the time it takes says nothing.
        ScramCredentials nobodys = NobodysCredentials(first.UserName);
        ScramCredentials credentials = (entry?.Hash as ScramHash)?.Credentials ?? nobodys;
        var exchange = new Exchange(this, new ScramServer(first, credentials, ScramSha256.NewNonce()), first.UserName, entry, request.TransportIdentity, admit);
        return AuthenticationReply.Ask(exchange.Question, exchange);
    }

    /// <summary>
    /// What is asked of a name without credentials: always the same salt for a name, and the iterations of somebody who has credentials. Nothing known proves
    /// its keys.
    /// </summary>
    private ScramCredentials NobodysCredentials(string userName)
    {
        ScramCredentials somebodys = ((ScramHash)_entries[_cache.PickFor(userName, _entries.Length)].Hash).Credentials;
        byte[] secret = [.. _cache.Derive(userName, "SCRAM 1"), .. _cache.Derive(userName, "SCRAM 2"), .. _cache.Derive(userName, "SCRAM 3")];
        return new ScramCredentials(somebodys.Iterations, secret[..somebodys.Salt.Length], secret[^ScramSha256.KeyBytes..], secret[^ScramSha256.KeyBytes..]);
    }

    private AuthenticationResult Refuse(ScramOutcome outcome, string who, string? userName)
    {
        _counters.CountRefused();
        AuthenticationResult refusal = outcome switch
        {
            ScramOutcome.Malformed => AuthenticationResult.Refused(ReasonCode.ProtocolError, "authentication data that is not a message of SCRAM-SHA-256"),
            ScramOutcome.UnknownExtension =>
                AuthenticationResult.Refused(ReasonCode.ProtocolError, "the client insists on an extension of SCRAM (\"m=\") that is not known here"),
            ScramOutcome.ChannelBinding => AuthenticationResult.Refused(
                ReasonCode.BadAuthenticationMethod,
                "the client binds the channel (\"p=\"), which belongs to SCRAM-SHA-256-PLUS and is not offered; expected \"n\" or \"y\""),
            ScramOutcome.OtherIdentity =>
                AuthenticationResult.Refused(ReasonCode.NotAuthorized, "the client wants to act as somebody else (\"a=\"), which nobody may"),
            ScramOutcome.UserNameNotTaken =>
                AuthenticationResult.Refused(ReasonCode.NotAuthorized, "a user name that SCRAM does not take: prohibited, or not in normal form"),
            ScramOutcome.OtherExchange => AuthenticationResult.Refused(ReasonCode.NotAuthorized, $"an answer {who} to another question than this broker's"),
            _ => AuthenticationResult.Refused(ReasonCode.NotAuthorized, who),
        };
        return refusal with { ClaimedUser = userName };
    }

    private sealed class Exchange(
        ScramMethod method, ScramServer server, string userName, PasswordEntry? entry, string? transportIdentity,
        Func<PasswordEntry, byte[], AuthenticationResult> admit)
        : IAuthenticationExchange
    {
        public byte[] Question => server.First;

        public ValueTask<AuthenticationResult> ContinueAsync(byte[] data, CancellationToken cancellation) => ValueTask.FromResult(Conclude(data));

        private AuthenticationResult Conclude(byte[] data)
        {
            ScramOutcome outcome = server.Finish(data, out byte[] last);
            if (outcome == ScramOutcome.WrongProof) return method.Refuse(outcome, WhyWrong(), userName);
            if (outcome != ScramOutcome.Right) return method.Refuse(outcome, $"of user \"{userName}\"", userName);
            // Cannot be: nothing proves the keys of nobody.
            if (entry?.Hash is not ScramHash) return method.Refuse(ScramOutcome.WrongProof, WhyWrong(), userName);
            if (transportIdentity is not null && transportIdentity != entry.UserName)
            {
                string cause = $"the certificate names \"{transportIdentity}\", and the password is user \"{entry.UserName}\"'s";
                return method.Refuse(ScramOutcome.WrongProof, cause, userName);
            }

            return admit(entry, last);
        }

        private string WhyWrong()
        {
            if (entry is null) return $"there is no user \"{userName}\"";
            return entry.Hash is ScramHash
                ? $"wrong password for user \"{userName}\""
                : $"user \"{userName}\" has no SCRAM credentials; `edgebroker passwd add --scram` makes them";
        }
    }
}
