using EdgeBroker.Crash.Tests.Clients;
using EdgeBroker.Crash.Tests.Disk;
using EdgeBroker.Crash.Tests.History;

namespace EdgeBroker.Crash.Tests.Runs;

/// <summary>
/// Kills the broker again and again, each time on the data it left, under the load of a <see cref="Crew"/>: at some time under load, at some operation on a
/// file - so that appending, committing, checkpointing and recovering are hit - or soon after its start. In the end everything is given time to arrive, and
/// once more after a last kill.
/// </summary>
public sealed class CrashRun : IDisposable
{
    private static readonly TimeSpan LongestLoad = TimeSpan.FromMilliseconds(900);
    private static readonly TimeSpan LongestStart = TimeSpan.FromMilliseconds(60);
    private static readonly TimeSpan WaitForOperation = TimeSpan.FromMilliseconds(1200);
    private const int OperationsUnderLoad = 600;
    private const int OperationsOfStart = 60;

    private readonly RunOptions _options;
    private readonly Random _random;
    private readonly BrokerUnderTest _broker;
    private readonly DiskShim _shim;
    private readonly RunHistory _history;
    private readonly BrokerAddress _address = new();
    private readonly Dictionary<string, int> _kills = new(StringComparer.Ordinal);

    private CrashRun(RunOptions options, BrokerUnderTest broker, DiskShim shim)
    {
        _options = options;
        _random = new Random(options.Seed);
        _broker = broker;
        _shim = shim;
        _history = new RunHistory(Crew.Ids, () => shim.Position);
    }

    /// <summary>Runs it.</summary>
    public static async Task<RunReport> RunAsync(RunOptions options)
    {
        using BrokerUnderTest broker = BrokerUnderTest.Create(options.Profile);
        using DiskShim shim = await DiskShim.CreateAsync(broker.DataDirectory, broker.Scratch, records: false);
        using var run = new CrashRun(options, broker, shim);
        return await run.RunAsync();
    }

    /// <inheritdoc/>
    public void Dispose() => _address.Clear();

    private async Task<RunReport> RunAsync()
    {
        Verdict verdict;
        await using (var crew = new Crew(_history, _options.Seed))
        {
            try
            {
                _address.Set(await StartAsync());
                await crew.StartAsync(_address);
                for (int round = 1; round <= _options.Count; round++)
                {
                    await RoundAsync(round);
                    if (round % 10 == 0) _options.Report($"{round} kills, {_history.Messages.Count} messages");
                }

                await crew.SettleAsync(lastMessages: 1);
                await LookAsync();
                await KillAsync("settled");
                int port = await StartAsync();
                await RetainedLook.TakeAsync(_history, port, CancellationToken.None);
                _address.Set(port);
                verdict = await crew.SettleAsync(lastMessages: 2);
            }
            catch (BrokerFailedException failure)
            {
                _history.Add(EventKind.BrokerFailed, -1, text: failure.Message);
                verdict = Judge.Of(_history);
            }
        }

        string kills = string.Join(", ", _kills.Select(k => $"{k.Value} {k.Key}"));
        string title = $"crash: {_options.Profile}, {_options.Count} rounds, --seed {_options.Seed}; killed {kills}";
        return RunReport.Of(title, $"crash-{_options.Profile}-{_options.Seed}", _history, verdict, _broker.Said);
    }

    /// <summary>One kill, and the start after it. The broker runs when it begins and when it ends.</summary>
    private async Task RoundAsync(int round)
    {
        switch (_random.Next(10))
        {
            case < 5:
                await Task.Delay(LongestLoad * _random.NextDouble());
                await KillAsync("under load");
                break;
            case < 8:
                _shim.KillAt(_shim.Operations + _random.Next(1, OperationsUnderLoad));
                await KillAtOperationAsync();
                break;
            default:
                await KillAsync("at once");
                break;
        }

        while (_random.Next(3) == 0) await KillDuringStartAsync();
        int port = await StartAsync();
        if (round % 2 == 0) await RetainedLook.TakeAsync(_history, port, CancellationToken.None);
        _address.Set(port);
    }

    /// <summary>Starts the broker and kills it before it has long been up, or before it is.</summary>
    private async Task KillDuringStartAsync()
    {
        _history.Add(EventKind.BrokerStarted, -1);
        if (_random.Next(2) == 0)
        {
            _shim.KillAt(_shim.Operations + _random.Next(1, OperationsOfStart));
            _broker.Launch(_shim.Environment);
            if (await EndsAsync(LongestStart * 4))
            {
                Killed("by operation during start");
                return;
            }
        }
        else
        {
            _broker.Launch(_shim.Environment);
            await Task.Delay(LongestStart * _random.NextDouble());
        }

        await KillAsync("during start");
    }

    private async Task<int> StartAsync()
    {
        _shim.KillAt(0);
        _history.Add(EventKind.BrokerStarted, -1);
        try
        {
            int port = await _broker.StartAsync(_shim.Environment);
            _history.Add(EventKind.BrokerListens, -1, number: port);
            return port;
        }
        catch (InvalidOperationException exception)
        {
            throw new BrokerFailedException($"it does not start: {exception.Message}");
        }
    }

    private async Task KillAtOperationAsync()
    {
        if (await EndsAsync(WaitForOperation))
        {
            _address.Clear();
            Killed("by operation");
        }
        else
        {
            await KillAsync("under load, as no operation came");
        }
    }

    /// <summary>Waits for the program's end, which must be of the shim's making.</summary>
    private async Task<bool> EndsAsync(TimeSpan within)
    {
        try
        {
            await _broker.Process.ExitAsync(within);
        }
        catch (TimeoutException)
        {
            return false;
        }

        return _shim.Killed ? true : throw new BrokerFailedException($"it ended by itself: {_broker.Said}");
    }

    private async Task KillAsync(string when)
    {
        _address.Clear();
        bool ran = _broker.Kill();
        await _broker.Process.ExitAsync();
        if (!ran && !_shim.Killed) throw new BrokerFailedException($"it ended by itself: {_broker.Said}");
        Killed(when);
    }

    private void Killed(string when)
    {
        _kills[when] = _kills.GetValueOrDefault(when) + 1;
        _history.Add(EventKind.BrokerKilled, -1, text: when);
    }

    private async Task LookAsync() => await RetainedLook.TakeAsync(_history, await _address.PortAsync(CancellationToken.None), CancellationToken.None);
}
