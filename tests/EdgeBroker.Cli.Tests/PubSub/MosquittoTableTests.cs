using System.Diagnostics;
using EdgeBroker.Testing;

namespace EdgeBroker.Cli.Tests.PubSub;

/// <summary>
/// <c>pub</c> and <c>sub</c> beside Debian's mosquitto_pub and mosquitto_sub, option by option, with the same broker: exit code, output, and what is published.
/// The one difference wanted: a wrong command line is 64, where theirs is 1. Needs mosquitto-clients; scripts/setup.sh installs them.
/// </summary>
public sealed class MosquittoTableTests(MosquittoBroker broker) : IClassFixture<MosquittoBroker>
{
    private const int WrongUsage = 64;
    private const string Kept = "%t|%p|%q|%r|%l";

    /// <summary>Arguments behind "-t TOPIC -r", and standard input. HOST:PORT of -L is the broker's.</summary>
    public static TheoryData<string, string> Publishes => new()
    {
        { "-m text", "" },
        { "-m text -q 1", "" },
        { "-m text -q 2", "" },
        { "-m text -V 5 -q 1", "" },
        { "-m text -V mqttv311", "" },
        { "-m text -V mqttv5 -D publish user-property a b", "" },
        { "-m text -V 5 -D publish content-type text/plain -D publish message-expiry-interval 60", "" },
        { "-m text -V 5 -x 10 -c -i kept-session", "" },
        { "-n", "" },
        { "-f FILE", "" },
        { "-f /nonexistent/file", "" },
        { "-s", "all\nof it\n" },
        { "-s", "" },
        { "-l", "one\ntwo\n" },
        { "-l", "one\ntwo without an end" },
        { "-l", "" },
        { "-l -q 1", "one\ntwo\nthree\n" },
        { "-m text --repeat 3 --repeat-delay 0.01", "" },
        { "-m text -i an-id", "" },
        { "-m text -I prefix", "" },
        { "-m text -k 10 --nodelay", "" },
        { "-m text -u anna -P secret", "" },
        { "-m text --will-topic will --will-payload gone --will-qos 1 --will-retain", "" },
        { "-m text -M 5 -q 1", "" },
        { "-m text -A 127.0.0.1", "" },
        { "-m text -h localhost", "" },
        { "-m text --quiet", "" },
        { "-m text -p 1", "" },
        { "-m text -h nowhere.invalid", "" },
        { "-m text -q 3", "" },
        { "-m text -q", "" },
        { "-m text -V 9", "" },
        { "-m text -n", "" },
        { "-m text -f FILE", "" },
        { "-m text -t a/#", "" },
        { "-m text --no-such-option", "" },
        { "-m text --cert x", "" },
        { "-m text --will-payload gone", "" },
        { "-m text -k 100000", "" },
        { "-m text --cafile /nonexistent/ca.crt", "" },
        { "", "" },
    };

    /// <summary>Arguments of a subscription to three retained values under "table/".</summary>
    public static TheoryData<string> Subscriptions =>
    [
        "-t table/+ -C 3", "-t table/+ -C 3 -v", "-t table/a -t table/b -C 2 -v", "-t table/a -C 1 -N", "-t table/+ -C 3 -F %t:%p:%l:%q:%r:%x",
        "-t table/a -C 1 -F %10t|%-10t|%.3t|%%|@@", "-t table/+ -T table/b -C 2 -v", "-t table/+ -R -W 1", "-t table/+ --retained-only -C 3",
        "-t table/none -W 1", "-t table/+ -E", "-t table/a -q 1 -C 1 -v", "-t table/a -q 2 -C 1 -V 5", "-t table/a -V 5 -C 1 --retain-as-published -F %r",
        "-t table/a -C 1 -i sub-id", "-t table/a -C 1 -I sub-prefix", "-t table/a -C 1 -c -i sub-kept", "-t table/a -C 1 -k 10", "-t table/a -C 1 -u a -P b",
        "-t table/a -C 1 --will-topic w --will-payload x", "-t table/a -p 1 -C 1", "-t table/a -h nowhere.invalid -C 1", "-t table/#/b -C 1", "-t table/a -C 0",
        "-t table/a -q 3", "-t table/a --no-such-option", "-t table/a -W -1", "-t table/a -R --retained-only", "",
    ];

    [Theory]
    [MemberData(nameof(Publishes))]
    public async Task Pub_does_as_mosquitto_pub(string arguments, string input)
    {
        using var directory = new TemporaryDirectory();
        directory.Write("file", "of a file\n");
        string[] args = Split(arguments.Replace("FILE", Path.Combine(directory.Path, "file"), StringComparison.Ordinal));
        string topic = "pub/" + Guid.NewGuid().ToString("N");
        (int Exit, string Output) theirs = Run("mosquitto_pub", input, WithBroker(args, ["-t", topic + "/x", "-r"]));
        using CommandRun ours = CommandRun.Pub(input, WithBroker(args, ["-t", topic + "/y", "-r"]));
        AssertSame(theirs.Exit, await ours.ExitCodeAsync(), ours.Errors);
        Assert.Empty(ours.Output);
        Assert.Equal(ValueOf(topic + "/x").Replace("/x", "/y", StringComparison.Ordinal), ValueOf(topic + "/y"));
    }

    [Theory]
    [MemberData(nameof(Subscriptions))]
    public async Task Sub_does_as_mosquitto_sub(string arguments)
    {
        foreach ((string topic, string text) in (IEnumerable<(string, string)>)[("table/a", "1"), ("table/b", "two"), ("table/c", "\u00E4 {}")])
        {
            Assert.Equal(0, Run("mosquitto_pub", "", WithBroker([], ["-t", topic, "-m", text, "-r", "-q", "1"])).Exit);
        }

        string[] args = Split(arguments);
        (int Exit, string Output) theirs = Run("mosquitto_sub", "", WithBroker(args, []));
        using CommandRun ours = CommandRun.Sub(WithBroker(args, []));
        AssertSame(theirs.Exit, await ours.ExitCodeAsync(), ours.Errors);
        if (theirs.Exit != 1) Assert.Equal(theirs.Output, ours.Output);
    }

    [Fact]
    public async Task An_empty_payload_is_shown_as_mosquitto_sub_shows_it()
    {
        using CommandRun ours = CommandRun.Sub(WithBroker(["-t", "empty", "-v", "-C", "1", "-d"], []));
        await ours.UntilErrorsContainAsync("received SUBACK");
        Assert.Equal(0, Run("mosquitto_pub", "", WithBroker(["-t", "empty", "-n"], [])).Exit);
        Assert.Equal(0, await ours.ExitCodeAsync());
        Assert.Equal("empty (null)\n", ours.Output);
        Assert.Contains("received PUBLISH empty, QoS 0, payload 0 bytes", ours.Errors, StringComparison.Ordinal);
    }

    private static void AssertSame(int theirs, int ours, string said) =>
        Assert.True(ours == theirs || (theirs == 1 && ours == WrongUsage), $"{theirs} with mosquitto, {ours} here: {said}");

    private static string[] Split(string arguments) => arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    // What a row says itself comes last, and holds.
    private string[] WithBroker(string[] args, string[] before) => ["-h", "127.0.0.1", "-p", broker.Port.ToString(null, null), .. before, .. args];

    private string ValueOf(string topic) => Run("mosquitto_sub", "", WithBroker([], ["-t", topic, "-C", "1", "-W", "1", "-F", Kept])).Output;

    private static (int Exit, string Output) Run(string program, string input, string[] args)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, args)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        process.ErrorDataReceived += (_, _) =>
        {
        };
        process.BeginErrorReadLine();
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output);
    }
}
