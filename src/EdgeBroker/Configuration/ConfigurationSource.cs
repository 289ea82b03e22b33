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

    /// <summary>Reads the files as they are now; null when <paramref name="errors"/> has lines.</summary>
    /// <param name="errors">What is wrong with them, by line.</param>
    /// <param name="text">What would stand in the main file, where that is the question; null: what stands there.</param>
    public BrokerConfiguration? Read(out string[] errors, string? text = null) => Read(out errors, out _, text);

    /// <summary>As <see cref="Read(out string[], string?)"/>.</summary>
    /// <param name="errors">What is wrong with them, by line.</param>
    /// <param name="tag">Names what was read, if that is asked for (<see cref="ConfigurationLoader.Tag"/>).</param>
    /// <param name="text">What would stand in the main file.</param>
    public BrokerConfiguration? Read(out string[] errors, out Func<string> tag, string? text = null)
    {
        var loader = new ConfigurationLoader(environment, workingDirectory, time) { MainText = text };
        tag = () => loader.Tag;
        return loader.Load(text is null ? File : File ?? NoFile, out errors);
    }
}
