using EdgeBroker.Configuration;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Http.Health;

namespace EdgeBroker.Hosting;

/// <summary>The parts of a broker, in the order in which they start. They change together, and stop and end in reverse order.</summary>
internal sealed class HostedParts : IHealth, IAsyncDisposable
{
    private readonly List<IBrokerPart> _parts = [];
    private readonly List<Func<BrokerConfiguration, ValueTask<IPreparedChange>>> _prepare = [];
    private int _started;

    /// <summary>Adds a part that keeps what it was made with.</summary>
    public T Add<T>(T part)
        where T : IBrokerPart
    {
        _parts.Add(part);
        return part;
    }

    /// <summary>Adds a part that takes other options.</summary>
    /// <param name="part">The part.</param>
    /// <param name="select">Its options of a configuration.</param>
    public void Add<TOptions>(IBrokerPart<TOptions> part, Func<BrokerConfiguration, TOptions> select)
    {
        Add(part);
        _prepare.Add(configuration => part.PrepareAsync(select(configuration)));
    }

    /// <summary>Starts one part after the other, as long as nobody wants an end.</summary>
    /// <exception cref="PartException">One cannot start. Those before it have.</exception>
    public async Task StartAsync(CancellationToken cancel)
    {
        foreach (IBrokerPart part in _parts)
        {
            if (cancel.IsCancellationRequested) return;
            await part.StartAsync(cancel).ConfigureAwait(false);
            _started++;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<HealthFinding> Check() => [.. _parts.SelectMany(part => part.Findings())];

    /// <summary>Has every part prepare for another configuration.</summary>
    /// <exception cref="PartException">One cannot; nothing has changed.</exception>
    public async Task<IPreparedChange> PrepareAsync(BrokerConfiguration next)
    {
        var changes = new PreparedChanges();
        try
        {
            foreach (Func<BrokerConfiguration, ValueTask<IPreparedChange>> prepare in _prepare) changes.Add(await prepare(next).ConfigureAwait(false));
            return changes;
        }
        catch
        {
            await changes.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Has every part judge its clients anew.</summary>
    /// <returns>How many were disconnected.</returns>
    public async Task<int> ReviewAsync()
    {
        int disconnected = 0;
        foreach (IBrokerPart part in _parts) disconnected += await part.ReviewAsync().ConfigureAwait(false);
        return disconnected;
    }

    /// <summary>Stops the parts that have started.</summary>
    /// <param name="limit">How long a part may take for a phase.</param>
    public async Task StopAsync(TimeSpan limit)
    {
        foreach (StopPhase phase in Enum.GetValues<StopPhase>())
        {
            for (int i = _started - 1; i >= 0; i--) await _parts[i].StopAsync(phase, limit).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        for (int i = _parts.Count - 1; i >= 0; i--) await _parts[i].DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>The changes of all parts, in the order of the parts.</summary>
    private sealed class PreparedChanges : IPreparedChange
    {
        private readonly List<IPreparedChange> _changes = [];

        public void Add(IPreparedChange change) => _changes.Add(change);

        public async ValueTask ApplyAsync(ChangeNotes notes)
        {
            foreach (IPreparedChange change in _changes) await change.ApplyAsync(notes).ConfigureAwait(false);
        }

        public async ValueTask DisposeAsync()
        {
            for (int i = _changes.Count - 1; i >= 0; i--) await _changes[i].DisposeAsync().ConfigureAwait(false);
        }
    }
}
