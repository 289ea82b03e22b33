using System.Security.Cryptography;
using System.Text;
using EdgeBroker.Core;
using EdgeBroker.Core.Limits;
using EdgeBroker.Http.Access;
using EdgeBroker.Http.Routing;

namespace EdgeBroker.Http.Publishing;

/// <summary>
/// Does what is asked for under an <c>Idempotency-Key</c> once: who asks again, because the answer did not arrive, gets the answer of the first time, and of
/// two who ask at once the second waits for it.
/// </summary>
/// <param name="broker">Is told of faults that nobody waits for any more.</param>
/// <param name="keys">The keys.</param>
/// <param name="wait">How long a request waits.</param>
internal sealed class OnceOnly(Broker broker, IdempotencyKeys keys, StoreWait wait)
{
    /// <summary>Does something, and answers with what it says; without a key as often as it is asked for.</summary>
    /// <param name="exchange">The request.</param>
    /// <param name="body">Its body.</param>
    /// <param name="act">Does it until its token ends; the answer, as JSON. Under a key it goes on when the request has ended, and must not use that.</param>
    /// <exception cref="HttpProblem">It is not done, or the key was used for something else.</exception>
    public async Task AnswerAsync(Exchange exchange, byte[] body, Func<CancellationToken, Task<byte[]>> act)
    {
        string key = exchange.Context.Request.Headers["Idempotency-Key"].ToString();
        if (key.Length > IdempotencyKeys.MostCharacters)
        {
            throw HttpProblem.Parameter("Idempotency-Key", Exchange.Short(key), $"1 to {IdempotencyKeys.MostCharacters} characters");
        }

        byte[] answer = await wait.WithinAsync(exchange, cancel => key.Length == 0 ? act(cancel) : OnceAsync(exchange, key, body, act, cancel))
            .ConfigureAwait(false);
        await exchange.AnswerAsync(answer, "application/json").ConfigureAwait(false);
    }

    private async Task<byte[]> OnceAsync(Exchange exchange, string key, byte[] body, Func<CancellationToken, Task<byte[]>> act, CancellationToken cancel)
    {
        string identity = IdentityOf(exchange);
        byte[] digest = DigestOf(exchange, body);
        while (true)
        {
            bool isFirst = keys.TryClaim(identity, key, digest, body.Length, out IdempotentAnswer claim);
            if (isFirst) _ = ActAsync(identity, key, claim, act, exchange.RequestId);
            else if (!claim.IsFor(digest)) throw new HttpProblem(ProblemKind.KeyReused, "another request has used this Idempotency-Key; take another one");
            if (await claim.Answer.WaitAsync(cancel).ConfigureAwait(false) is { } answer)
            {
                if (!isFirst) exchange.Context.Response.Headers["Idempotency-Replayed"] = "true";
                return answer;
            }

            // It was not done. Whoever is first now does it.
            if (isFirst) throw claim.Problem!;
        }
    }

    /// <summary>
    /// Does it to its end, though nobody may wait any more: what became of it is what the next one asks for, and a key that was given back meanwhile would have
    /// it done twice.
    /// </summary>
    private async Task ActAsync(string identity, string key, IdempotentAnswer claim, Func<CancellationToken, Task<byte[]>> act, string requestId)
    {
        byte[]? answer = null;
        try
        {
            answer = await act(CancellationToken.None).ConfigureAwait(false);
        }
        catch (HttpProblem problem)
        {
            claim.Problem = problem;
        }
        catch (Exception exception)
        {
            broker.ReportFault(exception, $"answering request {requestId}");
            claim.Problem = new HttpProblem(ProblemKind.Fault, "the log says more under this request id");
        }

        keys.Settle(identity, key, claim, answer);
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
