using EdgeBroker.Crash.Tests.Clients;
using EdgeBroker.Crash.Tests.History;

namespace EdgeBroker.Crash.Tests.Runs;

/// <summary>
/// Cuts all connections of a <see cref="Crew"/> again and again while the broker stays up. A broker that keeps sessions in memory alone must pass: where it
/// does not, either it or the clients of these tests do not keep to the protocol.
/// </summary>
public static class ConnectionLossRun
{
    private static readonly TimeSpan LongestLoad = TimeSpan.FromMilliseconds(500);

    /// <summary>Runs it.</summary>
    public static async Task<RunReport> RunAsync(RunOptions options)
    {
        var random = new Random(options.Seed);
        using BrokerUnderTest broker = BrokerUnderTest.Create(options.Profile);
        var history = new RunHistory(Crew.Ids, () => 0);
        var address = new BrokerAddress();
        await using var crew = new Crew(history, options.Seed);
        int port = await broker.StartAsync();
        address.Set(port);
        await crew.StartAsync(address);
        for (int round = 1; round <= options.Count; round++)
        {
            await Task.Delay(LongestLoad * random.NextDouble());
            // Retained values are looked at when all is quiet: one that is set while someone looks comes as an ordinary message, and cannot be judged.
            crew.CutConnections();
        }

        Verdict verdict = await crew.SettleAsync(lastMessages: 2);
        await RetainedLook.TakeAsync(history, port, CancellationToken.None);
        if (verdict.Violations.Count == 0) verdict = Judge.Of(history);
        address.Clear();
        string title = $"connection loss: {options.Profile}, {options.Count} rounds, --seed {options.Seed}";
        return RunReport.Of(title, $"connections-{options.Profile}-{options.Seed}", history, verdict, broker.Said);
    }
}
