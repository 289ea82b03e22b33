namespace EdgeBroker.Configuration;

/// <summary>Where a secret is kept, which is never the configuration itself; one of the two is named.</summary>
/// <param name="File">A file, as written.</param>
/// <param name="Variable">An environment variable.</param>
/// <param name="Position">Where the name stands.</param>
internal sealed record SecretSource(string? File, string? Variable, SourcePosition Position);
