using EdgeBroker.Cli.Options;
using EdgeBroker.Cli.Remote;

namespace EdgeBroker.Cli.Control;

/// <summary><c>edgebroker health</c>: one line and an exit code, for containers and those who watch over machines.</summary>
public static class HealthCommand
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    private static readonly CommandOption Strict = CommandOption.Flag("--strict", null, "2 where somebody should have a look");

    public static Command Command { get; } = new()
    {
        Name = "health",
        Summary = "say in one line whether the running broker is well",
        Options = [Strict, .. ControlOptions.Common],
        Remarks = "Answers within 2 s. With --url it asks /ready, which needs no login. " + ControlOptions.WhoMay,
        ExitCodes = "0 it is, 1 it cannot do what it promises, or does not answer, 2 with --strict: a warning",
        ReadsConfiguration = true,
        Run = Run,
    };

    private static int Run(Arguments args, CommandContext context)
    {
        RemoteHealth health;
        try
        {
            health = Ask(args, context);
        }
        catch (CommandException exception) when (exception.ExitCode == ExitCode.Failed)
        {
            context.Out.WriteLine(Printable.Escape("failing: " + exception.Message));
            return ExitCode.Failed;
        }

        if (args.Has(SharedOptions.Json)) context.WriteJson(health, RemoteJson.Default.RemoteHealth);
        else Show(health, context.Out);
        return health.Status switch
        {
            "failing" => ExitCode.Failed,
            "warning" when args.Has(Strict) => 2,
            _ => ExitCode.Success,
        };
    }

    private static void Show(RemoteHealth health, TextWriter output)
    {
        string[] found = [.. (health.Parts ?? []).Where(part => part.Status == health.Status && part.Status != "good").Select(part =>
            $"{part.Part}: {part.Detail}")];
        output.WriteLine(Printable.Escape(found.Length == 0 ? health.Status : $"{health.Status}: {string.Join("; ", found)}"));
    }

    private static RemoteHealth Ask(Arguments args, CommandContext context)
    {
        if (args.Text(ControlOptions.Url) is not null)
        {
            using RemoteClient remote = ControlOptions.Remote(args, context, Timeout);
            return remote.Ready();
        }

        StatusAnswer status = ControlOptions.Ask(args, context, new ControlRequest(ControlRequest.Status), Timeout).Status!;
        return new RemoteHealth(status.Health, [.. status.Findings.Select(one => new RemotePart(one.Part, one.Health, one.Detail))]);
    }
}
