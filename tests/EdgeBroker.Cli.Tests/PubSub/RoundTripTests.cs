using System.Diagnostics;
using System.Text.RegularExpressions;
using EdgeBroker.Testing;

namespace EdgeBroker.Cli.Tests.PubSub;

/// <summary>The verbs with a foreign broker, and foreign clients on the other side. Needs mosquitto; scripts/setup.sh installs it.</summary>
public sealed class RoundTripTests(MosquittoBroker broker) : IClassFixture<MosquittoBroker>
{
    [Theory]
    [InlineData("311", "0")]
    [InlineData("311", "1")]
    [InlineData("311", "2")]
    [InlineData("5", "0")]
    [InlineData("5", "1")]
    [InlineData("5", "2")]
    public async Task Lines_reach_mosquitto_sub(string version, string qos)
    {
        string topic = $"lines/{version}/{qos}";
        using MosquittoSub sub = await StartMosquittoSubAsync("-t", topic, "-q", qos, "-C", "5000");
        string input = string.Concat(Enumerable.Range(0, 5000).Select(i => $"line {i}\n"));
        Task<string> output = sub.ReadMessagesAsync();
        using CommandRun pub = CommandRun.Pub(input, Args("-t", topic, "-l", "-q", qos, "-V", version));
        Assert.Equal((0, ""), (await pub.ExitCodeAsync(), pub.Errors));
        Assert.Equal(input, await output.WaitAsync(CommandRun.Deadline));
    }

    [Fact]
    public async Task Properties_reach_mosquitto_sub()
    {
        using MosquittoSub sub = await StartMosquittoSubAsync("-t", "props", "-V", "5", "-C", "1", "-F", "%t|%p|%C|%D|%E|%F|%P|%R|%r");
        Task<string> output = sub.ReadMessagesAsync();
        using CommandRun pub = CommandRun.Pub("", [
            .. Args("-L", $"mqtt://user:word@127.0.0.1:{broker.Port}/props", "-m", "héllo", "-q", "1"),
            "-D", "PUBLISH", "content-type", "text/plain", "-D", "publish", "correlation-data", "c", "-D", "publish", "message-expiry-interval", "60",
            "-D", "publish", "payload-format-indicator", "1", "-D", "publish", "user-property", "k", "v", "-D", "publish", "response-topic", "r",
            "-D", "connect", "user-property", "a", "b", "-D", "disconnect", "session-expiry-interval", "0", "-x", "10", "-i", "props"]);
        Assert.Equal((0, ""), (await pub.ExitCodeAsync(), pub.Errors));
        Assert.Equal("props|héllo|text/plain|c|60|1|k:v|r|0\n", await output.WaitAsync(CommandRun.Deadline));
    }

    [Fact]
    public async Task Formats_are_those_of_mosquitto_sub()
    {
        const string Format = @"%t|%10t|%-10t|%.2t|%p|%x|%X|%l|%05l|%q|%r|%m|%C|%D|%E|%F|%P|%R|%S|%A|%%|@@|@Y|\t\\\e\a";
        using MosquittoSub theirs = await StartMosquittoSubAsync("-t", "format", "-V", "5", "-q", "1", "-C", "1", "-F", Format);
        Task<string> expected = theirs.ReadMessagesAsync();
        using CommandRun ours = await StartSubAsync("-t", "format", "-V", "5", "-q", "1", "-C", "1", "-F", Format);
        PublishWithMosquitto(
            "-t", "format", "-m", "{\"a\":1}", "-V", "5", "-q", "1", "-D", "publish", "user-property", "k", "v", "-D", "publish", "user-property", "k", "w",
            "-D", "publish", "content-type", "json", "-D", "publish", "correlation-data", "c", "-D", "publish", "message-expiry-interval", "60", "-D",
            "publish", "response-topic", "r");
        Assert.Equal(0, await ours.ExitCodeAsync());
        Assert.Equal(await expected.WaitAsync(CommandRun.Deadline), ours.Output);
    }

    [Fact]
    public async Task Json_has_mosquittos_names()
    {
        using MosquittoSub theirs = await StartMosquittoSubAsync("-t", "json", "-V", "5", "-q", "1", "-C", "1", "-F", "%j %J");
        Task<string> expected = theirs.ReadMessagesAsync();
        using CommandRun ours = await StartSubAsync("-t", "json", "-V", "5", "-q", "1", "-C", "1", "-F", "%j %J");
        PublishWithMosquitto(
            "-t", "json", "-m", "{\"a\":\"b\"}", "-V", "5", "-q", "1", "-D", "publish", "user-property", "k", "v", "-D", "publish", "content-type", "json",
            "-D", "publish", "correlation-data", "c", "-D", "publish", "payload-format-indicator", "1", "-D", "publish", "message-expiry-interval", "60", "-D",
            "publish", "response-topic", "r");
        Assert.Equal(0, await ours.ExitCodeAsync());
        static string WithoutTime(string json) => Regex.Replace(json, "\"tst\":\"[^\"]*\"", "");
        Assert.Equal(WithoutTime(await expected.WaitAsync(CommandRun.Deadline)), WithoutTime(ours.Output));
        Assert.Matches("\"tst\":\"\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}[+-]\\d{4}\"", ours.Output);
    }

    [Fact]
    public async Task Several_topics_are_filtered_and_unsubscribed_from()
    {
        using CommandRun sub = await StartSubAsync("-t", "many/a/#", "-t", "many/b", "-T", "many/a/no", "-v", "-N", "-C", "2");
        PublishWithMosquitto("-t", "many/a/no", "-m", "0");
        PublishWithMosquitto("-t", "many/a/yes", "-m", "1;");
        PublishWithMosquitto("-t", "many/b", "-m", "2;");
        Assert.Equal(0, await sub.ExitCodeAsync());
        Assert.Equal("many/a/yes 1;many/b 2;", sub.Output);
    }

    [Fact]
    public async Task Retained_messages_are_shown_hidden_and_removed()
    {
        foreach (string topic in new[] { "kept/1", "kept/2" })
        {
            using CommandRun pub = CommandRun.Pub("x", Args("-t", topic, "-s", "-r", "-q", "1"));
            Assert.Equal(0, await pub.ExitCodeAsync());
        }

        using CommandRun hidden = CommandRun.Sub(Args("-t", "kept/#", "-R", "-W", "0.5"));
        Assert.Equal((27, ""), (await hidden.ExitCodeAsync(), hidden.Output));
        using CommandRun removing = CommandRun.Sub(Args("-t", "kept/#", "--retained-only", "--remove-retained", "-C", "2", "-F", "%t %r"));
        Assert.Equal(0, await removing.ExitCodeAsync());
        Assert.Equal("kept/1 1\nkept/2 1\n", removing.Output);
        using CommandRun none = CommandRun.Sub(Args("-t", "kept/#", "-W", "0.5"));
        Assert.Equal((27, ""), (await none.ExitCodeAsync(), none.Output));
    }

    [Fact]
    public async Task A_kept_session_is_made_with_E_and_read_later()
    {
        string[] session = Args("-i", "kept-session", "-c", "-q", "1", "-V", "5", "-x", "∞");
        using CommandRun made = CommandRun.Sub([.. session, "-t", "later", "-E"]);
        Assert.Equal((0, ""), (await made.ExitCodeAsync(), made.Output));
        PublishWithMosquitto("-t", "later", "-m", "waited", "-q", "1");
        using CommandRun read = CommandRun.Sub([.. session, "-t", "later", "-C", "1"]);
        Assert.Equal((0, "waited\n"), (await read.ExitCodeAsync(), read.Output));
        using CommandRun left = CommandRun.Sub([.. session, "-U", "later"]);
        Assert.Equal(0, await left.ExitCodeAsync());
    }

    [Fact]
    public async Task A_signal_ends_sub_in_order()
    {
        using CommandRun watcher = await StartSubAsync("-t", "signal/will", "-C", "1");
        using CommandRun sub = await StartSubAsync("-t", "signal", "--will-topic", "signal/will", "--will-payload", "unwanted");
        sub.End();
        Assert.Equal(0, await sub.ExitCodeAsync());
        PublishWithMosquitto("-t", "signal/will", "-m", "wanted");
        Assert.Equal((0, "wanted\n"), (await watcher.ExitCodeAsync(), watcher.Output));
    }

    [Fact]
    public async Task Repeating_and_empty_messages_and_the_unix_socket_work()
    {
        using CommandRun sub = await StartSubAsync("-t", "repeat", "-F", "%l", "-C", "4");
        using CommandRun repeated =
            CommandRun.Pub("", "--unix", broker.SocketPath, "-t", "repeat", "-m", "abc", "--repeat", "3", "--repeat-delay", "0.01", "-q", "2");
        Assert.Equal(0, await repeated.ExitCodeAsync());
        using CommandRun empty = CommandRun.Pub("", Args("-t", "repeat", "-n"));
        Assert.Equal(0, await empty.ExitCodeAsync());
        Assert.Equal((0, "3\n3\n3\n0\n"), (await sub.ExitCodeAsync(), sub.Output));
    }

    [Fact]
    public async Task Over_WebSocket_they_talk_with_mosquitto()
    {
        string url = $"ws://127.0.0.1:{broker.WebSocketPort}/web";
        using CommandRun sub = CommandRun.Sub("-L", url, "-q", "2", "-C", "2", "-d", "-F", "%l %q");
        await sub.UntilErrorsContainAsync("received SUBACK");
        // Above what fits into one frame's short form, and into one read.
        using CommandRun large = CommandRun.Pub(
            new string('x', 300_000), "--ws", "--ws-path", "/any", "-h", "127.0.0.1", "-p", $"{broker.WebSocketPort}", "-t", "web", "-s", "-q", "2");
        Assert.Equal((0, ""), (await large.ExitCodeAsync(), large.Errors));
        using CommandRun small = CommandRun.Pub("", "-L", url, "-m", "x", "-q", "1", "-V", "5");
        Assert.Equal((0, ""), (await small.ExitCodeAsync(), small.Errors));
        Assert.Equal((0, "300000 2\n1 1\n"), (await sub.ExitCodeAsync(), sub.Output));
    }

    [Fact]
    public async Task WebSocket_at_the_wrong_port_is_said()
    {
        using CommandRun pub = CommandRun.Pub("", "-L", $"ws://127.0.0.1:{broker.Port}/t", "-m", "x");
        Assert.Equal(1, await pub.ExitCodeAsync());
        Assert.Contains($"ws://127.0.0.1:{broker.Port}/mqtt opens no WebSocket: ", pub.Errors, StringComparison.Ordinal);
    }

    private string[] Args(params string[] args) => ["-h", "127.0.0.1", "-p", $"{broker.Port}", .. args];

    private async Task<CommandRun> StartSubAsync(params string[] args)
    {
        CommandRun run = CommandRun.Sub([.. Args(args), "-d"]);
        await run.UntilErrorsContainAsync("received SUBACK");
        return run;
    }

    private async Task<MosquittoSub> StartMosquittoSubAsync(params string[] args)
    {
        string id = $"sub-{Guid.NewGuid():N}";
        var sub = new MosquittoSub(broker.StartClient("mosquitto_sub", [.. args, "-i", id]));
        await broker.UntilSubscribedAsync(id, CommandRun.Deadline);
        return sub;
    }

    private void PublishWithMosquitto(params string[] args)
    {
        using Process process = broker.StartClient("mosquitto_pub", args);
        Assert.True(process.WaitForExit(CommandRun.Deadline), "mosquitto_pub did not end");
        Assert.Equal(0, process.ExitCode);
    }

    private sealed record MosquittoSub(Process Process) : IDisposable
    {
        public Task<string> ReadMessagesAsync() => Process.StandardOutput.ReadToEndAsync();

        public void Dispose()
        {
            if (!Process.HasExited) Process.Kill();
            Process.Dispose();
        }
    }
}
