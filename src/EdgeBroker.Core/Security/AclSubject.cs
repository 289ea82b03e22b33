namespace EdgeBroker.Core.Security;

/// <summary>Whom rules are about.</summary>
/// <param name="UserName">The name a client has proved to be its own; null: anonymous, which rules see as the empty name.</param>
/// <param name="ClientId">Its client id, which it chose itself.</param>
/// <param name="Listener">The address of the listener it came through, as configured.</param>
/// <param name="Via">What it has proved its name by: accounts of one name may be several people's.</param>
public sealed record AclSubject(string? UserName, string ClientId, string Listener, AuthenticationMethod Via = AuthenticationMethod.Unknown);
