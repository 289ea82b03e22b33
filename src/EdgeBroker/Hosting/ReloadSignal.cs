using System.Runtime.InteropServices;

namespace EdgeBroker.Hosting;

/// <summary>
/// SIGHUP, from the beginning of the process on: until there is a broker to reload it is kept, and the reload done once there is. SIGUSR1 and SIGUSR2, which
/// other brokers know, do nothing; unhandled, all three would end the process.
/// </summary>
internal sealed class ReloadSignal : IDisposable
{
    // Linux, on x64 and arm64; the runtime takes a signal's own number where it has no name for it.
    private const int User1 = 10;
    private const int User2 = 12;

    private readonly PosixSignalRegistration[] _registrations;
    private readonly Lock _lock = new();
    private Action? _reload;
    private bool _isPending;

    public ReloadSignal() => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnHangUp),
        PosixSignalRegistration.Create((PosixSignal)User1, context => context.Cancel = true),
        PosixSignalRegistration.Create((PosixSignal)User2, context => context.Cancel = true),
    ];

    /// <summary>From here on a signal reloads; one that came before does so now.</summary>
    public void Serve(Action reload)
    {
        lock (_lock)
        {
            _reload = reload;
            if (!_isPending) return;
            _isPending = false;
        }

        reload();
    }

    /// <summary>There is no broker to reload: signals are kept.</summary>
    public void Keep()
    {
        lock (_lock) _reload = null;
    }

    public void Dispose() => Array.ForEach(_registrations, registration => registration.Dispose());

    /// <summary>Takes a signal, as the system would bring it.</summary>
    internal void Raise()
    {
        Action? reload;
        lock (_lock)
        {
            reload = _reload;
            _isPending |= reload is null;
        }

        reload?.Invoke();
    }

    private void OnHangUp(PosixSignalContext context)
    {
        context.Cancel = true;
        Raise();
    }
}
