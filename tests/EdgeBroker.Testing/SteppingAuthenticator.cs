using System.Text;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;

namespace EdgeBroker.Testing;

/// <summary>
/// Offers the method <see cref="Method"/>: the data of CONNECT name the user, the broker asks <c>why?</c>, and is content with <c>because</c>; <c>hm</c> has it
/// ask again, anything else is refused. Clients without a method come in as well, as nobody.
/// </summary>
public sealed class SteppingAuthenticator : IAuthenticator
{
    /// <summary>The method.</summary>
    public const string Method = "STEPS";

    /// <summary>What the broker asks.</summary>
    public static readonly byte[] Question = "why?"u8.ToArray();

    /// <summary>What it wants to hear.</summary>
    public static readonly byte[] Answer = "because"u8.ToArray();

    /// <summary>What it says at the end.</summary>
    public static readonly byte[] LastWord = "well"u8.ToArray();

    /// <summary>What each step waits for; null: it is answered at once.</summary>
    public Func<Task>? Wait { get; set; }

    /// <summary>How long the next verdict holds.</summary>
    public TimeSpan? ValidFor { get; set; }

    /// <summary>What the next user may do.</summary>
    public AclRuleSet Rules { get; set; } = AclRuleSet.Unrestricted;

    /// <summary>What a review makes of a verdict.</summary>
    public Func<AuthenticationResult, AuthenticationResult> Reviewing { get; set; } = verdict => verdict;

    /// <summary>Requests seen, in order.</summary>
    public List<AuthenticationRequest> Requests { get; } = [];

    /// <inheritdoc/>
    public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation)
    {
        lock (Requests) Requests.Add(request);
        if (request.Method is null) return ValueTask.FromResult(new AuthenticationResult(ReasonCode.Success, null, Permissions.All));
        return request.Method != Method
            ? ValueTask.FromResult(AuthenticationResult.Refused(ReasonCode.BadAuthenticationMethod, "only steps here"))
            : After(Ask(request));
    }

    /// <inheritdoc/>
    public AuthenticationResult Review(AuthenticationResult identity, AclSubject subject) => Reviewing(identity);

    private AuthenticationResult Ask(AuthenticationRequest request) => AuthenticationReply.Ask(Question, new Step(this, request));

    private ValueTask<AuthenticationResult> After(AuthenticationResult result) => Wait is { } wait ? Later(wait(), result) : ValueTask.FromResult(result);

    private static async ValueTask<AuthenticationResult> Later(Task wait, AuthenticationResult result)
    {
        await wait;
        return result;
    }

    private AuthenticationResult Judge(AuthenticationRequest request, string answer)
    {
        if (answer == "hm") return Ask(request);
        if (answer == "wrong password") return AuthenticationResult.Refused(ReasonCode.BadUserNameOrPassword, "a secret cause");
        if (answer != "because") return AuthenticationResult.Refused(ReasonCode.NotAuthorized, "a secret cause");
        string user = Encoding.UTF8.GetString(request.MethodData);
        return new AuthenticationResult(ReasonCode.Success, user, Rules.PermissionsFor(new AclSubject(user, request.ClientId, request.Listener)))
        {
            ValidFor = ValidFor,
            Reply = new AuthenticationReply(LastWord, null),
        };
    }

    private sealed class Step(SteppingAuthenticator authenticator, AuthenticationRequest request) : IAuthenticationExchange
    {
        public ValueTask<AuthenticationResult> ContinueAsync(byte[] data, CancellationToken cancellation) =>
            authenticator.After(authenticator.Judge(request, Encoding.UTF8.GetString(data)));
    }
}
