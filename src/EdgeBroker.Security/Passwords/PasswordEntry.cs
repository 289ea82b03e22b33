namespace EdgeBroker.Security.Passwords;

/// <summary>One user of a password file.</summary>
/// <param name="UserName">The name.</param>
/// <param name="Hash">The stored password.</param>
/// <param name="Line">Where it stands; the first line is 1.</param>
public sealed record PasswordEntry(string UserName, PasswordHash Hash, int Line);
