using EdgeBroker.Configuration;
using EdgeBroker.Testing;

namespace EdgeBroker.Tests.Configuration;

/// <summary>A text is read in place of the main file: what is wrong with it is said by its lines, and no file changes.</summary>
public sealed class SentTextTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void It_is_read_with_the_fragments_beside_the_file_and_kept_nowhere(bool hasFile)
    {
        const string Written = "[limits]\nmax_sessions = 5\n";
        string main = Path.Combine(_directory.Path, "broker.toml");
        if (hasFile) File.WriteAllText(main, Written);
        Directory.CreateDirectory(Path.Combine(_directory.Path, "conf.d"));
        File.WriteAllText(Path.Combine(_directory.Path, "conf.d", "a.toml"), "[node]\nname = \"by-fragment\"\n");
        var loader = new ConfigurationLoader(_ => null, _directory.Path);
        BrokerConfiguration configuration = loader.Load(hasFile ? "broker.toml" : null, out _)!;
        var source = new ConfigurationSource(configuration, _ => null, _directory.Path, TimeProvider.System);

        BrokerConfiguration read = source.Read(out string[] errors, "[limits]\nmax_sessions = 7\n")!;
        Assert.Empty(errors);
        Assert.Equal((7, "by-fragment"), (read.Limits.MaxSessions, read.Node.Name));
        Assert.Null(source.Read(out errors, "[limits]\nmax_sesions = 7\n"));
        Assert.StartsWith("broker.toml:2:1:", Assert.Single(errors), StringComparison.Ordinal);
        Assert.Equal(hasFile, File.Exists(main));
        if (hasFile) Assert.Equal(Written, File.ReadAllText(main));
        Assert.Equal(hasFile ? 5 : configuration.Limits.MaxSessions, source.Read(out _)!.Limits.MaxSessions);
    }
}
