using System.Globalization;
using System.Text;
using EdgeBroker.Http.Routing;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Http.Api;

/// <summary>The configuration, its reload, and the audit. The API reads, checks and reloads; what stands in files is written by people.</summary>
internal sealed class AdminEndpoints(HttpSite site, IAdministration administration, TimeProvider time)
{
    private const HttpSurfaces Surfaces = HttpSurfaces.Api | HttpSurfaces.Console;

    private int _isReloading;

    public IEnumerable<HttpEndpoint> Make()
    {
        yield return new HttpEndpoint(Surfaces, "GET", "/api/v1/config", EndpointAccess.Admin, exchange => exchange.AnswerAsync(
            Encoding.UTF8.GetBytes(administration.Configuration), "application/json"))
        {
            Summary = "The configuration in force, each value with where it was set; secrets are shown by their place",
            AnswersType = "application/json",
            IsAudited = true,
            Action = "config.read",
        };
        yield return new HttpEndpoint(Surfaces, "POST", "/api/v1/config/check", EndpointAccess.Admin, CheckAsync)
        {
            Summary = "What is wrong with the configuration's files, or a text in place of the main one, and what would change; the ETag names the files",
            Takes = ApiJson.Default.ConfigCheckBody,
            Answers = ApiJson.Default.ConfigCheckAnswer,
            Action = "config.check",
        };
        yield return new HttpEndpoint(Surfaces, "GET", "/api/v1/config/changes", EndpointAccess.Admin, exchange => exchange.AnswerAsync(
            [.. administration.Reloads], ApiJson.Default.ReloadEntryArray))
        {
            Summary = "The last reloads, whoever asked for them, the newest first",
            Answers = ApiJson.Default.ReloadEntryArray,
        };
        yield return new HttpEndpoint(Surfaces, "POST", "/api/v1/reload", EndpointAccess.Admin, ReloadAsync)
        {
            Summary = "Put the configuration's files in force; with If-Match, only those that were checked",
            Query = [new("dry_run", "only say what it would do", "boolean")],
            Answers = ApiJson.Default.ReloadResult,
            Action = "reload",
        };
        yield return new HttpEndpoint(Surfaces, "GET", "/api/v1/audit", EndpointAccess.Admin, exchange => Lists.AnswerAsync(
            exchange, Lists.PageOf(exchange, site.Audit.ToList(), entry => entry.RequestId), ApiJson.Default.ListAnswerAuditEntry, time.GetUtcNow()))
        {
            Summary = "Administrative actions, done or refused, the newest first",
            Query = Lists.Parameters,
            Answers = ApiJson.Default.ListAnswerAuditEntry,
            IsList = true,
        };
    }

    /// <summary>The errors of a configuration one by one, for programs.</summary>
    public static IReadOnlyList<ProblemError> ErrorsOf(IReadOnlyList<string> lines) => [.. lines.Select(Parse)];

    private static ProblemError Parse(string line)
    {
        string[] parts = line.Split(':', 4);
        return parts.Length == 4 && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int row)
            && int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out int column)
            ? new ProblemError { File = parts[0], Line = row, Column = column, Message = parts[3].Trim() }
            : new ProblemError { Message = line };
    }

    private async Task CheckAsync(Exchange exchange)
    {
        bool isSent = exchange.Context.Request is not { ContentLength: null or 0, ContentType: null };
        string? toml = isSent ? (await exchange.ReadJsonAsync(ApiJson.Default.ConfigCheckBody).ConfigureAwait(false)).Toml : null;
        ConfigCheckAnswer check = administration.Check(toml, out string tag);
        if (toml is null) exchange.SetETag(tag);
        else exchange.AuditDetail = "a text that was sent";
        await exchange.AnswerAsync(check, ApiJson.Default.ConfigCheckAnswer).ConfigureAwait(false);
    }

    private async Task ReloadAsync(Exchange exchange)
    {
        if (Interlocked.Exchange(ref _isReloading, 1) == 1) throw new HttpProblem(ProblemKind.ReloadRunning, "a reload is running; its answer tells");
        try
        {
            if (exchange.QueryFlag("dry_run"))
            {
                ConfigCheckAnswer check = administration.Check(null, out string tag);
                exchange.CheckIfMatch(tag);
                if (!check.Valid) throw Invalid(check.Errors);
                await exchange.AnswerAsync(
                    new ReloadResult
                    {
                        Summary = "nothing is changed",
                        Changed = check.Changes,
                        RestartNeeded = check.RestartNeeded,
                        Warnings = check.Warnings
                    },
                    ApiJson.Default.ReloadResult).ConfigureAwait(false);
                return;
            }

            // Judged on what is read, and then put in force: nobody can change the files in between.
            ReloadResult result = administration.Reload(exchange.Caller.Name, exchange.Matches) ?? throw Exchange.Changed();
            if (result.Errors.Count > 0) throw Invalid(result.Errors);
            await exchange.AnswerAsync(result, ApiJson.Default.ReloadResult).ConfigureAwait(false);
        }
        finally
        {
            Volatile.Write(ref _isReloading, 0);
        }
    }

    private static HttpProblem Invalid(IReadOnlyList<string> errors) =>
        new(ProblemKind.ConfigInvalid, "the configuration is not applied; everything stays as it was") { Errors = ErrorsOf(errors) };
}
