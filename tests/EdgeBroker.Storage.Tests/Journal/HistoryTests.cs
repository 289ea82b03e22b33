using System.Globalization;

namespace EdgeBroker.Storage.Tests.Journal;

/// <summary>
/// What the store does shows nowhere: three clients with any history receive the same, in the same order, from a broker on a real store and from one in memory,
/// and go on as before when the one on the store has been restarted, in order or as by kill -9. The histories are the same in each run;
/// EDGEBROKER_HISTORIES=FIRST-LAST searches others.
/// </summary>
public sealed class HistoryTests
{
    private const int StepKinds = 44;
    private const int StepKindsWithRestarts = 47;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task Any_history_is_the_same_with_memory_and_with_a_store(bool expires) => CheckAsync(expires, restarts: false, moves: false, count: 70);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task Any_history_goes_on_after_restarts_as_if_only_the_connections_had_been_lost(bool expires) =>
        CheckAsync(expires, restarts: true, moves: false, count: 40);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task Any_history_goes_on_where_the_sessions_move_to(bool expires) => CheckAsync(expires, restarts: true, moves: true, count: 40);

    private static async Task CheckAsync(bool expires, bool restarts, bool moves, int count)
    {
        int first = 0;
        if (Environment.GetEnvironmentVariable("EDGEBROKER_HISTORIES") is { Length: > 0 } range)
        {
            int[] ends = [.. range.Split('-').Select(end => int.Parse(end, CultureInfo.InvariantCulture))];
            (first, count) = (ends[0], ends[^1] - ends[0] + 1);
        }

        await Parallel.ForEachAsync(
            Enumerable.Range(first, count),
            new ParallelOptions { MaxDegreeOfParallelism = 4 },
            async (seed, _) =>
            {
                (int Op, int A, int B)[] steps = Steps(seed, restarts);
                try
                {
                    await using var history = new TwinHistory(expires, restarts, moves);
                    await history.RunAsync(steps);
                }
                catch (Exception exception)
                {
                    throw new InvalidOperationException($"history {seed}: {exception.Message}", exception);
                }
            });
    }

    private static (int Op, int A, int B)[] Steps(int seed, bool restarts)
    {
        var random = new Random(seed);
        int kinds = restarts ? StepKindsWithRestarts : StepKinds;
        return [.. Enumerable.Range(0, random.Next(20, 71)).Select(_ => (random.Next(kinds), random.Next(10_000), random.Next(10_000)))];
    }
}
