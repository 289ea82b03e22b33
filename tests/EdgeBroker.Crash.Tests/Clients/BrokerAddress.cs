namespace EdgeBroker.Crash.Tests.Clients;

/// <summary>Where the broker listens, while it does: clients wait here for the next one.</summary>
public sealed class BrokerAddress
{
    private readonly Lock _lock = new();
    private TaskCompletionSource<int> _port = New();

    /// <summary>The port, once there is one.</summary>
    public Task<int> PortAsync(CancellationToken cancellation)
    {
        lock (_lock) return _port.Task.WaitAsync(cancellation);
    }

    /// <summary>A broker listens.</summary>
    public void Set(int port)
    {
        lock (_lock) _port.TrySetResult(port);
    }

    /// <summary>There is none, or will soon be none.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            if (_port.Task.IsCompleted) _port = New();
        }
    }

    private static TaskCompletionSource<int> New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
