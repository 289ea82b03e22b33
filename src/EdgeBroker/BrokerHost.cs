using EdgeBroker.Configuration;
using Microsoft.Extensions.Logging;

namespace EdgeBroker;

/// <summary>
/// Composes and runs the broker: the seam between the executable's surface and the broker itself. This is a placeholder: it starts nothing,
/// says so and fails.
/// </summary>
internal static partial class BrokerHost
{
    /// <summary>Runs until asked to stop; returns an <see cref="ExitCode"/>.</summary>
    public static int Run(BrokerConfiguration configuration, ILoggerFactory loggers)
    {
        NoBroker(loggers.CreateLogger("EdgeBroker"), configuration.Listeners.Count);
        return ExitCode.Failed;
    }

    [LoggerMessage(9999, LogLevel.Critical, "this build holds no broker yet; {Listeners} listeners stay closed")]
    private static partial void NoBroker(ILogger log, int listeners);
}
