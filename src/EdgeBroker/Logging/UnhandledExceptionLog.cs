using Microsoft.Extensions.Logging;

namespace EdgeBroker.Logging;

/// <summary>
/// Logs an exception that ends the process because nobody handled it. Its line is critical, and therefore written before the process is gone.
/// </summary>
internal sealed partial class UnhandledExceptionLog : IDisposable
{
    private readonly ILogger _log;

    public UnhandledExceptionLog(ILogger log)
    {
        _log = log;
        AppDomain.CurrentDomain.UnhandledException += OnUnhandled;
    }

    public void Dispose() => AppDomain.CurrentDomain.UnhandledException -= OnUnhandled;

    private void OnUnhandled(object sender, UnhandledExceptionEventArgs args) => LogUnhandled(_log, args.ExceptionObject as Exception);

    [LoggerMessage(9051, LogLevel.Critical, "the process ends: nobody handled an exception")]
    private static partial void LogUnhandled(ILogger log, Exception? exception);
}
