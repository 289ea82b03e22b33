using System.Text.RegularExpressions;
using EdgeBroker.Configuration;
using EdgeBroker.Configuration.Schema;
using EdgeBroker.Core;
using EdgeBroker.Core.Limits;
using EdgeBroker.Storage;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Tests.Configuration;

/// <summary>What holds when nothing is said.</summary>
public sealed class DefaultTests
{
    [Fact]
    public void Without_a_file_the_embedded_default_holds_and_broker_toml_is_not_read()
    {
        using var given = new Given("[mqtt]\nmax_qos = 0\n");
        BrokerConfiguration configuration = given.Valid(file: null);
        Assert.Null(configuration.File);
        var listener = new ListenerSettings { Protocol = ListenerProtocol.Mqtt, Address = "127.0.0.1:1883", AllowAnonymous = true };
        Assert.Equal(listener, Assert.Single(configuration.Listeners));
        Assert.Equal(new MqttOptions(), configuration.Mqtt);
        Assert.Equal(new LogOptions(), configuration.Log);
        Assert.Equal(Environment.MachineName, configuration.Node.Name);
        Assert.Equal(Path.Combine(given.Directory, "edgebroker-data"), configuration.Node.DataDirectory);
        Assert.Empty(configuration.Warnings);
    }

    [Theory]
    [InlineData("/var/lib/edgebroker", "/var/lib/edgebroker")]
    [InlineData("/var/lib/a:/var/lib/b", "/var/lib/a")]
    public void Under_systemd_the_data_goes_to_the_state_directory(string variable, string expected)
    {
        using Given given = new Given().WithEnvironment("STATE_DIRECTORY", variable);
        Assert.Equal(expected, given.Valid(file: null).Node.DataDirectory);
    }

    [Fact]
    public void An_empty_file_is_the_default()
    {
        using var given = new Given("");
        Assert.Equal("127.0.0.1:1883", Assert.Single(given.Valid().Listeners).Address);
    }

    [Fact]
    public void Relative_paths_start_at_the_file()
    {
        using Given given = new Given().With("etc/broker.toml", "[node]\ndata_dir = \"data\"\n");
        Assert.Equal(Path.Combine(given.Directory, "etc/data"), given.Valid("etc/broker.toml").Node.DataDirectory);
    }

    [Fact]
    public void The_example_in_the_repository_shows_every_default()
    {
        // Its commented keys depend on the machine; all the others are set, to what holds without them.
        BrokerConfiguration? example = new ConfigurationLoader(_ => null, Repository.Root).Load("broker.toml", out string[] errors);
        Assert.Empty(errors);
        Assert.Equal(new MqttOptions(), example!.Mqtt);
        Assert.Equal(new LimitOptions(), example.Limits);
        Assert.Equal(new StorageOptions(), example.Storage);
        Assert.Equal(new LogOptions(), example.Log);
        var listener = new ListenerSettings { Protocol = ListenerProtocol.Mqtt, Address = "127.0.0.1:1883", AllowAnonymous = true };
        Assert.Equal(listener, Assert.Single(example.Listeners));
        string text = File.ReadAllText(Path.Combine(Repository.Root, "broker.toml"));
        AssertShows(BrokerSchema.File, text);
    }

    private static void AssertShows(TableSchema schema, string text)
    {
        string[] tables = [.. schema.Tables.Select(table => table.Title.Trim('[', ']').Split('.')[^1])];
        foreach (string key in schema.Names.Except(tables)) Assert.Matches($"\n#?{key} = ", text);
        foreach (TableSchema table in schema.Tables)
        {
            Assert.Matches($"\n#?{Regex.Escape(table.Title)}", text);
            AssertShows(table, text);
        }
    }

    public static TheoryData<string> Examples()
    {
        var files = new TheoryData<string>("broker.toml");
        foreach (string file in Directory.GetFiles(Path.Combine(Repository.Root, "configs"), "*.toml", SearchOption.AllDirectories))
        {
            files.Add(Path.GetRelativePath(Repository.Root, file));
        }

        return files;
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public void Every_example_in_the_repository_is_valid(string file)
    {
        Assert.NotNull(new ConfigurationLoader(_ => null, Repository.Root).Load(file, out string[] errors));
        Assert.Empty(errors);
    }
}
