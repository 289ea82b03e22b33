using EdgeBroker.Logging;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Configuration.Schema;

/// <summary>The keys of <c>[log]</c>.</summary>
internal static class LogTable
{
    private static readonly ChoiceKind<LogLevel> Level = Kinds.Choice(
        ("debug", LogLevel.Debug), ("info", LogLevel.Information), ("warning", LogLevel.Warning), ("error", LogLevel.Error));

    private static readonly ChoiceKind<LogFormat> Format = Kinds.Choice(
        ("auto", LogFormat.Auto, "journald under systemd, else text"), ("text", LogFormat.Text, ""), ("json", LogFormat.Json, ""));

    public static readonly TableSchema<LogOptions> Schema = new TableSchema<LogOptions>("[log]")
        .Key("level", Level, o => o.Level, (o, v) => o with { Level = v }, Applies.AtOnce, "")
        .Key("format", Format, o => o.Format, (o, v) => o with { Format = v }, Applies.AfterRestart("whoever reads the log expects one form"), "");
}
