using EdgeBroker.Core.Events;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Webhooks;

/// <summary>What the log says of webhooks. Event ids 12000-12009.</summary>
internal sealed partial class WebhookLog
{
    private readonly ILogger _log;
    private readonly LogBudget _budget;

    public WebhookLog(ILogger log, TimeProvider time)
    {
        _log = log;
        _budget = new LogBudget(time, each: 5, all: 50, (name, held) => LogHeldBack(log, name ?? "others", held));
    }

    public void Failed(string name, string cause, TimeSpan wait)
    {
        if (_budget.Admit(name)) LogFailed(_log, name, cause, wait.TotalSeconds);
    }

    public void Opened(string name, int failures, string cause, TimeSpan wait) => LogOpened(_log, name, failures, cause, wait.TotalSeconds);

    public void Recovered(string name, int failures)
    {
        if (_budget.Admit(name)) LogRecovered(_log, name, failures);
    }

    public void Rejected(string name, int count, string cause)
    {
        if (_budget.Admit(name)) LogRejected(_log, name, count, cause);
    }

    public void Dropped(string name, long count)
    {
        if (_budget.Admit(name)) LogDropped(_log, name, count);
    }

    public void TurnedOff(string name) => LogTurnedOff(_log, name);

    public void LeftBehind(string name, int count) => LogLeftBehind(_log, name, count);

    [LoggerMessage(12000, LogLevel.Warning, "webhook {Name} does not take events: {Cause}; the next try is in {Seconds:0.#} s")]
    private static partial void LogFailed(ILogger log, string name, string cause, double seconds);

    [LoggerMessage(12001, LogLevel.Warning, "webhook {Name} has failed {Failures} times in a row: {Cause}; it is left alone for {Seconds:0} s")]
    private static partial void LogOpened(ILogger log, string name, int failures, string cause, double seconds);

    [LoggerMessage(12002, LogLevel.Information, "webhook {Name} takes events again, after {Failures} failure(s)")]
    private static partial void LogRecovered(ILogger log, string name, int failures);

    [LoggerMessage(12003, LogLevel.Warning, "webhook {Name} refused {Count} event(s), which are dropped: {Cause}")]
    private static partial void LogRejected(ILogger log, string name, int count, string cause);

    [LoggerMessage(12004, LogLevel.Warning, "webhook {Name}: {Count} event(s) were dropped before the last request (see edgebroker.webhook.dropped)")]
    private static partial void LogDropped(ILogger log, string name, long count);

    [LoggerMessage(12005, LogLevel.Error, "webhook {Name} answered 410: it gets no events until the configuration is read again")]
    private static partial void LogTurnedOff(ILogger log, string name);

    [LoggerMessage(12006, LogLevel.Warning, "webhook {Name}: {Count} event(s) were not sent before the end")]
    private static partial void LogLeftBehind(ILogger log, string name, int count);

    [LoggerMessage(12007, LogLevel.Warning, "webhook {Name}: {Count} more lines within 10 s are not logged one by one")]
    private static partial void LogHeldBack(ILogger log, string name, long count);
}
