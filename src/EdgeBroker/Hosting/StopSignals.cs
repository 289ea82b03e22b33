using System.Runtime.InteropServices;
using EdgeBroker.Logging;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Hosting;

/// <summary>SIGTERM and SIGINT: the first asks the broker to stop, the next one, while it does, ends the process at once as if nobody had caught it.</summary>
internal sealed partial class StopSignals : IDisposable
{
    // Somebody who asks twice does not wait for whoever reads the log.
    private static readonly TimeSpan LogFlushTimeout = TimeSpan.FromMilliseconds(200);
    private static readonly nint Default = 0;

    private readonly StopRequest _stop;
    private readonly LineLoggerFactory _loggers;
    private readonly ILogger _log;
    private readonly PosixSignalRegistration _terminate;
    private readonly PosixSignalRegistration _interrupt;
    private int _asked;

    /// <param name="stop">What is asked.</param>
    /// <param name="loggers">The log, which the process's end must not cut short.</param>
    /// <param name="log">Where the end is told.</param>
    public StopSignals(StopRequest stop, LineLoggerFactory loggers, ILogger log)
    {
        _stop = stop;
        _loggers = loggers;
        _log = log;
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => On(context, 15, "SIGTERM"));
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => On(context, 2, "SIGINT"));
    }

    public void Dispose()
    {
        _terminate.Dispose();
        _interrupt.Dispose();
    }

    private void On(PosixSignalContext context, int number, string name)
    {
        // Otherwise the runtime would end the process before the clients have heard of it.
        context.Cancel = true;
        if (Interlocked.Increment(ref _asked) == 1)
        {
            _stop.Ask();
            return;
        }

        LogEndedAtOnce(_log, name);
        _loggers.Flush(LogFlushTimeout);
        // By the signal itself, so that whoever waits for the process sees what it died of.
        _ = SetHandler(number, Default);
        _ = Kill(Environment.ProcessId, number);
    }

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint SetHandler(int number, nint handler);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int number);

    [LoggerMessage(9018, LogLevel.Warning, "{Signal} again while stopping: the process ends at once; clients resume from what is on disk")]
    private static partial void LogEndedAtOnce(ILogger log, string signal);
}
