using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bench;

/// <summary>Shows a result: to a person, or as one line of flat JSON.</summary>
internal static class BenchReport
{
    private const string MoreAtOnce =
        " What comes in small pieces costs the broker more; with a larger --window and --batch it may deliver more per CPU-second.";

    private static readonly (string Name, double Part)[] Percentiles = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999)];

    /// <summary>A few lines of text.</summary>
    public static string Text(BenchResult result)
    {
        BenchOptions options = result.Options;
        bool connects = options.Scenario == Scenario.Connect;
        bool stores = options.Scenario == Scenario.Store;
        string unit = connects ? "connections" : "messages";
        string done = connects ? "connected" : stores ? "stored" : "delivered";
        var text = new StringBuilder();
        Line(text, Heading(options));
        Line(text, $"  {done,-11}{result.DonePerSecond,14:N0} {unit}/s ({result.Done:N0} in {result.Seconds:F2} s)");
        if (result.Broker is { } broker)
        {
            string perCpuSecond = result.DonePerBrokerCpuSecond is { } rate
                ? Invariant($"{rate,14:N0} {unit} per CPU-second")
                : "  too short to measure its CPU time";
            Line(text, $"  {"broker",-11}{perCpuSecond}; busy {result.BrokerBusy:P0}{Waited(broker)}; {broker.ResidentBytes / 1048576.0:F1} MB resident");
        }

        Line(text, $"  {"generator",-11}{result.GeneratorBusy,14:P0} busy{Waited(result.Generator)}");
        if (stores && result.WrittenBytesEach is { } written) Line(text, $"  {"disk",-11}{written,14:N0} bytes written for each message");
        if (result.BytesEach is { } each)
        {
            Line(text, $"  {"memory",-11}{each,14:N0} bytes of the broker for each {(connects ? "connection" : "retained message")}");
        }

        AppendTimes(text, "latency", result.Latency);
        if (result.Latency.Count > 0) Line(text, $"  {"",-11}of which the generator's own delay at most {Milliseconds(result.WorstLagNs)}");
        AppendTimes(text, "connecting", result.ConnectTime);
        if (options.Beside > 0)
        {
            Line(text, $"  {"beside",-11}{result.BesidePerSecond,14:N0} round trips/s of {options.Beside} client(s)");
            AppendTimes(text, "", result.BesideTimes);
        }

        if (result.Tally is { } tally)
        {
            Line(
                text,
                $"  {"messages",-11}{result.Sent,14:N0} sent: {tally.Lost:N0} lost, {tally.Duplicated:N0} duplicated, "
                + $"{tally.Reordered:N0} reordered{Rare(tally)}");
        }

        if (result.Broken > 0) Line(text, $"  {"",-11}{result.Broken:N0} connection(s) lost: {result.FirstBreak}");
        Line(text, $"  {Verdict(result)}");
        return text.ToString();
    }

    /// <summary>One line; durations in microseconds, memory in bytes.</summary>
    public static string Json(BenchResult result)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            WriteOptions(json, result.Options);
            WriteRates(json, result);
            WriteTimes(json, "latency", result.Latency);
            if (result.Latency.Count > 0) WriteRounded(json, "generator_lag_max_us", result.WorstLagNs / 1e3);
            WriteTimes(json, "connect", result.ConnectTime);
            if (result.Options.Beside > 0) WriteBeside(json, result);
            if (result.Tally is { } tally) WriteTally(json, result.Sent, tally);
            json.WriteNumber("connections_lost", result.Broken);
            json.WriteString("limit", result.Limit);
            json.WriteBoolean("ok", !result.IsFailure);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static string Heading(BenchOptions options)
    {
        string clients = options.Scenario switch
        {
            Scenario.Connect => Invariant($"{options.Connections} connections{(options.SubscribeEach ? " with a subscription each" : "")}"),
            Scenario.Retain =>
                Invariant($"{options.Retained} retained messages, {options.Subscribers} subscriber(s), QoS {(int)options.QoS}, {options.PayloadBytes} bytes"),
            Scenario.Store => Invariant(
                $"{options.Publishers} publisher(s), {options.Window} on their way, {(options.RetainEach ? "retained" : "for one who is away")}, ")
                + Invariant($"QoS {(int)options.QoS}, {options.PayloadBytes} bytes"),
            _ => Invariant($"{options.Publishers} publisher(s), {options.Subscribers} subscriber(s), QoS {(int)options.QoS}, {options.PayloadBytes} bytes"),
        };
        string filters = options.Scenario == Scenario.Wild ? Invariant($", {options.Filters} filters on {options.Topics} topics") : "";
        string rate = options.IsClosedLoop ? "" : Invariant($", {options.RatePerSecond:N0} messages/s");
        string version = options.Version == ProtocolVersion.V5 ? "MQTT 5.0" : "MQTT 3.1.1";
        return $"{BenchArguments.NameOf(options.Scenario)}: {clients}{filters}{rate}, "
            + $"{version}{(options.WithProperties ? " with properties" : "")}{(options.WithAliases ? " with aliases" : "")}, {options.Address}";
    }

    private static string Verdict(BenchResult result)
    {
        string pace = result.Limit switch
        {
            "broker" => "The broker was the limit.",
            "generator" when result.Broker is null =>
                "The generator was the limit: the broker may be faster. With --broker-pid it can be told how busy the broker was.",
            "generator" => "The generator was the limit: the broker had time left." + MoreAtOnce,
            "both" => "Broker and generator were both at their limit." + MoreAtOnce,
            "rate" => "",
            "unknown" => "The generator had time left.",
            _ => "Neither broker nor generator was busy all the time: they waited for each other, or for a core.",
        };
        if (result.BesideMissing > 0) return $"FAILED: {result.BesideMissing:N0} client(s) beside the load did not get their message back. {pace}";
        return result.IsFailure ? $"FAILED: this must not happen at QoS {(int)result.Options.QoS}. {pace}" : pace;
    }

    private static void AppendTimes(StringBuilder text, string name, LatencyHistogram times)
    {
        if (times.Count == 0) return;
        string parts = string.Join(", ", Percentiles.Select(one => Invariant($"{one.Part * 100}% {Milliseconds(times.PercentileNs(one.Part))}")));
        Line(text, $"  {name,-11}{parts}, max {Milliseconds(times.MaxNs)}");
    }

    private static string Waited(ProcessUsage usage) => usage.WaitSeconds >= 0.01 ? Invariant($" ({usage.WaitSeconds:F2} s of it waiting for a core)") : "";

    private static string Rare(DeliveryTally tally) =>
        tally.Misrouted + tally.Corrupt + tally.Refused == 0
            ? ""
            : Invariant($", {tally.Misrouted:N0} misrouted, {tally.Corrupt:N0} corrupt, {tally.Refused:N0} refused");

    private static string Milliseconds(long ns) => Invariant($"{ns / 1e6:F3} ms");

    private static void WriteOptions(Utf8JsonWriter json, BenchOptions options)
    {
        json.WriteString("scenario", BenchArguments.NameOf(options.Scenario));
        json.WriteString("version", options.Version == ProtocolVersion.V5 ? "5" : "311");
        json.WriteNumber("qos", (int)options.QoS);
        json.WriteNumber("payload_bytes", options.PayloadBytes);
        if (options.Scenario == Scenario.Connect)
        {
            json.WriteNumber("connections", options.Connections);
            json.WriteBoolean("subscribe", options.SubscribeEach);
            return;
        }

        json.WriteNumber("publishers", options.Publishers);
        json.WriteNumber("subscribers", options.Subscribers);
        json.WriteNumber("window", options.Window);
        json.WriteNumber("batch", options.Batch);
        json.WriteNumber("rate_per_s", options.RatePerSecond);
        json.WriteBoolean("properties", options.WithProperties);
        json.WriteBoolean("aliases", options.WithAliases);
    }

    private static void WriteRates(Utf8JsonWriter json, BenchResult result)
    {
        WriteRounded(json, "seconds", result.Seconds);
        json.WriteNumber("done", result.Done);
        WriteRounded(json, "per_s", result.DonePerSecond);
        WriteRounded(json, "generator_cpu_s", result.Generator.CpuSeconds);
        WriteRounded(json, "generator_wait_s", result.Generator.WaitSeconds);
        WriteRounded(json, "generator_busy", result.GeneratorBusy);
        if (result.Broker is not { } broker) return;
        if (result.DonePerBrokerCpuSecond is { } perCpu) WriteRounded(json, "per_broker_cpu_s", perCpu);
        WriteRounded(json, "broker_cpu_s", broker.CpuSeconds);
        WriteRounded(json, "broker_wait_s", broker.WaitSeconds);
        WriteRounded(json, "broker_busy", result.BrokerBusy!.Value);
        json.WriteNumber("broker_rss_before", result.ResidentBytesBefore);
        json.WriteNumber("broker_rss", broker.ResidentBytes);
        if (result.WrittenBytesEach is { } written) WriteRounded(json, "broker_written_each", written);
        if (result.BytesEach is { } each) WriteRounded(json, "broker_bytes_each", each);
    }

    private static void WriteTimes(Utf8JsonWriter json, string name, LatencyHistogram times)
    {
        if (times.Count == 0) return;
        foreach ((string percentile, double part) in Percentiles) WriteRounded(json, $"{name}_{percentile}_us", times.PercentileNs(part) / 1e3);
        WriteRounded(json, $"{name}_max_us", times.MaxNs / 1e3);
    }

    private static void WriteBeside(Utf8JsonWriter json, BenchResult result)
    {
        json.WriteNumber("beside", result.Options.Beside);
        json.WriteNumber("beside_done", result.BesideTimes.Count);
        WriteRounded(json, "beside_per_s", result.BesidePerSecond);
        json.WriteNumber("beside_missing", result.BesideMissing);
        WriteTimes(json, "beside", result.BesideTimes);
    }

    private static void WriteTally(Utf8JsonWriter json, long sent, DeliveryTally tally)
    {
        json.WriteNumber("sent", sent);
        json.WriteNumber("expected", tally.Expected);
        json.WriteNumber("received", tally.Received);
        json.WriteNumber("lost", tally.Lost);
        json.WriteNumber("duplicated", tally.Duplicated);
        json.WriteNumber("reordered", tally.Reordered);
        json.WriteNumber("misrouted", tally.Misrouted);
        json.WriteNumber("corrupt", tally.Corrupt);
        json.WriteNumber("refused", tally.Refused);
    }

    private static void WriteRounded(Utf8JsonWriter json, string name, double value) => json.WriteNumber(name, Math.Round(value, 3));

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static void Line(StringBuilder text, string line) => text.Append(line.TrimEnd()).Append('\n');
}
