namespace EdgeBroker.Core.Security;

/// <summary>Asks whichever authenticator is in force, which may be replaced while clients connect.</summary>
/// <param name="authenticator">The one in force.</param>
public sealed class SwitchableAuthenticator(Replaceable<IAuthenticator> authenticator) : IAuthenticator
{
    /// <inheritdoc/>
    public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation) =>
        authenticator.Current.AuthenticateAsync(request, cancellation);

    /// <inheritdoc/>
    public AuthenticationResult Review(AuthenticationResult identity, AclSubject subject) => authenticator.Current.Review(identity, subject);

    /// <inheritdoc/>
    public bool IsRemembered(AuthenticationRequest request) => authenticator.Current.IsRemembered(request);

    /// <inheritdoc/>
    public string GuessedAt(AuthenticationRequest request, string? claimedName) => authenticator.Current.GuessedAt(request, claimedName);
}
