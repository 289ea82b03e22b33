using System.Security.Cryptography;
using EdgeBroker.Http.Routing;
using EdgeBroker.Transport.Listeners;
using Microsoft.AspNetCore.Http;

namespace EdgeBroker.Http.Api;

/// <summary>A copy of the store that waits to be fetched.</summary>
/// <param name="Id">Fetches it, once.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="ExpiresAt">When it is deleted.</param>
public sealed record BackupAnswer(string Id, long Bytes, DateTimeOffset ExpiresAt);

/// <summary>Copies of the store: one at a time, fetched once within ten minutes, and deleted then. They hold all messages, so they are for admins.</summary>
internal sealed class BackupEndpoints(IAdministration administration, TimeProvider time)
{
    private const HttpSurfaces Surfaces = HttpSurfaces.Api | HttpSurfaces.Console;

    private static readonly TimeSpan Validity = TimeSpan.FromMinutes(10);

    private readonly Lock _lock = new();
    private (string Id, string Path, DateTimeOffset ExpiresAt)? _waiting;
    private int _isMaking;

    public IEnumerable<HttpEndpoint> Make()
    {
        yield return new HttpEndpoint(Surfaces, "POST", "/api/v1/backup", EndpointAccess.Admin, MakeAsync)
        {
            Summary = "Make a consistent copy of the store; it replaces one that was not fetched",
            Answers = ApiJson.Default.BackupAnswer,
            Action = "backup.make",
        };
        yield return new HttpEndpoint(Surfaces, "GET", "/api/v1/backups/{id}", EndpointAccess.Admin, FetchAsync)
        {
            Summary = "Fetch a copy of the store, once; `edgebroker restore` puts it back",
            AnswersType = "application/octet-stream",
            IsAudited = true,
            Action = "backup.fetch",
        };
    }

    private async Task MakeAsync(Exchange exchange)
    {
        if (Interlocked.Exchange(ref _isMaking, 1) == 1) throw new HttpProblem(ProblemKind.Busy, "a copy is being made") { RetryAfterSeconds = 10 };
        try
        {
            Delete(Take(null));
            string id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
            // Takes as long as the disk does.
            (string path, long bytes) = await Task.Run(() => administration.MakeBackup(id, exchange.Gone), exchange.Gone).ConfigureAwait(false);
            DateTimeOffset expiresAt = time.GetUtcNow() + Validity;
            lock (_lock) _waiting = (id, path, expiresAt);
            _ = DeleteLaterAsync(id);
            await exchange.AnswerAsync(new BackupAnswer(id, bytes, expiresAt), ApiJson.Default.BackupAnswer,
                StatusCodes.Status201Created).ConfigureAwait(false);
        }
        finally
        {
            Volatile.Write(ref _isMaking, 0);
        }
    }

    private async Task FetchAsync(Exchange exchange)
    {
        if (HttpMethods.IsHead(exchange.Context.Request.Method)) throw new HttpProblem(ProblemKind.WrongMethod, "a copy is fetched once, with GET");
        if (Take(exchange.Argument("id")) is not { } path) throw new HttpProblem(ProblemKind.NoSuchEndpoint, "there is no such copy, or not any more");
        try
        {
            var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 64 * 1024, useAsync: true);
            await using (file.ConfigureAwait(false))
            {
                HttpResponse response = exchange.Context.Response;
                response.ContentType = "application/octet-stream";
                response.ContentLength = file.Length;
                response.Headers.ContentDisposition = "attachment; filename=\"edgebroker-backup.db\"";
                await file.CopyToAsync(response.Body, exchange.Gone).ConfigureAwait(false);
            }
        }
        finally
        {
            Delete(path);
        }
    }

    private async Task DeleteLaterAsync(string id)
    {
        await Task.Delay(Validity, time).ConfigureAwait(false);
        Delete(Take(id));
    }

    /// <summary>Takes the copy that waits, if it is that one; null: any.</summary>
    private string? Take(string? id)
    {
        lock (_lock)
        {
            if (_waiting is not { } waiting || (id is not null && waiting.Id != id)) return null;
            _waiting = null;
            return waiting.Path;
        }
    }

    private static void Delete(string? path)
    {
        try
        {
            if (path is not null) File.Delete(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The next start deletes it.
        }
    }
}
