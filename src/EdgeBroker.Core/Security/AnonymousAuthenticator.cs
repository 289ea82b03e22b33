using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Security;

/// <summary>Knows no users: lets clients in whom the transport has identified, and others where the listener allows anonymous ones, whatever name they give.</summary>
public sealed class AnonymousAuthenticator : IAuthenticator
{
    private static readonly AuthenticationResult Anonymous = new(ReasonCode.Success, null, Permissions.All);
    private static readonly AuthenticationResult Refusal = AuthenticationResult.Refused(ReasonCode.NotAuthorized);

    public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation) =>
        ValueTask.FromResult(request.TransportIdentity is { } name ? new AuthenticationResult(ReasonCode.Success, name, Permissions.All) : request.AnonymousAllowed ? Anonymous : Refusal);
}
