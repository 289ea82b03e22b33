using EdgeBroker.Testing;

namespace EdgeBroker.Cli.Tests.PubSub;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("pub", "--retian -t a -m b", "did you mean --retain?")]
    [InlineData("pub", "-t a -m b -X", "there is no option -X")]
    [InlineData("pub", "-t a -m b -W -3", "-W -3: give seconds from 0 to 1000000")]
    [InlineData("pub", "-m b", "give a topic with -t")]
    [InlineData("pub", "-t a", "-m text")]
    [InlineData("pub", "-t a -m b -n", "only one of")]
    [InlineData("pub", "-t a/# -m b", "neither + nor #")]
    [InlineData("pub", "-t a -m b -q 3", "-q 3: give a whole number from 0 to 2")]
    [InlineData("pub", "-t a -m", "-m needs a value")]
    [InlineData("pub", "-t a -m b --ciphers x", "--ciphers is an option of mosquitto's clients that is not supported")]
    [InlineData("pub", "-t a -m b --capath /nonexistent/folder", "--capath /nonexistent/folder: there is no folder /nonexistent")]
    [InlineData("pub", "-t a -m b --capath /proc/sys/kernel", "there is no .pem, .crt or .cer file in it")]
    [InlineData("pub", "-t a -m b --ws-path /mqtt", "--ws-path goes with --ws")]
    [InlineData("pub", "-t a -m b --ws --ws-path mqtt", "a path begins with /")]
    [InlineData("pub", "-t a -m b --cafile /nowhere/ca.crt", "/nowhere/ca.crt does not exist")]
    [InlineData("pub", "-t a -m b --insecure", "TLS begins with --cafile FILE")]
    [InlineData("pub", "-t a -m b --tls-use-os-certs --cert x", "--cert and --key belong together")]
    [InlineData("pub", "-t a -m b --tls-version tlsv1.1", "give tlsv1.2 or tlsv1.3")]
    [InlineData("pub", "-L https://h/t -m b", "or mqtts:// for TLS")]
    [InlineData("pub", "-t a -m b -V mqttv31", "MQTT 3.1 is not supported")]
    [InlineData("pub", "-t a -m b -c", "give one with -i")]
    [InlineData("pub", "-t a -m b -V 311 -x 5", "leave out -V 311")]
    [InlineData("pub", "-t a -m b -V 311 --auth-method jwt -P x", "leave out -V 311")]
    [InlineData("pub", "-t a -m b --auth-method scram-sha-1 -u a -P b", "give scram-sha-256 or jwt")]
    [InlineData("pub", "-t a -m b --auth-method scram-sha-256 -u a", "it needs -u and -P")]
    [InlineData("sub", "-t a --auth-method SCRAM-SHA-256 -P b", "it needs -u and -P")]
    [InlineData("sub", "-t a --auth-method jwt", "it needs the token with -P")]
    [InlineData("sub", "-t a --auth-method jwt -P x -D connect authentication-method JWT", "is named once")]
    [InlineData("pub", "-t a -m b -D publish will-delay-interval 5", "belongs to will")]
    [InlineData("pub", "-t a -m b -D publish contenttype 5", "no such property")]
    [InlineData("pub", "-t a -m b -D publish payload-format-indicator 2", "from 0 to 1")]
    [InlineData("pub", "-t a -m b --will-qos 1", "needs --will-topic")]
    [InlineData("pub", "-t a -m b -q3", "-q 3: give a whole number from 0 to 2")]
    [InlineData("pub", "-t a -m b --qos=3", "--qos 3: give a whole number from 0 to 2")]
    [InlineData("pub", "-topic a -m b", "there is no option -topic; did you mean --topic?")]
    [InlineData("pub", "-t a -m b -nx", "there is no option -nx")]
    [InlineData("pub", "-t a -m b c", "unexpected \"c\"; only options are taken")]
    [InlineData("pub", "-t a -m b -D publish user-property name", "-D needs a value: PACKET NAME VALUE [VALUE]")]
    [InlineData("pub", "-t a -m b -Dpublish content-type x", "-D is followed by PACKET NAME VALUE [VALUE], each an argument of its own")]
    [InlineData("pub", "-t a -m b -P x --pw-file y", "give either -P or --pw-file")]
    [InlineData("pub", "-t a -L mqtt://h/b -m b", "give one topic, with -t or with -L")]
    [InlineData("sub", "-t a --json -v", "leave out -F and -v")]
    [InlineData("sub", "", "give at least one topic filter")]
    [InlineData("sub", "-t a#", "not a topic filter")]
    [InlineData("sub", "-t a -F %y", "there is no %y")]
    [InlineData("sub", "-t a -R --retained-only", "exclude each other")]
    public async Task A_wrong_command_line_is_64_and_says_what_to_write(string verb, string arguments, string expected)
    {
        string[] args = arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        using CommandRun run = verb == "pub" ? CommandRun.Pub("", args) : CommandRun.Sub(args);
        Assert.Equal(64, await run.ExitCodeAsync());
        Assert.Contains(expected, run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_is_on_standard_output()
    {
        using CommandRun pub = CommandRun.Pub("", "--help");
        using CommandRun sub = CommandRun.Sub("--help");
        Assert.Equal((0, 0), (await pub.ExitCodeAsync(), await sub.ExitCodeAsync()));
        Assert.Contains("--stdin-line", pub.Help, StringComparison.Ordinal);
        Assert.Contains("--filter-out", sub.Help, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unreadable_file_is_1_and_quiet_says_nothing()
    {
        using CommandRun run = CommandRun.Pub("", "-t", "a", "-f", "/nonexistent/file");
        Assert.Equal(1, await run.ExitCodeAsync());
        Assert.Contains("/nonexistent", run.Errors, StringComparison.Ordinal);
        using CommandRun quiet = CommandRun.Pub("", "-t", "a", "-f", "/nonexistent/file", "--quiet");
        Assert.Equal(1, await quiet.ExitCodeAsync());
        Assert.Empty(quiet.Errors);
    }

    [Theory]
    [InlineData("", "the file is empty")]
    [InlineData("\xC3\x28", "not UTF-8 text")]
    [InlineData(null, "there is no such file")]
    public async Task A_password_file_that_is_none_is_64(string? content, string said)
    {
        using var directory = new TemporaryDirectory();
        string file = Path.Combine(directory.Path, "password");
        if (content is not null) directory.Write("password", System.Text.Encoding.Latin1.GetBytes(content));
        using CommandRun run = CommandRun.Pub("", "-t", "a", "-m", "b", "-u", "anna", "--pw-file", file);
        Assert.Equal(64, await run.ExitCodeAsync());
        Assert.Contains($"--pw-file {file}: ", run.Errors, StringComparison.Ordinal);
        Assert.Contains(said, run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_listening_is_1()
    {
        using CommandRun run = CommandRun.Sub("-t", "a", "--unix", "/nonexistent/socket");
        Assert.Equal(1, await run.ExitCodeAsync());
        Assert.Contains("unix:/nonexistent/socket", run.Errors, StringComparison.Ordinal);
    }
}
