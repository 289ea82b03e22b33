using EdgeBroker.Core;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Protocol;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Bridge.Hosting;

/// <summary>The bridges of a broker. A reload adds, changes and removes them; one that has not changed does not notice.</summary>
public sealed class BridgePart : IBrokerPart<IReadOnlyList<BridgeOptions>>
{
    private readonly BridgeEnvironment _environment;
    private readonly Lock _lock = new();

    // A purge and a reload each take a session away and make it anew.
    private readonly SemaphoreSlim _turn = new(1);
    private readonly HashSet<string> _metered = new(StringComparer.Ordinal);
    private readonly IReadOnlyList<BridgeOptions> _first;
    private Dictionary<string, RunningBridge> _bridges = new(StringComparer.Ordinal);

    /// <param name="bridges">As configured.</param>
    /// <param name="broker">The broker.</param>
    /// <param name="nodeId">A name for this broker that no other has.</param>
    /// <param name="time">The clock.</param>
    /// <param name="loggers">The log.</param>
    public BridgePart(IReadOnlyList<BridgeOptions> bridges, Broker broker, string nodeId, TimeProvider time, ILoggerFactory loggers)
    {
        _first = bridges;
        _environment = new BridgeEnvironment(broker, nodeId, time, loggers.CreateLogger<BridgePart>());
        broker.NodeMark = nodeId;
    }

    /// <inheritdoc/>
    public string Name => "bridges";

    /// <summary>How each bridge is.</summary>
    public IReadOnlyList<BridgeStatus> Statuses => [.. Bridges.Values.Select(bridge => bridge.Status).OrderBy(status => status.Name, StringComparer.Ordinal)];

    private Dictionary<string, RunningBridge> Bridges
    {
        get
        {
            lock (_lock.Alone()) return _bridges;
        }
    }

    /// <inheritdoc/>
    public ValueTask StartAsync(CancellationToken cancel)
    {
        _environment.Broker.Ingress.CopyGuard = _environment;
        var bridges = new Dictionary<string, RunningBridge>(StringComparer.Ordinal);
        foreach (BridgeOptions options in _first) bridges.Add(options.Name, Make(options, null));
        EndOrphans(bridges);
        Replace(bridges);
        foreach (RunningBridge bridge in bridges.Values) bridge.Begin();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public IEnumerable<HealthFinding> Findings()
    {
        foreach (BridgeStatus status in Statuses)
        {
            if (status.RefusedFilters.Count > 0)
            {
                yield return new HealthFinding(
                    "bridge " + status.Name, HealthState.Warning, $"{status.Server} refused the subscription to {string.Join(", ", status.RefusedFilters)}");
            }

            if (status.Phase is not (BridgePhase.Waiting or BridgePhase.Connecting)) continue;
            string cause = status.LastFault is { } fault ? $": {fault.Text.TrimEnd('.')}" : "";
            yield return new HealthFinding(
                "bridge " + status.Name, HealthState.Warning, $"not connected to {status.Server}, {status.BacklogMessages} message(s) wait{cause}");
        }
    }

    /// <summary>Does something to a bridge; false: there is none of this name.</summary>
    /// <param name="name">The bridge.</param>
    /// <param name="order">What to do.</param>
    public async Task<bool> OrderAsync(string name, BridgeOrder order)
    {
        if (Bridges.GetValueOrDefault(name) is not { } bridge) return false;
        switch (order)
        {
            case BridgeOrder.Start: bridge.Start(); break;
            case BridgeOrder.Stop: bridge.Stop(); break;
            case BridgeOrder.Drain: bridge.Drain(); break;
            default: await PurgeAsync(name).ConfigureAwait(false); break;
        }

        return true;
    }

    private async Task PurgeAsync(string name)
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            if (Bridges.GetValueOrDefault(name) is { } bridge) await bridge.PurgeAsync().ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc/>
    public ValueTask<IPreparedChange> PrepareAsync(IReadOnlyList<BridgeOptions> next) => ValueTask.FromResult<IPreparedChange>(new Change(this, next));

    /// <inheritdoc/>
    public async ValueTask StopAsync(StopPhase phase, TimeSpan limit)
    {
        // Last: what clients leave behind, as wills, still goes out.
        if (phase != StopPhase.Finish) return;
        await Task.WhenAll(Bridges.Values.Select(bridge => bridge.EndAsync(limit))).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (RunningBridge bridge in Bridges.Values) await bridge.DisposeAsync().ConfigureAwait(false);
        _turn.Dispose();
    }

    private RunningBridge Make(BridgeOptions options, BridgeCounters? counters)
    {
        try
        {
            var state = counters is null ? new BridgeState(options, _environment) : new BridgeState(options, _environment) { Counters = counters };
            return new RunningBridge(state);
        }
        catch (FormatException exception)
        {
            throw new PartException($"bridge {options.Name}: {exception.Message}", exception);
        }
    }

    private void Replace(Dictionary<string, RunningBridge> bridges)
    {
        lock (_lock.Alone()) _bridges = bridges;
        foreach (string name in bridges.Keys)
        {
            if (_metered.Add(name)) BridgeMeters.Register(_environment.Broker.Meters, name, () => Bridges.GetValueOrDefault(name)?.Status);
        }
    }

    /// <summary>A bridge, or a lane of one, that is configured no more leaves its session behind: what waits in it would wait for ever.</summary>
    private void EndOrphans(Dictionary<string, RunningBridge> bridges)
    {
        HashSet<string> wanted = [.. bridges.Values.SelectMany(bridge => bridge.SessionIds)];
        foreach (string id in _environment.Broker.SessionIds)
        {
            if (id.StartsWith(ReservedIds.Bridge, StringComparison.Ordinal) && !wanted.Contains(id)) Forget(id);
        }
    }

    private void Forget(string sessionId) => _environment.Broker.Kick(sessionId, ReasonCode.AdministrativeAction, forget: true, publishWill: false);

    /// <summary>Another set of bridges, made and not begun.</summary>
    private sealed class Change : IPreparedChange
    {
        private readonly BridgePart _part;
        private readonly Dictionary<string, RunningBridge> _next = new(StringComparer.Ordinal);
        private readonly List<RunningBridge> _new = [];
        private bool _isApplied;

        public Change(BridgePart part, IReadOnlyList<BridgeOptions> next)
        {
            _part = part;
            Dictionary<string, RunningBridge> now = part.Bridges;
            foreach (BridgeOptions options in next)
            {
                RunningBridge? old = now.GetValueOrDefault(options.Name);
                bool isSame = old is not null && old.Options.Fingerprint == options.Fingerprint;
                RunningBridge bridge = isSame ? old! : part.Make(options, old?.Counters);
                _next.Add(options.Name, bridge);
                if (!isSame) _new.Add(bridge);
            }
        }

        public async ValueTask ApplyAsync(ChangeNotes notes)
        {
            await _part._turn.WaitAsync().ConfigureAwait(false);
            try
            {
                await ReplaceAsync(notes).ConfigureAwait(false);
            }
            finally
            {
                _part._turn.Release();
            }
        }

        private async Task ReplaceAsync(ChangeNotes notes)
        {
            _isApplied = true;
            Dictionary<string, RunningBridge> before = _part.Bridges;
            foreach ((string name, RunningBridge old) in before)
            {
                if (_next.TryGetValue(name, out RunningBridge? bridge) && ReferenceEquals(bridge, old)) continue;
                await old.EndAsync(TimeSpan.FromSeconds(2)).ConfigureAwait(false);
                if (bridge is not null) continue;
                notes.Add($"bridge {name} removed");
            }

            _part.EndOrphans(_next);
            _part.Replace(_next);
            foreach (RunningBridge bridge in _new)
            {
                bridge.Begin();
                notes.Add($"bridge {bridge.Options.Name} {(before.ContainsKey(bridge.Options.Name) ? "changed" : "added")}");
            }
        }

        public ValueTask DisposeAsync()
        {
            if (!_isApplied) _new.ForEach(bridge => bridge.Discard());
            return ValueTask.CompletedTask;
        }
    }
}

/// <summary>What a bridge can be told.</summary>
public enum BridgeOrder
{
    /// <summary>Connect, and stay so.</summary>
    Start,

    /// <summary>Leave, and do not come back until told.</summary>
    Stop,

    /// <summary>Send what waits, and then do as before.</summary>
    Drain,

    /// <summary>Drop what waits.</summary>
    Purge,
}
