using EdgeBroker.Cli.Options;
using EdgeBroker.Core.Management;

namespace EdgeBroker.Cli.Control;

/// <summary><c>edgebroker refusals</c>: who was refused what, and why.</summary>
public static class RefusalsCommand
{
    public static Command Command { get; } = new()
    {
        Name = "refusals",
        Summary = "say whom the running broker has refused what, and why",
        Options = ControlOptions.Common,
        Remarks = """
            Alike ones are counted together, the newest come first; the broker keeps 256 kinds. "acl test" tries
            a rule, "check" a configuration.
            """ + "\n" + ControlOptions.WhoMay,
        ReadsConfiguration = true,
        Run = Run,
    };

    private static int Run(Arguments args, CommandContext context)
    {
        RefusalsAnswer answer = ControlOptions.Ask(args, context, new ControlRequest(ControlRequest.Refusals)).Refusals!;
        if (args.Has(SharedOptions.Json))
        {
            context.WriteJson(answer, ControlJson.Default.RefusalsAnswer);
            return ExitCode.Success;
        }

        var table = new TextTable("AGO", ">TIMES", "WHAT", "WHO", "ABOUT", "WHY");
        DateTimeOffset now = context.Time.GetUtcNow();
        foreach (RefusalView one in answer.Refusals)
        {
            string who = string.Join(" at ", new[] { one.ClientId, one.Address }.OfType<string>());
            table.Add(Shown.Duration((now - one.LastAt).TotalSeconds), Shown.Number(one.Count), one.What, who, one.About,
                $"{one.Cause} (0x{one.ReasonCode:X2})");
        }

        table.Write(context.Out);
        if (answer.Refusals.Count == 0) context.Out.WriteLine("nobody has been refused anything");
        return ExitCode.Success;
    }
}
