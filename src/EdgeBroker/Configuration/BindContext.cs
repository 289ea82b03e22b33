namespace EdgeBroker.Configuration;

/// <summary>What binding a table needs besides the table: where errors go, the environment, and the whole schema to give hints from.</summary>
internal sealed class BindContext(ConfigurationErrors errors, Func<string, string?> environment, TableSchema root)
{
    public ConfigurationErrors Errors { get; } = errors;

    public Func<string, string?> Environment { get; } = environment;

    /// <summary>The schema of the whole file, asked where a misplaced key would belong.</summary>
    public TableSchema Root { get; } = root;
}
