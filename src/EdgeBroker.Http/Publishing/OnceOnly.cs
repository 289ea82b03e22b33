using System.Security.Cryptography;
using System.Text;
using EdgeBroker.Core.Limits;
using EdgeBroker.Http.Access;
using EdgeBroker.Http.Routing;

namespace EdgeBroker.Http.Publishing;

/// <summary>
/// Does what is asked for under an <c>Idempotency-Key</c> once: who asks again, because the answer did not arrive, gets the answer of the first time, and of
/// two who ask at once the second waits for it.
/// </summary>
/// <param name="keys">The keys.</param>
/// <param name="time">The clock.</param>
internal sealed class OnceOnly(IdempotencyKeys keys, TimeProvider time)
{
    // A slow disk takes a second; one that takes no more is told of by others.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    /// <summary>Does something, and answers with what it says; without a key as often as it is asked for.</summary>
    /// <param name="exchange">The request.</param>
    /// <param name="body">Its body.</param>
    /// <param name="act">Does it; the answer, as JSON.</param>
    /// <exception cref="HttpProblem">It is not done, or the key was used for something else.</exception>
    public async Task AnswerAsync(Exchange exchange, byte[] body, Func<CancellationToken, Task<byte[]>> act)
    {
        string key = exchange.Context.Request.Headers["Idempotency-Key"].ToString();
        if (key.Length == 0)
        {
            await exchange.AnswerAsync(await act(exchange.Gone).ConfigureAwait(false), "application/json").ConfigureAwait(false);
            return;
        }

        if (key.Length > IdempotencyKeys.MostCharacters)
        {
            throw HttpProblem.Parameter("Idempotency-Key", Exchange.Short(key), $"1 to {IdempotencyKeys.MostCharacters} characters");
        }

        string identity = IdentityOf(exchange);
        byte[] digest = DigestOf(exchange, body);
        while (true)
        {
            if (keys.TryClaim(identity, key, digest, out IdempotentAnswer claim))
            {
                byte[] done = await ActAsync(identity, key, claim, act).ConfigureAwait(false);
                await exchange.AnswerAsync(done, "application/json").ConfigureAwait(false);
                return;
            }

            if (!claim.IsFor(digest)) throw new HttpProblem(ProblemKind.KeyReused, "another request has used this Idempotency-Key; take a new one for each");
            // Null: it was not done. Whoever is first now does it.
            if (await claim.Answer.WaitAsync(exchange.Gone).ConfigureAwait(false) is not { } before) continue;
            exchange.Context.Response.Headers["Idempotency-Replayed"] = "true";
            await exchange.AnswerAsync(before, "application/json").ConfigureAwait(false);
            return;
        }
    }

    private async Task<byte[]> ActAsync(string identity, string key, IdempotentAnswer claim, Func<CancellationToken, Task<byte[]>> act)
    {
        byte[]? answer = null;
        try
        {
            // To its end, though nobody may wait any more: what became of it is what the next one asks for.
            using var late = new CancellationTokenSource(Longest, time);
            answer = await act(late.Token).ConfigureAwait(false);
            return answer;
        }
        catch (OperationCanceledException)
        {
            throw new HttpProblem(ProblemKind.StoreFailing, "the store has not taken it for half a minute; it may be there all the same")
            {
                RetryAfterSeconds = 5,
            };
        }
        finally
        {
            keys.Settle(identity, key, claim, answer);
        }
    }

    private static string IdentityOf(Exchange exchange)
    {
        Caller caller = exchange.Caller;
        return caller.Name.Length > 0 ? $"{caller.By} {caller.Name}" : ClientNetwork.Of(exchange.Context.Connection.RemoteIpAddress).ToString();
    }

    private static byte[] DigestOf(Exchange exchange, byte[] body)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        digest.AppendData(Encoding.UTF8.GetBytes($"{exchange.Path}?{exchange.QuestionWithout()}\0{exchange.Context.Request.ContentType}\0"));
        digest.AppendData(body);
        return digest.GetHashAndReset();
    }
}
