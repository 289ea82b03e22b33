using EdgeBroker.Cli.Control;
using EdgeBroker.Core.Hosting;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Control;

/// <summary>The control socket as a part: the last to start, and the first to stop. A broker that cannot have one serves without.</summary>
/// <param name="dataDirectory">The data directory.</param>
/// <param name="serve">Answers a request.</param>
/// <param name="time">The clock.</param>
/// <param name="log">Event ids 9040-9049.</param>
internal sealed class ControlPart(string dataDirectory, Func<ControlRequest, ControlAnswer> serve, TimeProvider time, ILogger log) : IBrokerPart
{
    private ControlSocket? _socket;

    /// <inheritdoc/>
    public string Name => "control";

    /// <inheritdoc/>
    public ValueTask StartAsync(CancellationToken cancel)
    {
        if (OperatingSystem.IsLinux()) _socket = ControlSocket.Open(dataDirectory, serve, time, log);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask StopAsync(StopPhase phase, TimeSpan limit) => phase == StopPhase.StopAccepting ? DisposeAsync() : ValueTask.CompletedTask;

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        if (OperatingSystem.IsLinux()) _socket?.Dispose();
        _socket = null;
        return ValueTask.CompletedTask;
    }
}
