using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Security;

/// <summary>
/// Knows no users: lets clients in whom the transport has identified, and others where the listener allows anonymous ones, whatever name they give; nobody
/// elsewhere.
/// </summary>
/// <param name="rules">What they may do there; null: everything.</param>
public sealed class AnonymousAuthenticator(Replaceable<AclRuleSet>? rules = null) : IAuthenticator
{
    private static readonly AuthenticationResult Refusal = AuthenticationResult.Refused(
        ReasonCode.NotAuthorized, "the listener does not let anonymous clients in, and no users are configured");
    private static readonly AuthenticationResult UsersAreGone =
        AuthenticationResult.Refused(ReasonCode.NotAuthorized, "there are no users and no tokens any more");

    private static readonly AuthenticationResult NoMethods = AuthenticationResult.Refused(
        ReasonCode.BadAuthenticationMethod, "no authentication method is offered here: no users and no tokens are configured");

    /// <inheritdoc/>
    public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation) =>
        ValueTask.FromResult(
            request.Method is not null ? NoMethods
                : request.TransportIdentity is not null || request.AnonymousAllowed
                    ? Admit(new AclSubject(request.TransportIdentity, request.ClientId, request.Listener, MethodOf(request)))
                : Refusal);

    /// <inheritdoc/>
    public AuthenticationResult Review(AuthenticationResult identity, AclSubject subject) => identity.Credential is null ? Admit(subject) : UsersAreGone;

    private static AuthenticationMethod MethodOf(AuthenticationRequest request) =>
        request.TransportIdentity is null ? AuthenticationMethod.Anonymous : request.TransportMethod;

    private AuthenticationResult Admit(AclSubject subject) =>
        AuthenticationResult.Admitted(subject.UserName, rules is null ? Permissions.All : rules.Current.PermissionsFor(subject), subject.Via);
}
