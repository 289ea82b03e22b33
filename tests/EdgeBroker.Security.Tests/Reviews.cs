using EdgeBroker.Core.Security;

namespace EdgeBroker.Security.Tests;

/// <summary>A review of the client the tests of this project let in.</summary>
internal static class Reviews
{
    public static AuthenticationResult Review(this IAuthenticator authenticator, AuthenticationResult identity) =>
        authenticator.Review(identity, new AclSubject(identity.UserName, "c", "127.0.0.1:1883"));
}
