namespace EdgeBroker.Configuration;

/// <summary>Where a broker's configuration comes from, by which it is read again: the same file, environment and working directory as at the start.</summary>
internal sealed class ConfigurationSource(BrokerConfiguration initial, Func<string, string?> environment, string workingDirectory, TimeProvider time)
{
    // How a text is called that stands in no file.
    private const string NoFile = "broker.toml";

    private volatile BrokerConfiguration _current = initial;

    /// <summary>The file, as it was named at the start; null: the embedded default.</summary>
    public string? File { get; } = initial.File;

    /// <summary>The configuration in force.</summary>
    public BrokerConfiguration Current
    {
        get => _current;
        set => _current = value;
    }

    /// <summary>The full paths of the files it is read from: the file itself and its fragments, in order.</summary>
    public IEnumerable<string> Files()
    {
        if (File is null) return [];
        string full = Path.GetFullPath(File, workingDirectory);
        string fragments = Path.Combine(Path.GetDirectoryName(full) ?? "", "conf.d");
        return Directory.Exists(fragments) ? [full, .. Directory.GetFiles(fragments, "*.toml").Order(StringComparer.Ordinal)] : [full];
    }

    /// <summary>Reads the files as they are now; null when <paramref name="errors"/> has lines.</summary>
    /// <param name="errors">What is wrong with them, by line.</param>
    /// <param name="text">What would stand in the main file, where that is the question; null: what stands there.</param>
    public BrokerConfiguration? Read(out string[] errors, string? text = null) =>
        new ConfigurationLoader(environment, workingDirectory, time) { MainText = text }.Load(text is null ? File : File ?? NoFile, out errors);
}
