using EdgeBroker.Core;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;

namespace EdgeBroker.Webhooks.Tests.Rig;

/// <summary>Lets whoever gives a user name in by a password, but for <c>mallory</c>; rules decide what they may do.</summary>
internal sealed class GuestBook(Replaceable<AclRuleSet> rules) : IAuthenticator
{
    public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation)
    {
        var subject = new AclSubject(request.UserName, request.ClientId, request.Listener);
        return ValueTask.FromResult(
            request.UserName == "mallory"
                ? AuthenticationResult.Refused(ReasonCode.BadUserNameOrPassword, "the password is wrong")
                : AuthenticationResult.Admitted(request.UserName, rules.Current.PermissionsFor(subject)));
    }
}
