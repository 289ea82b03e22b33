using EdgeBroker.Crash.Tests.Clients;
using EdgeBroker.Crash.Tests.Disk;
using EdgeBroker.Crash.Tests.History;

namespace EdgeBroker.Crash.Tests.Runs;

/// <summary>
/// Records what the broker does to its disk under the load of a <see cref="Crew"/>, kills in between included, and cuts the power at many points of the record:
/// the disk is laid out as it could be then, the clients know what they knew then, a broker starts on it, and everything that had been acknowledged must
/// arrive.
/// </summary>
public sealed class PowerCutRun
{
    private const int KillsInRecord = 2;
    private const int LeastOperations = 50;
    private const int MostOperations = 800;

    private static readonly TimeSpan LongestStretch = TimeSpan.FromSeconds(2);

    private readonly RunOptions _options;
    private readonly Random _random;

    private PowerCutRun(RunOptions options)
    {
        _options = options;
        _random = new Random(options.Seed);
    }

    /// <summary>Runs it; one report a cut that went wrong, or one that says that none did.</summary>
    public static async Task<IReadOnlyList<RunReport>> RunAsync(RunOptions options)
    {
        var run = new PowerCutRun(options);
        using BrokerUnderTest broker = BrokerUnderTest.Create(options.Profile);
        using DiskShim shim = await DiskShim.CreateAsync(broker.DataDirectory, broker.Scratch, records: true);
        var history = new RunHistory(Crew.Ids, () => shim.Position);
        await run.RecordAsync(broker, shim, history);
        DiskLog log = shim.ReadLog();
        options.Report($"recorded {log.Records.Count} operations, {shim.Position} bytes, {history.Messages.Count} messages");
        return await run.CutAsync(log, history);
    }

    private async Task RecordAsync(BrokerUnderTest broker, DiskShim shim, RunHistory history)
    {
        var address = new BrokerAddress();
        await using var crew = new Crew(history, _options.Seed);
        address.Set(await broker.StartAsync(shim.Environment));
        await crew.StartAsync(address);
        for (int kill = 0; kill < KillsInRecord; kill++)
        {
            // By the shim only: it dies between an operation and the next, so that the record is whole and can go on.
            shim.KillAt(shim.Operations + _random.Next(LeastOperations, MostOperations));
            if (!await EndsAsync(broker)) continue;
            address.Clear();
            history.Add(EventKind.BrokerKilled, -1, text: "in the record");
            shim.KillAt(0);
            address.Set(await broker.StartAsync(shim.Environment));
        }

        shim.KillAt(0);
        // Traffic behind the last start, so that the cuts fall into it as well.
        await Task.Delay(LongestStretch);
        address.Clear();
        broker.Kill();
    }

    private static async Task<bool> EndsAsync(BrokerUnderTest broker)
    {
        try
        {
            await broker.Process.ExitAsync(LongestStretch);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private async Task<IReadOnlyList<RunReport>> CutAsync(DiskLog log, RunHistory history)
    {
        var bad = new List<RunReport>();
        Verdict? last = null;
        for (int cut = 1; cut <= _options.Count; cut++)
        {
            DiskRecord record = ChooseRecord(log);
            Survival survival = Enum.GetValues<Survival>()[_random.Next(4)];
            RunReport report = await CutOnceAsync(log, history.UpTo(record.End), record, survival, cut);
            last = report.Verdict;
            if (!report.IsGood) bad.Add(report);
            if (cut % 10 == 0) _options.Report($"{cut} cuts, {bad.Count} bad");
        }

        if (bad.Count > 0 || last is null) return bad;
        return [new RunReport($"power cut: {_options.Profile}, {_options.Count} cuts, --seed {_options.Seed}", last, null)];
    }

    /// <summary>Half of the cuts come while a sync is under way, which is when one that acknowledges too early is caught.</summary>
    private DiskRecord ChooseRecord(DiskLog log)
    {
        int index = _random.Next(log.Records.Count);
        if (_random.Next(2) == 0) return log.Records[index];
        while (index + 1 < log.Records.Count && log.Records[index + 1].Kind != DiskRecordKind.Sync) index++;
        return log.Records[index];
    }

    private async Task<RunReport> CutOnceAsync(DiskLog log, RunHistory history, DiskRecord record, Survival survival, int cut)
    {
        using BrokerUnderTest broker = BrokerUnderTest.Create(_options.Profile);
        LayOut(broker.DataDirectory);
        history.Add(EventKind.PowerCut, -1, text: $"after {record.Kind}, {survival} survives");
        Verdict verdict = await ResumeAsync(broker, history, cut);
        string title = $"power cut: {_options.Profile}, --seed {_options.Seed}, cut {cut} at {record.End} after {record.Kind}, {survival} survives";
        string name = $"cut-{_options.Profile}-{_options.Seed}-{cut}";
        RunReport report = RunReport.Of(title, name, history, verdict, broker.Said);
        // The seed does not bring this record back: the disk is kept with the history.
        if (!report.IsGood) LayOut(Path.Combine(RunReport.Findings, $"{name}.data"));
        return report;

        void LayOut(string directory)
        {
            if (Directory.Exists(directory)) Directory.Delete(directory, recursive: true);
            DiskImage.At(log, record.End, survival, new Random(_options.Seed + cut)).WriteTo(Directory.CreateDirectory(directory).FullName);
        }
    }

    private async Task<Verdict> ResumeAsync(BrokerUnderTest broker, RunHistory history, int cut)
    {
        var address = new BrokerAddress();
        int port;
        try
        {
            port = await broker.StartAsync();
        }
        catch (InvalidOperationException exception)
        {
            history.Add(EventKind.BrokerFailed, -1, text: $"it does not start: {exception.Message}");
            return Judge.Of(history);
        }

        await RetainedLook.TakeAsync(history, port, CancellationToken.None);
        await using var crew = new Crew(history, _options.Seed + cut);
        address.Set(port);
        await crew.StartAsync(address);
        Verdict verdict = await crew.SettleAsync(lastMessages: 1);
        address.Clear();
        return verdict;
    }
}
