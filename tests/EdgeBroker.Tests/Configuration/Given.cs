using EdgeBroker.Configuration;
using EdgeBroker.Testing;

namespace EdgeBroker.Tests.Configuration;

/// <summary>Loads a broker.toml written to a directory of the test's own.</summary>
internal sealed class Given : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public Given(string? broker = null)
    {
        if (broker is not null) _directory.Write("broker.toml", broker);
    }

    public Dictionary<string, string> Environment { get; } = new(StringComparer.Ordinal);

    public string Directory => _directory.Path;

    /// <summary>Whether the machine has OpenSSL.</summary>
    public bool HasOpenSsl { get; set; } = true;

    public Given With(string file, string text)
    {
        _directory.Write(file, text);
        return this;
    }

    public Given WithEnvironment(string name, string value)
    {
        Environment[name] = value;
        return this;
    }

    public BrokerConfiguration? Load(string? file, out string[] errors) =>
        new ConfigurationLoader(name => Environment.GetValueOrDefault(name), Directory, hasOpenSsl: () => HasOpenSsl).Load(file, out errors);

    public BrokerConfiguration Valid(string? file = "broker.toml")
    {
        BrokerConfiguration? configuration = Load(file, out string[] errors);
        Assert.Empty(errors);
        return configuration!;
    }

    public string[] Errors(string file = "broker.toml")
    {
        Assert.Null(Load(file, out string[] errors));
        return errors;
    }

    public void Dispose() => _directory.Dispose();
}
