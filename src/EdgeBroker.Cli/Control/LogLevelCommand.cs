using EdgeBroker.Cli.Options;

namespace EdgeBroker.Cli.Control;

/// <summary><c>edgebroker log-level [AREA [LEVEL]]</c>: how much the running broker's log says.</summary>
public static class LogLevelCommand
{
    private const string Default = "default";
    private static readonly string[] Levels = ["debug", "info", "warning", "error", Default];

    private static readonly CommandOption For = CommandOption.Seconds("--for", null, "SECONDS", 1, 86_400, "after this time the level goes by itself");

    public static Command Command { get; } = new()
    {
        Name = "log-level",
        Summary = "show or change how much the running broker's log says",
        Operands = [new Operand("AREA", IsRequired: false), new Operand("LEVEL", IsRequired: false)],
        Options = [For, .. ControlOptions.Common],
        Remarks = """
            Without operands all areas are shown. AREA is one of them, or "all" for those that have no level of
            their own; LEVEL is debug, info, warning, error, or default, which takes the area's own level away.
            It is not kept over a restart: [log] in the configuration is.
            """ + "\n" + ControlOptions.WhoMay,
        ExitCodes = "0 done, 1 failed, or there is no such area",
        ReadsConfiguration = true,
        Run = Run,
    };

    private static int Run(Arguments args, CommandContext context)
    {
        string? area = args.Operands.Count > 0 ? args.Operands[0] : null;
        string? level = args.Operands.Count > 1 ? args.Operands[1] : null;
        if (level is not null && !Levels.Contains(level)) throw new UsageException($"LEVEL is one of {string.Join(", ", Levels)}");
        if (level is null && args.Has(For)) throw new UsageException("--for goes with AREA and LEVEL");
        var request = new ControlRequest(ControlRequest.LogLevel) { Area = area, Level = level, Seconds = (long?)args.Seconds(For)?.TotalSeconds };
        LogLevelsAnswer answer = ControlOptions.Ask(args, context, request).LogLevels!;
        if (args.Has(SharedOptions.Json))
        {
            context.WriteJson(answer, ControlJson.Default.LogLevelsAnswer);
            return ExitCode.Success;
        }

        var table = new TextTable("AREA", "LEVEL", "UNTIL");
        foreach (LogAreaAnswer one in answer.Areas)
        {
            string until = one.Until is { } end ? Shown.Duration((end - context.Time.GetUtcNow()).TotalSeconds) + " from now" : "";
            table.Add(one.Area, one.Level + (one.Own ? " (its own)" : ""), until);
        }

        table.Write(context.Out);
        return ExitCode.Success;
    }
}
