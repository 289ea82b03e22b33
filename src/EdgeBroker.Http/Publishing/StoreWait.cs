using EdgeBroker.Core;
using EdgeBroker.Core.Ports;
using EdgeBroker.Http.Routing;
using EdgeBroker.Protocol;

namespace EdgeBroker.Http.Publishing;

/// <summary>
/// How long a request that publishes waits for the store, and what it is told of a store that does not take what it brings. MQTT's publishers wait as long as
/// it takes; who publishes over HTTP can ask again.
/// </summary>
/// <param name="broker">The broker.</param>
/// <param name="time">The clock.</param>
internal sealed class StoreWait(Broker broker, TimeProvider time)
{
    /// <summary>What became of a message for which the time was too short.</summary>
    public const string MayBeThere = "the message may be there all the same once it can";

    /// <summary>What became of a message that the store cannot take.</summary>
    public const string Refused = "the message is not taken";

    /// <summary>What became of a message behind one for which the time was too short.</summary>
    public const string NotTried = "the message was not tried";

    // A slow disk takes a second. One that is known to take nothing is not waited for much longer.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan WithBadStore = TimeSpan.FromSeconds(2);

    /// <summary>Whether the store is known to take nothing.</summary>
    public bool IsStoreBad => broker.Journal.Condition is JournalCondition.Full or JournalCondition.Failing;

    /// <summary>Does something within the time a request has: 30 s, or 2 s where the store is known to be bad when it comes.</summary>
    /// <param name="exchange">The request; when its caller goes, the wait ends as well.</param>
    /// <param name="act">Does it, until its token ends.</param>
    /// <exception cref="HttpProblem">The time was too short, or it is refused.</exception>
    public async Task<T> WithinAsync<T>(Exchange exchange, Func<CancellationToken, Task<T>> act)
    {
        using var late = new CancellationTokenSource(IsStoreBad ? WithBadStore : Longest, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(exchange.Gone, late.Token);
        try
        {
            return await act(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            throw Problem(MayBeThere);
        }
    }

    /// <summary>What is wrong with the store.</summary>
    /// <param name="outcome">What became of the message.</param>
    /// <param name="reason">MQTT's reason code; null: there is none.</param>
    public HttpProblem Problem(string outcome, ReasonCode? reason = null)
    {
        (ProblemKind kind, string why) = broker.Journal.Condition switch
        {
            JournalCondition.Full => (ProblemKind.StoreFull, broker.Journal.IsDiskFull ? Broker.DiskIsFull : Broker.StoreIsFull),
            JournalCondition.Failing => (ProblemKind.StoreFailing, Broker.StoreCannotBeWritten),
            _ => (ProblemKind.StoreFailing, "the store is behind with writing"),
        };
        return new HttpProblem(kind, $"{why}; {outcome}") { ReasonCode = (int?)reason, RetryAfterSeconds = 5 };
    }
}
