using System.Text.Json;
using EdgeBroker.Cli.Options;
using EdgeBroker.Testing;

namespace EdgeBroker.Bench.Tests;

/// <summary>A broker that does wrong is found out, and the exit code says so.</summary>
public sealed class FaultyBrokerTests
{
    private const int Messages = 50;
    private static readonly CommandLine Verbs = new(BenchCommand.Command);

    [Theory]
    [InlineData("0", Fault.None, 0, 0, 0, 0)]
    [InlineData("1", Fault.None, 0, 0, 0, 0)]
    [InlineData("0", Fault.Lose, 0, 5, 0, 0)]
    [InlineData("1", Fault.Lose, 1, 5, 0, 0)]
    [InlineData("0", Fault.Repeat, 1, 0, 5, 0)]
    [InlineData("1", Fault.Repeat, 0, 0, 5, 0)]
    [InlineData("0", Fault.HoldBack, 1, 0, 0, 5)]
    [InlineData("1", Fault.HoldBack, 1, 0, 0, 5)]
    public async Task Every_tenth_message_is_treated_wrongly(string qos, object fault, int exit, int lost, int duplicated, int reordered)
    {
        using var broker = new FaultyBroker(message => message % 10 == 3 ? (Fault)fault : Fault.None);
        (int actual, string output, string errors) = await RunAsync(broker, ["-q", qos], json: true);
        Assert.Equal((exit, ""), (actual, errors));
        JsonElement json = JsonDocument.Parse(output).RootElement;
        Assert.Equal((Messages, lost, duplicated, reordered),
            (Number(json, "sent"), Number(json, "lost"), Number(json, "duplicated"), Number(json, "reordered")));
        Assert.Equal(exit == 0, json.GetProperty("ok").GetBoolean());
    }

    [Fact]
    public async Task A_changed_payload_is_corrupt_and_lost()
    {
        using var broker = new FaultyBroker(message => message == 7 ? Fault.Corrupt : Fault.None);
        (int exit, string output, _) = await RunAsync(broker);
        JsonElement json = JsonDocument.Parse(output).RootElement;
        Assert.Equal((1, 1, 1), (exit, Number(json, "corrupt"), Number(json, "lost")));
    }

    [Fact]
    public async Task A_lost_connection_is_a_failure()
    {
        using var broker = new FaultyBroker(message => message == 7 ? Fault.Disconnect : Fault.None);
        (int exit, string output, _) = await RunAsync(broker);
        Assert.Equal((1, 1), (exit, Number(JsonDocument.Parse(output).RootElement, "connections_lost")));
    }

    [Fact]
    public async Task A_person_is_told_as_well()
    {
        using var broker = new FaultyBroker(message => message == 7 ? Fault.Lose : Fault.None);
        (int exit, string output, _) = await RunAsync(broker, ["-q", "1"], json: false);
        Assert.Equal(1, exit);
        Assert.Contains("50 sent: 1 lost, 0 duplicated, 0 reordered", output, StringComparison.Ordinal);
        Assert.Contains("FAILED: this must not happen at QoS 1.", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_beside_the_load_that_waits_for_ever_is_a_failure()
    {
        using var broker = new FaultyBroker(_ => Fault.None) { LosesBeside = true };
        (int exit, string output, _) = await RunAsync(broker, "--beside", "2");
        JsonElement json = JsonDocument.Parse(output).RootElement;
        Assert.Equal((1, 2, 0), (exit, Number(json, "beside_missing"), Number(json, "lost")));
        Assert.False(json.GetProperty("ok").GetBoolean());
        using var another = new FaultyBroker(_ => Fault.None) { LosesBeside = true };
        (_, string text, _) = await RunAsync(another, ["--beside", "2"], json: false);
        Assert.Contains("FAILED: 2 client(s) beside the load did not get their message back.", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Round_trips_beside_the_load_are_counted()
    {
        using var broker = new MosquittoBroker();
        string[] arguments = ["pairs", "--publishers", "2", "--rate", "500", "--messages", "100", "--timeout", "20", "--beside", "3"];
        (int exit, string output, string errors) = await RunAsync($"{broker.Port}", [.. arguments, "--json"]);
        Assert.Equal((0, ""), (exit, errors));
        JsonElement json = JsonDocument.Parse(output).RootElement;
        Assert.Equal((100, 100, 3, 0), (Number(json, "sent"), Number(json, "received"), Number(json, "beside"), Number(json, "beside_missing")));
        Assert.True(Number(json, "beside_done") > 3);
        Assert.InRange(json.GetProperty("beside_p99_us").GetDouble(), json.GetProperty("beside_p50_us").GetDouble(),
            json.GetProperty("beside_max_us").GetDouble());
    }

    [Theory]
    [InlineData("311", "", 300)]
    [InlineData("5", "", 300)]
    [InlineData("5", "--retain", 0)]
    public async Task What_was_acknowledged_for_one_who_is_away_is_fetched_in_the_end(string version, string retain, long received)
    {
        using var broker = new MosquittoBroker();
        string[] more = retain.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        (int exit, string output, string errors) = await RunAsync(
            $"{broker.Port}", ["store", "-V", version, "--messages", "300", "--publishers", "2", "--timeout", "20", "--json", .. more]);
        Assert.Equal((0, ""), (exit, errors));
        JsonElement json = JsonDocument.Parse(output).RootElement;
        Assert.Equal((300, received, 0, 300), (Number(json, "sent"), Number(json, "received"), Number(json, "lost"), Number(json, "done")));
    }

    [Fact]
    public async Task Nobody_listening_is_said_in_a_sentence()
    {
        var broker = new FaultyBroker(_ => Fault.None);
        broker.Dispose();
        (int exit, _, string errors) = await RunAsync("1");
        Assert.Equal(1, exit);
        Assert.Equal("edgebroker bench: Connecting to 127.0.0.1:1: Connection refused.\n", errors);
    }

    [Fact]
    public async Task A_latency_counts_from_when_the_message_was_due()
    {
        using var broker = new MosquittoBroker();
        (int exit, string output, string errors) =
            await RunAsync($"{broker.Port}", "latency", "--publishers", "2", "--rate", "500", "--messages", "100", "--timeout", "20", "--json");
        Assert.Equal((0, ""), (exit, errors));
        JsonElement json = JsonDocument.Parse(output).RootElement;
        Assert.Equal("rate", json.GetProperty("limit").GetString());
        Assert.InRange(json.GetProperty("latency_max_us").GetDouble(), json.GetProperty("latency_p50_us").GetDouble(), 30e6);
        // The last of 100 messages is due after 99 intervals of 2 ms.
        Assert.InRange(json.GetProperty("seconds").GetDouble(), 0.19, 30);
    }

    private static Task<(int Exit, string Output, string Errors)> RunAsync(FaultyBroker broker, params string[] more) => RunAsync(broker, more, json: true);

    private static Task<(int Exit, string Output, string Errors)> RunAsync(FaultyBroker broker, string[] more, bool json) =>
        RunAsync($"{broker.Port}", new LoopTime(() => broker.IsDoneWith(Messages)), [
            "pairs", "--publishers", "1", "--messages", $"{Messages}", "--window", "10", "--batch", "5", .. json ? new[] { "--json" } : [], .. more]);

    private static Task<(int Exit, string Output, string Errors)> RunAsync(string port, params string[] arguments) =>
        RunAsync(port, TimeProvider.System, arguments);

    private static async Task<(int Exit, string Output, string Errors)> RunAsync(string port, TimeProvider time, string[] arguments)
    {
        string[] scenario = arguments.Length == 0 ? ["pairs"] : arguments;
        using var output = new StringWriter();
        using var errors = new StringWriter();
        var context = new CommandContext
        {
            Out = output,
            Error = errors,
            WorkingDirectory = "/",
            Time = time,
        };
        int exit = await Deadline.Within(
            // On a thread of its own: the faulty broker needs those of the pool.
            Task.Factory.StartNew(() => Verbs.Run(["bench", .. scenario, "-h", "127.0.0.1", "-p", port], context), TaskCreationOptions.LongRunning),
                "the run to end");
        return (exit, output.ToString(), errors.ToString());
    }

    private static long Number(JsonElement json, string name) => json.GetProperty(name).GetInt64();

    /// <summary>
    /// Time that passes only when the loop that waits looks at it, and not before the broker has nothing more to send: what has not come when the timeout ends
    /// does not come.
    /// </summary>
    private sealed class LoopTime(Func<bool> passes) : TimeProvider
    {
        private static readonly long Step = TimeSpan.FromMilliseconds(200).Ticks;

        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => passes() ? _ticks += Step : _ticks;
    }
}
