namespace EdgeBroker.Storage.Schema;

/// <summary>What was found in a database's schema.</summary>
/// <param name="State">How it compares.</param>
/// <param name="Version">Its version, which is the file's <c>user_version</c>.</param>
/// <param name="Problem">What is not as it should be; null when nothing is.</param>
public readonly record struct SchemaVerdict(SchemaState State, long Version, string? Problem = null);
