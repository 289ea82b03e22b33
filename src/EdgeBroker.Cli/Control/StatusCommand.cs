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
        output.WriteLine($"  clients        {Of("sessions.connected")} connected (most {Of("sessions.connected.max")}), {Of("sessions")} sessions");
        output.WriteLine($"  subscriptions  {Of("subscriptions")}, shared {Of("subscriptions.shared")}");
        output.WriteLine($"  retained       {Of("retained")} messages, {Shown.Bytes(Of("retained.size"))}");
        output.WriteLine($"  messages       {Of("publishes.received")} received, {Of("publishes.sent")} sent, {Of("publishes.dropped")} dropped");
        if (status.States.TryGetValue("store/state", out string? store))
        {
            output.WriteLine(Printable.Escape($"  store          {store}, {Shown.Bytes(Of("store.size"))}; {Of("store.commits")} commits, {Budget()}"));
        }

        foreach (FindingAnswer finding in status.Findings)
        {
            output.WriteLine(Printable.Escape($"  {finding.Health,-13}  {finding.Part}: {finding.Detail}"));
        }

        long Of(string name) => Find(name) ?? 0;

        long? Find(string name) => status.Meters.FirstOrDefault(meter => meter.Name == "edgebroker." + name)?.Value;

        string Budget() => Find("store.commits.left") is not { } left ? "as many as are waited for"
            : Of("store.window") is > 0 and long ms ? $"budget spent: acknowledgements that need the disk take up to {ms} ms"
            : $"{left} left in the budget";
    }

    private static void ShowAll(StatusAnswer status, CommandContext context)
    {
        var table = new TextTable("NAME", ">VALUE", "UNIT");
        foreach (MeterAnswer meter in status.Meters)
        {
            string tags = meter.Tags is null ? "" : "{" + string.Join(",", meter.Tags.Select(tag => $"{tag.Key}={tag.Value}")) + "}";
            table.Add(meter.Name + tags, Shown.Number(meter.Value), meter.Unit);
        }

        foreach ((string name, string value) in status.States) table.Add(name, value, "");
        table.Write(context.Out);
    }
}
