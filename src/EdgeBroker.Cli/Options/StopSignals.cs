using System.Runtime.InteropServices;

namespace EdgeBroker.Cli.Options;

/// <summary>
/// SIGINT and SIGTERM as a token, so that what has been begun is cleaned up. A second signal finds the default again, which ends a command that hangs.
/// </summary>
public sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _stop;
    private readonly PosixSignalRegistration[] _registrations;

    /// <param name="asked">Ends it as a signal does.</param>
    public StopSignals(CancellationToken asked)
    {
        _stop = CancellationTokenSource.CreateLinkedTokenSource(asked);
        _registrations = [PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal), PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal)];
    }

    /// <summary>Cancelled when the command is to end.</summary>
    public CancellationToken Token => _stop.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration one in _registrations) one.Dispose();
        _stop.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        if (_stop.IsCancellationRequested) return;
        context.Cancel = true;
        _stop.Cancel();
    }
}
