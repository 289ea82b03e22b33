namespace EdgeBroker.Hosting;

/// <summary>How one run of the broker ended.</summary>
/// <param name="ExitCode">An <see cref="Cli.ExitCode"/>.</param>
/// <param name="Damage">What is wrong with the store, if it has to be set aside; null: nothing.</param>
internal readonly record struct BrokerEnd(int ExitCode, string? Damage = null);

/// <summary>What the broker waits for while it serves: that it is asked to stop, or cannot go on. The first cause decides. Any thread.</summary>
internal sealed class StopRequest : IDisposable
{
    private readonly CancellationTokenSource _requested = new();
    private readonly CancellationTokenRegistration _registration;
    private readonly Lock _lock = new();
    private BrokerEnd? _end;

    /// <param name="asked">Asks as signals do.</param>
    public StopRequest(CancellationToken asked) => _registration = asked.Register(Ask);

    /// <summary>Cancelled by the first request.</summary>
    public CancellationToken Token => _requested.Token;

    /// <summary>How it ends; once there is a request.</summary>
    public BrokerEnd End
    {
        get
        {
            lock (_lock) return _end ?? throw new InvalidOperationException("Nobody has asked for an end.");
        }
    }

    /// <summary>Somebody wants it to stop.</summary>
    public void Ask() => Request(new BrokerEnd(ExitCode.Success));

    /// <summary>The store is damaged: all begins again, without it.</summary>
    public void StoreIsDamaged(string cause) => Request(new BrokerEnd(ExitCode.Failed, cause));

    /// <summary>The journal cannot go on.</summary>
    public void JournalIsBroken() => Request(new BrokerEnd(ExitCode.Failed));

    /// <summary>Waits for a request.</summary>
    public void Wait() => _requested.Token.WaitHandle.WaitOne();

    public void Dispose()
    {
        _registration.Dispose();
        _requested.Dispose();
    }

    private void Request(BrokerEnd end)
    {
        lock (_lock)
        {
            bool isFirst = _end is null;
            // Damage that is found while it stops is damage all the same.
            if (isFirst || (_end is { Damage: null } && end.Damage is not null)) _end = end;
            if (!isFirst) return;
        }

        _requested.Cancel();
    }
}
