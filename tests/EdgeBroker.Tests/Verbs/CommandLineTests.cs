using EdgeBroker.Verbs;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Tests.Verbs;

/// <summary>From words on the command line to output and exit code. What <c>run</c> does once it has a configuration is tested elsewhere.</summary>
public sealed class CommandLineTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly StringWriter _out = new();
    private readonly StringWriter _error = new();

    public void Dispose()
    {
        _directory.Dispose();
        _out.Dispose();
        _error.Dispose();
    }

    [Theory]
    [InlineData("version")]
    [InlineData("--version")]
    [InlineData("-v")]
    [InlineData("-V")]
    public void Version(string argument)
    {
        Assert.Equal(0, Run(argument));
        Assert.Matches(@"^edgebroker \d+\.\d+\.\d+ \(linux-(x64|arm64), \.NET 10\.\d+\.\d+, SQLite 3\.\d+\.\d+\)", _out.ToString());
    }

    [Theory]
    [InlineData("help")]
    [InlineData("--help")]
    [InlineData("-h")]
    public void Help_lists_every_verb(string argument)
    {
        Assert.Equal(0, Run(argument));
        Assert.All(VerbTable.All, verb => Assert.Contains($"  {verb.Name} ", _out.ToString(), StringComparison.Ordinal));
        Assert.Empty(_error.ToString());
    }

    [Theory]
    [InlineData("help", "check")]
    [InlineData("check", "--help")]
    [InlineData("check", "-h")]
    [InlineData("check", "-c", "x", "--help")]
    public void Help_explains_a_verb(params string[] arguments)
    {
        Assert.Equal(0, Run(arguments));
        Assert.StartsWith("usage: edgebroker check [-c FILE]", _out.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_verb_has_help()
    {
        foreach (Verb verb in VerbTable.All)
        {
            Assert.Equal(0, Run("help", verb.Name));
            Assert.NotEmpty(verb.Summary);
        }
    }

    [Theory]
    [InlineData("edgebroker: unknown verb \"chekc\"; did you mean \"check\"?", "chekc")]
    [InlineData("edgebroker: unknown verb \"dance\"", "dance")]
    [InlineData("edgebroker: unknown verb \"x\\ny\"", "x\ny")]
    [InlineData("edgebroker: unknown verb \"hlep\"; did you mean \"help\"?", "help", "hlep")]
    [InlineData("edgebroker: help takes one verb", "help", "a", "b")]
    [InlineData("edgebroker: version takes no arguments", "version", "x")]
    [InlineData("edgebroker: unknown option \"--conf\"", "--conf", "x")]
    [InlineData("edgebroker: unknown option \"-x\"", "run", "-x")]
    [InlineData("edgebroker: -c needs a file", "check", "-c")]
    [InlineData("edgebroker: -c needs a file", "check", "-c", "")]
    [InlineData("edgebroker: -c needs a file", "check", "--config=")]
    [InlineData("edgebroker: --config needs a file", "check", "--config")]
    [InlineData("edgebroker: unexpected \"broker.toml\"; a configuration is named with -c FILE", "check", "broker.toml")]
    [InlineData("edgebroker: -c is given twice; what belongs together goes into conf.d beside the file", "check", "-c", "a", "-c", "b")]
    [InlineData("edgebroker: --data-dir needs a directory", "reload", "--data-dir")]
    [InlineData("edgebroker: --data-dir needs a directory", "reload", "--data-dir=")]
    [InlineData("edgebroker: --data-dir is given twice", "reload", "--data-dir", "a", "--data-dir=b")]
    [InlineData("edgebroker: --data-dir says it all; without it, -c FILE names a configuration", "reload", "--data-dir", "a", "-c", "b")]
    [InlineData("edgebroker: unexpected \"now\"; a configuration is named with -c FILE", "reload", "now")]
    public void Wrong_usage_is_64_and_says_what_is_wrong_first(string expected, params string[] arguments)
    {
        Assert.Equal(64, Run(arguments));
        string[] lines = _error.ToString().Split('\n');
        Assert.Equal(expected, lines[0]);
        Assert.StartsWith("usage: edgebroker", lines[1], StringComparison.Ordinal);
        Assert.Empty(_out.ToString());
    }

    [Theory]
    [InlineData("check", "-c", "broker.toml")]
    [InlineData("check", "--config", "broker.toml")]
    [InlineData("check", "--config=broker.toml")]
    [InlineData("run", "-c", "broker.toml")]
    [InlineData("-c", "broker.toml")]
    public void A_wrong_configuration_is_78_and_one_line_for_each_error(params string[] arguments)
    {
        _directory.Write("broker.toml", "[mqtt]\nmax_qos = 3\nretian = true\n");
        Assert.Equal(78, Run(arguments));
        Assert.Equal(
            "broker.toml:2:11: \"max_qos\" expects a whole number from 0 to 2; found 3\n"
            + "broker.toml:3:1: unknown key \"retian\" in [mqtt]; did you mean \"retain\"?\n", _error.ToString());
        Assert.Empty(_out.ToString());
    }

    [Theory]
    [InlineData("run", "-c", "broker.toml")]
    [InlineData("check", "-c", "broker.toml")]
    public void A_missing_file_is_78(params string[] arguments)
    {
        Assert.Equal(78, Run(arguments));
        Assert.Equal("broker.toml: no such file\n", _error.ToString());
    }

    [Fact]
    public void Reload_without_a_broker_is_1_and_says_where_it_looked_and_what_else_is_wrong()
    {
        _directory.Write("broker.toml", "[mqtt]\nmax_qos = 3\n[node]\ndata_dir = \"here\"\n");
        Assert.Equal(1, Run("reload", "-c", "broker.toml"));
        string[] lines = _error.ToString().Split('\n');
        Assert.Equal("broker.toml:2:11: \"max_qos\" expects a whole number from 0 to 2; found 3", lines[0]);
        Assert.StartsWith($"edgebroker: no broker answers: there is no {_directory.Path}/here/edgebroker.sock. Is it running, with this data directory?", lines[1], StringComparison.Ordinal);
        Assert.Equal(1, Run("reload", "--data-dir", "there"));
        Assert.Contains("/there/edgebroker.sock", _error.ToString(), StringComparison.Ordinal);
        Assert.Equal(78, Run("reload", "-c", "missing.toml"));
        Assert.Equal("missing.toml: no such file\n", _error.ToString());
    }

    [Fact]
    public void Check_says_what_would_happen_and_what_to_be_aware_of()
    {
        _directory.Write("broker.toml", """
            [node]
            data_dir = "/d"
            [[listener]]
            protocol = "mqtt"
            address = "127.0.0.1:1883"
            [[listener]]
            protocol = "mqtt"
            address = "0.0.0.0:1884"
            allow_anonymous = true
            max_connections = 5
            """);
        Assert.Equal(0, Run("check", "-c", "broker.toml"));
        Assert.Equal(
            "broker.toml is valid\n"
            + "  mqtt on 127.0.0.1:1883, anonymous clients allowed, at most 10000 connections\n"
            + "  mqtt on 0.0.0.0:1884, anonymous clients allowed, at most 5 connections\n"
            + "  data in /d\n"
            + "warning: broker.toml:9:19: anyone who reaches 0.0.0.0:1884 may connect, publish and subscribe: allow_anonymous is set and the address is "
            + "not loopback\n", _out.ToString());
    }

    [Fact]
    public void Check_without_a_file_describes_the_embedded_default()
    {
        _directory.Write("broker.toml", "not read");
        Assert.Equal(0, Run("check"));
        Assert.StartsWith("the embedded default is valid\n  mqtt on 127.0.0.1:1883, ", _out.ToString(), StringComparison.Ordinal);
    }

    private int Run(params string[] arguments)
    {
        _out.GetStringBuilder().Clear();
        _error.GetStringBuilder().Clear();
        return CommandLine.Run(arguments, new Surroundings
        {
            Out = _out,
            Error = _error,
            Log = Stream.Null,
            LogIsTerminal = false,
            Environment = _ => null,
            WorkingDirectory = _directory.Path,
            Time = new FakeTimeProvider(),
        });
    }
}
