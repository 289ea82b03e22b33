using System.Text;
using EdgeBroker.Core;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.AotSmoke.Tests;

/// <summary>The published executable from outside, without starting a broker.</summary>
public sealed class SurfaceTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("edgebroker-").FullName;

    public static TheoryData<string> Rids => new(PublishedBinary.Rids);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [MemberData(nameof(Rids))]
    public void The_executable_is_one_file(string rid)
    {
        string binary = PublishedBinary.Of(rid).Path;
        Assert.Equal([binary], Directory.GetFileSystemEntries(Path.GetDirectoryName(binary)!));
    }

    [Theory]
    [MemberData(nameof(Rids))]
    public void It_does_not_check_the_rule_about_locks_and_what_tests_run_does(string rid)
    {
        // As the executable and the assemblies hold literal strings.
        byte[] text = Encoding.Unicode.GetBytes("Lock rule:");
        Assert.Equal(-1, File.ReadAllBytes(PublishedBinary.Of(rid).Path).AsSpan().IndexOf(text));
        Assert.NotEqual(-1, File.ReadAllBytes(typeof(Broker).Assembly.Location).AsSpan().IndexOf(text));
    }

    [Theory]
    [MemberData(nameof(Rids))]
    public async Task It_names_its_version_and_platform(string rid)
    {
        (int exit, string said) = await Run(rid, "version");
        Assert.Equal(0, exit);
        Assert.Matches($@"^edgebroker \d+\.\d+\.\d+ \({rid}, \.NET 10\.", said);
    }

    [Theory]
    [MemberData(nameof(Rids))]
    public async Task It_finds_a_good_configuration_valid(string rid)
    {
        await File.WriteAllTextAsync(Path.Combine(_directory, "good.toml"), "[[listener]]\nprotocol = \"mqtt\"\naddress = \"127.0.0.1:1883\"\n");
        (int exit, string said) = await Run(rid, "check", "-c", "good.toml");
        Assert.Equal(0, exit);
        Assert.StartsWith("good.toml is valid\n", said, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Rids))]
    public async Task It_shows_every_error_of_a_bad_configuration(string rid)
    {
        await File.WriteAllTextAsync(Path.Combine(_directory, "bad.toml"), "[mqtt]\nmax_qos = 3\nretian = true\n[limits]\nconnect_timeout = 10s\n");
        (int exit, string said) = await Run(rid, "check", "-c", "bad.toml");
        Assert.Equal(78, exit);
        string[] lines = said.Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.Equal("bad.toml:2:11: \"max_qos\" expects a whole number from 0 to 2; found 3", lines[0]);
        Assert.Equal("bad.toml:3:1: unknown key \"retian\" in [mqtt]; did you mean \"retain\"?", lines[1]);
        Assert.StartsWith("bad.toml:5:", lines[2], StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Rids))]
    public async Task It_answers_wrong_usage_with_64(string rid)
    {
        (int exit, string said) = await Run(rid, "chekc");
        Assert.Equal(64, exit);
        Assert.StartsWith("edgebroker: there is no verb \"chekc\"; did you mean \"check\"?\nusage: ", said, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Rids))]
    public async Task It_does_not_start_on_a_missing_configuration(string rid)
    {
        (int exit, string said) = await Run(rid, "-c", "nowhere.toml");
        Assert.Equal(78, exit);
        Assert.Equal("nowhere.toml: no such file", said);
    }

    private async Task<(int Exit, string Said)> Run(string rid, params string[] arguments)
    {
        using ChildProcess process = PublishedBinary.Of(rid).Start(_directory, arguments);
        int exit = await process.ExitAsync();
        return (exit, process.Said);
    }
}
