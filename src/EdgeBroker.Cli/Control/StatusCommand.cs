using EdgeBroker.Cli.Options;

namespace EdgeBroker.Cli.Control;

/// <summary><c>edgebroker status</c>: how the running broker is.</summary>
public static class StatusCommand
{
    private static readonly CommandOption All = CommandOption.Flag("--all", 'a', "every number the broker tells of itself");

    public static Command Command { get; } = new()
    {
        Name = "status",
        Summary = "say how the running broker is",
        Options = [All, .. ControlOptions.Common],
        Remarks = ControlOptions.WhoMay,
        ExitCodes = "0 all is well, or somebody should have a look, 1 no broker answers, or it cannot do what it promises",
        ReadsConfiguration = true,
        Run = Run,
    };

    private static int Run(Arguments args, CommandContext context)
    {
        ControlAnswer answer = ControlOptions.Ask(args, context, new ControlRequest(ControlRequest.Status));
        StatusAnswer status = answer.Status!;
        if (args.Has(SharedOptions.Json)) context.WriteJson(status, ControlJson.Default.StatusAnswer);
        else if (args.Has(All)) ShowAll(status, context);
        else Show(status, context.Out);
        return answer.ExitCode;
    }

    private static void Show(StatusAnswer status, TextWriter output)
    {
        string configuration = status.Configuration ?? "the embedded default";
        string process = status.ProcessId is { } id ? $", process {id}" : "";
        output.WriteLine(Printable.Escape(
            $"edgebroker {status.Version} on {status.Node}{process}, up {Shown.Duration(status.UptimeSeconds)}: {status.Health}"));
        if (status.DataDirectory is { } data) output.WriteLine(Printable.Escape($"  configuration  {configuration}, data in {data}"));
        foreach (string listener in status.Listeners) output.WriteLine(Printable.Escape($"  listening      {listener}"));
        output.WriteLine(
            $"  clients        {Of("mqtt.connections.current")} connected (most {Of("edgebroker.connections.max")}), "
                + $"{Of("mqtt.sessions.current")} sessions");
        output.WriteLine($"  subscriptions  {Of("mqtt.subscriptions.active", "false")}, shared {Of("mqtt.subscriptions.active", "true")}");
        output.WriteLine($"  retained       {Of("mqtt.retained.messages")} messages, {Shown.Bytes(Of("mqtt.retained.bytes"))}");
        output.WriteLine(
            $"  messages       {Of("mqtt.messages.received.total")} received, {Of("mqtt.messages.sent.total")} sent, "
                + $"{Of("mqtt.messages.dropped.total")} dropped");
        if (status.States.TryGetValue("store/state", out string? store))
        {
            output.WriteLine(
                Printable.Escape($"  store          {store}, {Shown.Bytes(Of("edgebroker.store.bytes"))}; "
                + $"{Of("edgebroker.journal.commits")} commits, {Budget()}"));
        }

        foreach (FindingAnswer finding in status.Findings)
        {
            output.WriteLine(Printable.Escape($"  {finding.Health,-13}  {finding.Part}: {finding.Detail}"));
        }

        // Numbers of one name are told apart by their tags.
        long Of(string name, string? tag = null) => Find(name, tag) ?? 0;

        long? Find(string name, string? tag = null)
        {
            MeterAnswer[] found = [.. status.Meters.Where(meter => meter.Name == name && (tag is null || meter.Tags?.Values.Contains(tag) == true))];
            return found.Length == 0 ? null : found.Sum(meter => meter.Value);
        }

        string Budget() => Find("edgebroker.journal.commits.left") is not { } left ? "as many as are waited for"
            : Of("edgebroker.journal.window") is > 0 and long ms ? $"budget spent: acknowledgements that need the disk take up to {ms} ms"
            : $"{left} left in the budget";
    }

    private static void ShowAll(StatusAnswer status, CommandContext context)
    {
        var table = new TextTable("NAME", "LABELS", ">VALUE", "UNIT");
        foreach (MeterAnswer meter in status.Meters)
        {
            string labels = meter.Tags is null ? "" : string.Join(",", meter.Tags.Select(tag => $"{tag.Key}={tag.Value}"));
            table.Add(meter.Name, labels, Shown.Number(meter.Value), meter.Unit);
        }

        foreach ((string name, string value) in status.States) table.Add(name, "", value, "");
        table.Write(context.Out);
    }
}
