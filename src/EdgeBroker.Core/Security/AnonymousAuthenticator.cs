using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Security;

/// <summary>Knows no users: lets clients in where the listener allows anonymous ones, whatever name they give, and nobody elsewhere.</summary>
public sealed class AnonymousAuthenticator : IAuthenticator
{
    private static readonly AuthenticationResult Anonymous = new(ReasonCode.Success, null, Permissions.All);
    private static readonly AuthenticationResult Refusal = AuthenticationResult.Refused(ReasonCode.NotAuthorized);

    public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation) =>
        ValueTask.FromResult(request.AnonymousAllowed ? Anonymous : Refusal);
}
