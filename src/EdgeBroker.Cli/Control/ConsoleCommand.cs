using EdgeBroker.Cli.Options;

namespace EdgeBroker.Cli.Control;

/// <summary><c>edgebroker console</c>: a link that lets one browser in to the administration, once.</summary>
public static class ConsoleCommand
{
    public static Command Command { get; } = new()
    {
        Name = "console",
        Summary = "print a link that lets a browser in, once",
        Options = ControlOptions.Common,
        Remarks = "The link is good for 15 minutes, and for one login as an admin. " + ControlOptions.WhoMay,
        ExitCodes = "0 done, 1 no broker answers, or none of its listeners may be used so",
        ReadsConfiguration = true,
        Run = Run,
    };

    private static int Run(Arguments args, CommandContext context)
    {
        ConsoleAnswer answer = ControlOptions.Ask(args, context, new ControlRequest(ControlRequest.Console)).Console!;
        if (args.Has(SharedOptions.Json)) context.WriteJson(answer, ControlJson.Default.ConsoleAnswer);
        else context.Out.WriteLine($"{answer.Link} (once, {answer.ValidSeconds / 60} minutes)");
        return ExitCode.Success;
    }
}
