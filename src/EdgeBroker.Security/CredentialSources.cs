using EdgeBroker.Security.Passwords;
using EdgeBroker.Security.Tokens;

namespace EdgeBroker.Security;

/// <summary>What credentials are checked against.</summary>
/// <param name="Users">The password file; null: there is none.</param>
/// <param name="Tokens">What tokens must be; null: tokens are not accepted.</param>
/// <param name="TokenKeys">Their keys, where tokens are accepted.</param>
public sealed record CredentialSources(PasswordFile? Users, TokenVerifier? Tokens = null, ITokenKeys? TokenKeys = null);
