using System.Globalization;
using EdgeBroker.Http.Routing;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Http.Api;

/// <summary>The end of the log, and its level at run time.</summary>
internal sealed class LogEndpoints(IAdministration administration, TimeProvider time)
{
    private const HttpSurfaces Surfaces = HttpSurfaces.Api | HttpSurfaces.Console;
    private const long LongestSeconds = 86_400;

    private static readonly string[] Levels = ["debug", "info", "warning", "error", "critical"];

    public IEnumerable<HttpEndpoint> Make()
    {
        yield return new HttpEndpoint(Surfaces, "GET", "/api/v1/log", EndpointAccess.Viewer, List)
        {
            Summary = "The last lines of the log, the newest first",
            Query =
            [
                new("level", "this level and more severe ones"), new("area", "what of the broker wrote it"), new("q", "a part of the line"),
                    .. Lists.Parameters,
            ],
            Answers = ApiJson.Default.ListAnswerLogLine,
            IsList = true,
        };
        yield return new HttpEndpoint(Surfaces, "GET", "/api/v1/log/levels", EndpointAccess.Viewer, exchange =>
        {
            LogLevelAnswer level = administration.LogLevel;
            exchange.SetETag(level.Tag);
            return exchange.AnswerAsync(level, ApiJson.Default.LogLevelAnswer);
        })
        {
            Summary = "The least severe level that is written, in all and by area",
            Answers = ApiJson.Default.LogLevelAnswer,
        };
        yield return new HttpEndpoint(Surfaces, "PUT", "/api/v1/log/levels", EndpointAccess.Operator, ChangeAsync)
        {
            Summary = "Another level for the log or one of its areas, perhaps for a while; If-Match holds the ETag of the one that was seen",
            Takes = ApiJson.Default.LogLevelBody,
            Answers = ApiJson.Default.LogLevelAnswer,
            Action = "log.level",
        };
    }

    private Task List(Exchange exchange)
    {
        int least = Array.IndexOf(Levels, exchange.QueryWord("level", Levels) ?? "debug");
        string? area = exchange.Query("area"), text = exchange.Query("q");
        IEnumerable<LogLine> lines = administration.LogLines.Where(line => Array.IndexOf(Levels, line.Level) >= least
            && (area is null || line.Area.Contains(area, StringComparison.OrdinalIgnoreCase))
            && (text is null || line.Text.Contains(text, StringComparison.OrdinalIgnoreCase)));
        return Lists.AnswerAsync(
            exchange, Lists.PageOf(exchange, lines, line => line.Id.ToString(CultureInfo.InvariantCulture)), ApiJson.Default.ListAnswerLogLine,
                time.GetUtcNow());
    }

    private async Task ChangeAsync(Exchange exchange)
    {
        LogLevelBody body = await exchange.ReadJsonAsync(ApiJson.Default.LogLevelBody).ConfigureAwait(false);
        exchange.CheckIfMatch(administration.LogLevel.Tag, isNeeded: true);
        bool isDefault = body.Level == "default";
        if (!isDefault && !Levels.AsSpan(0, 4).Contains(body.Level))
        {
            throw new HttpProblem(ProblemKind.InvalidBody, "level is debug, info, warning, error or default");
        }

        if (body.UntilSeconds is < 1 or > LongestSeconds) throw new HttpProblem(ProblemKind.InvalidBody, $"until_seconds is 1 to {LongestSeconds}");
        exchange.AuditTarget = body.Area;
        exchange.AuditDetail = body.Level;
        TimeSpan? duration = body.UntilSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null;
        if (!administration.SetLogLevel(body.Area, isDefault ? null : body.Level, duration))
        {
            string areas = string.Join(", ", administration.LogLevel.Areas.Select(one => one.Area));
            throw new HttpProblem(ProblemKind.InvalidBody, $"the log has no area {Exchange.Short(body.Area ?? "")}; there are {areas}");
        }

        LogLevelAnswer level = administration.LogLevel;
        exchange.SetETag(level.Tag);
        await exchange.AnswerAsync(level, ApiJson.Default.LogLevelAnswer).ConfigureAwait(false);
    }
}
