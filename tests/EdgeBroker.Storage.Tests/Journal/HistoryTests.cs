using CsCheck;

namespace EdgeBroker.Storage.Tests.Journal;

/// <summary>
/// What the store does shows nowhere: three clients with any history receive the same, in the same order, from a broker on a real store and from one in memory, and go on as before when
/// the one on the store has been restarted, in order or as by kill -9.
/// </summary>
public sealed class HistoryTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task Any_history_is_the_same_with_memory_and_with_a_store(bool expires) => Check(expires, restarts: false);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task Any_history_goes_on_after_restarts_as_if_only_the_connections_had_been_lost(bool expires) => Check(expires, restarts: true);

    private static Task Check(bool expires, bool restarts) =>
        Gen.Select(Gen.Int[0, restarts ? 46 : 43], Gen.Int[0, 9_999], Gen.Int[0, 9_999]).Array[20, 70].SampleAsync(
            async steps =>
            {
                await using var history = new TwinHistory(expires, restarts);
                await history.RunAsync(steps);
            },
            iter: restarts ? 40 : 70,
            threads: 4,
            print: steps => string.Join(", ", steps.Select(step => $"({step.Item1}, {step.Item2}, {step.Item3})")));
}
