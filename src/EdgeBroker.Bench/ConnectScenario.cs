using System.Globalization;

namespace EdgeBroker.Bench;

/// <summary>Clients connect, some at a time, stay, and go: connections a second, and the broker's memory for each while they are idle.</summary>
internal static class ConnectScenario
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    /// <summary>Runs it.</summary>
    public static BenchResult Run(BenchOptions options, LoadLoop loop, uint mark, UsageMeter meter)
    {
        var run = new LoadRun(options, loop, mark) { Ledger = new StreamLedger(0, 0) };
        var clients = new IdleClient[options.Connections];
        for (int i = 0; i < clients.Length; i++)
        {
            string topic = string.Create(CultureInfo.InvariantCulture, $"{run.TopicPrefix}/{i}/command");
            clients[i] = new IdleClient(run, i, options.SubscribeEach ? run.Subscribe([topic]) : []);
        }

        long before = meter.ReadBroker()?.ResidentBytes ?? 0;
        meter.Start();
        loop.OpenAll(clients, Timeout);
        (double seconds, ProcessUsage generator, ProcessUsage? broker) = meter.Read();
        var connectTime = new LatencyHistogram();
        foreach (IdleClient client in clients) connectTime.Add(client.ConnectNs);
        loop.RunUntilTime(loop.NowNs + (long)options.Hold.TotalNanoseconds, () => loop.Broken > 0);
        double? each = meter.ReadBroker() is { } after ? (after.ResidentBytes - before) / (double)clients.Length : null;
        run.Fence(clients);
        var result = new BenchResult
        {
            Options = options,
            Seconds = seconds,
            Done = clients.Length,
            Generator = generator,
            Broker = broker,
            Broken = loop.Broken,
            FirstBreak = loop.FirstBreak,
            ConnectTime = connectTime,
            ResidentBytesBefore = before,
            BytesEach = each,
        };
        run.DisconnectAll(clients);
        return result;
    }
}
