namespace EdgeBroker.Client;

/// <summary>What a client says who it is with.</summary>
/// <param name="UserName">User name, or null.</param>
/// <param name="Password">Password, or null.</param>
public sealed record ClientCredentials(string? UserName, byte[]? Password);
