using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;

namespace EdgeBroker.Storage.Tests.Journal;

/// <summary>Lets everyone in, under the name the test says.</summary>
internal sealed class NamingAuthenticator : IAuthenticator
{
    /// <summary>The user every client is from now on; null: anonymous.</summary>
    public string? UserName { get; set; }

    public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation) =>
        ValueTask.FromResult(new AuthenticationResult(ReasonCode.Success, UserName, Permissions.All));
}
