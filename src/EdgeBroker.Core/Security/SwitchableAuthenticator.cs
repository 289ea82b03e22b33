namespace EdgeBroker.Core.Security;

/// <summary>Asks whichever authenticator is in force: one reference, replaced as a whole while clients connect.</summary>
/// <param name="authenticator">The one to begin with.</param>
public sealed class SwitchableAuthenticator(IAuthenticator authenticator) : IAuthenticator
{
    private volatile IAuthenticator _current = authenticator;

    /// <summary>The one that decides about the next client.</summary>
    public IAuthenticator Current
    {
        get => _current;
        set => _current = value;
    }

    /// <inheritdoc/>
    public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation) =>
        _current.AuthenticateAsync(request, cancellation);

    /// <inheritdoc/>
    public AuthenticationResult Review(AuthenticationResult identity, AclSubject subject) => _current.Review(identity, subject);
}
