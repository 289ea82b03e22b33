using EdgeBroker.Cli.Options;

namespace EdgeBroker.Cli.Control;

/// <summary><c>edgebroker reload</c>: has the running broker read its configuration again, and says what came of it.</summary>
public static class ReloadCommand
{
    // Reading files, reviewing clients: longer than a slow SD card needs.
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    public static Command Command { get; } = new()
    {
        Name = "reload",
        Summary = "have the running broker take its changed configuration",
        Options = ControlOptions.Common,
        Remarks = """
            Asks the broker with this data directory to read the configuration it was started with again:
            users, access rules, certificates, listeners, limits, log level. What is wrong with it is shown
            as FILE:LINE:COLUMN, and then nothing changes. Clients that are still allowed stay connected.
            The answer names what needs a restart. SIGHUP does the same; its answer is in the log. Without
            -c and --data-dir the data directory is that of the embedded default.
            """,
        ExitCodes = "0 applied, or nothing has changed, 1 no broker answers, or it could not apply it",
        ReadsConfiguration = true,
        Run = Run,
    };

    private static int Run(Arguments args, CommandContext context)
    {
        ControlAnswer answer = ControlOptions.Ask(args, context, new ControlRequest(ControlRequest.Reload), Timeout);
        ReloadAnswer reload = answer.Reload!;
        if (args.Has(SharedOptions.Json)) context.WriteJson(reload, ControlJson.Default.ReloadAnswer);
        else Show(reload, answer.ExitCode == ExitCode.Success ? context.Out : context.Error);
        return answer.ExitCode;
    }

    private static void Show(ReloadAnswer reload, TextWriter output)
    {
        foreach (string line in reload.Errors) output.WriteLine(Printable.Escape(line));
        output.WriteLine(Printable.Escape(reload.Summary));
        foreach (string line in reload.Applied) output.WriteLine($"  applied: {Printable.Escape(line)}");
        foreach (string line in reload.NeedsRestart) output.WriteLine($"  needs a restart: {Printable.Escape(line)}");
        foreach (string line in reload.Warnings) output.WriteLine($"warning: {Printable.Escape(line)}");
    }
}
