using EdgeBroker.Cli.Options;
using EdgeBroker.Testing;
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

    [Fact]
    public void Version_for_a_program()
    {
        Assert.Equal(0, Run("version", "--json"));
        Assert.Matches(@"^\{""version"":""\d+\.\d+\.\d+"",""platform"":""linux-(x64|arm64)"",""dotnet"":""10\.[^""]+"",""sqlite"":""3\.[^""]+""\}\n$",
            _out.ToString());
    }

    [Theory]
    [InlineData("help")]
    [InlineData("--help")]
    [InlineData("-h")]
    public void Help_lists_every_verb(string argument)
    {
        Assert.Equal(0, Run(argument));
        Assert.All(VerbTable.All.Verbs, verb => Assert.Contains($"  {verb.Name} ", _out.ToString(), StringComparison.Ordinal));
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
        Assert.StartsWith("usage: edgebroker check [-c FILE] [--as USER] [--json]\n\nCheck a configuration", _out.ToString(), StringComparison.Ordinal);
        Assert.Contains("\n  -c, --config FILE          the broker's configuration;", _out.ToString(), StringComparison.Ordinal);
        Assert.EndsWith("\n\nExit codes: 0 valid, 1 failed, 64 wrong usage, 78 wrong configuration.\n", _out.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("help", "passwd", "add")]
    [InlineData("passwd", "add", "--help")]
    [InlineData("passwd", "add", "-h", "users", "anna")]
    public void Help_explains_a_command_of_a_verb(params string[] arguments)
    {
        Assert.Equal(0, Run(arguments));
        Assert.StartsWith("usage: edgebroker passwd add [OPTIONS] FILE USER\n", _out.ToString(), StringComparison.Ordinal);
        Assert.Contains("\nWhat is stored\n      --cost N ", _out.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_command_has_help_that_fits_a_terminal_and_names_each_option_once()
    {
        foreach (Command command in VerbTable.All.Verbs.SelectMany(verb => verb.Commands.Append(verb)))
        {
            Assert.Equal(0, Run(["help", .. command.Name.Split(' ')]));
            Assert.All(_out.ToString().Split('\n'), line => Assert.InRange(line.Length, 0, 100));
            Assert.NotEmpty(command.Summary);
            CommandOption[] options = [.. command.AllOptions];
            Assert.Equal(options.Length, options.Select(option => option.Name).Distinct().Count());
            Assert.Equal(options.Count(option => option.Letter is not null), options.Select(option => option.Letter).OfType<char>().Distinct().Count());
            Assert.All(options, option => Assert.Contains(option.Name, _out.ToString(), StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("edgebroker: there is no verb \"chekc\"; did you mean \"check\"?", "chekc")]
    [InlineData("edgebroker: there is no verb \"dance\"", "dance")]
    [InlineData("edgebroker: there is no verb \"x\\ny\"", "x\ny")]
    [InlineData("edgebroker: there is no verb \"hlep\"; did you mean \"help\"?", "help", "hlep")]
    [InlineData("edgebroker passwd: there is no command \"ad\"; did you mean \"add\"?; there are add, remove, list, verify, hash", "help", "passwd", "ad")]
    [InlineData("edgebroker check: there is no command \"now\"", "help", "check", "now")]
    [InlineData("edgebroker help: unexpected \"c\"; taken are [VERB] [COMMAND]", "help", "a", "b", "c")]
    [InlineData("edgebroker version: unexpected \"x\"; only options are taken", "version", "x")]
    [InlineData("edgebroker run: there is no option --conf; did you mean --config?", "--conf", "x")]
    [InlineData("edgebroker run: there is no option -x", "run", "-x")]
    [InlineData("edgebroker run: there is no option -x\\ny", "run", "-x\ny")]
    [InlineData("edgebroker check: -c needs a value: FILE", "check", "-c")]
    [InlineData("edgebroker check: -c \"\": give a FILE", "check", "-c", "")]
    [InlineData("edgebroker check: --config \"\": give a FILE", "check", "--config=")]
    [InlineData("edgebroker check: --config needs a value: FILE", "check", "--config")]
    [InlineData("edgebroker check: unexpected \"broker.toml\"; only options are taken", "check", "broker.toml")]
    [InlineData("edgebroker check: -c is given twice", "check", "-c", "a", "-c", "b")]
    [InlineData("edgebroker check: --json takes no value", "check", "--json=yes")]
    [InlineData("edgebroker check: there is no option -config; did you mean --config?", "check", "-config", "x")]
    [InlineData("edgebroker reload: --data-dir needs a value: DIR", "reload", "--data-dir")]
    [InlineData("edgebroker reload: --data-dir \"\": give a DIR", "reload", "--data-dir=")]
    [InlineData("edgebroker reload: --data-dir is given twice", "reload", "--data-dir", "a", "--data-dir=b")]
    [InlineData("edgebroker reload: --data-dir says where the broker is; leave out -c", "reload", "--data-dir", "a", "-c", "b")]
    [InlineData("edgebroker reload: unexpected \"now\"; only options are taken", "reload", "now")]
    public void Wrong_usage_is_64_and_says_what_is_wrong_first(string expected, params string[] arguments)
    {
        Assert.Equal(64, Run(arguments));
        string[] lines = _error.ToString().Split('\n');
        Assert.Equal(expected, lines[0]);
        Assert.StartsWith("usage: edgebroker", lines[1], StringComparison.Ordinal);
        Assert.Matches("^\"edgebroker.* (--help\" explains it|help\" lists the verbs)$", lines[2]);
        Assert.Empty(_out.ToString());
    }

    [Theory]
    [InlineData("check", "-c", "broker.toml")]
    [InlineData("check", "--config", "broker.toml")]
    [InlineData("check", "--config=broker.toml")]
    [InlineData("check", "-cbroker.toml")]
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
        string expected = $"edgebroker reload: no broker answers: there is no {_directory.Path}/here/edgebroker.sock. Is it running, with this data directory?";
        Assert.StartsWith(expected, lines[1], StringComparison.Ordinal);
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
    public void Check_tells_a_program_the_same()
    {
        _directory.Write("broker.toml", "[node]\ndata_dir = \"/d\"\n");
        Assert.Equal(0, Run("check", "--json", "-c", "broker.toml"));
        const string Listener = "mqtt on 127.0.0.1:1883, anonymous clients allowed, at most 10000 connections";
        Assert.Equal($$"""{"valid":true,"errors":[],"effects":["{{Listener}}","data in /d"],"warnings":[]}""" + "\n", _out.ToString());
        _directory.Write("broker.toml", "[mqtt]\nretian = true\n");
        Assert.Equal(78, Run("check", "--json", "-c", "broker.toml"));
        Assert.StartsWith("""{"valid":false,"errors":["broker.toml:2:1: unknown key """, _out.ToString(), StringComparison.Ordinal);
        Assert.Empty(_error.ToString());
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
        return VerbTable.All.Run(arguments, new CommandContext
        {
            Out = _out,
            Error = _error,
            WorkingDirectory = _directory.Path,
            Time = new FakeTimeProvider(),
            ReadSettings = ConfigurationFile.ReadSettings,
        });
    }
}
