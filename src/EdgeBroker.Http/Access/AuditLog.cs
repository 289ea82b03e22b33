using EdgeBroker.Core.Events;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Http.Access;

/// <summary>One thing that was done, or refused.</summary>
/// <param name="At">When.</param>
/// <param name="Actor">Who; null: nobody in particular.</param>
/// <param name="Role">In which role.</param>
/// <param name="By">By what it was let in: <c>cookie</c>, <c>token</c>, <c>basic</c>, <c>certificate</c>, <c>peer</c>, <c>jwt</c>, or <c>nothing</c>.</param>
/// <param name="Address">From where.</param>
/// <param name="Action">What: <c>session.kick</c>.</param>
/// <param name="Target">To whom or what; null: to the broker.</param>
/// <param name="Status">The status it was answered with.</param>
/// <param name="RequestId">The request.</param>
/// <param name="Detail">What else; null: nothing. Never a body or a secret.</param>
public sealed record AuditEntry(
    DateTimeOffset At, string? Actor, string Role, string By, string Address, string Action, string? Target, int Status, string RequestId, string? Detail);

/// <summary>Keeps the last administrative actions and refusals, and writes each to the log. Event ids 5400-5409.</summary>
public sealed partial class AuditLog
{
    private const int MostOfCallers = 800;
    private const int MostOfStrangers = 200;

    // Of what a caller chose: names, topics, ids.
    private const int MostCharacters = 200;

    private readonly ILogger _log;
    private readonly LogBudget _budget;
    private readonly Lock _lock = new();
    // Whoever cannot log in must not push out what was done by those who could.
    private readonly Queue<(long Number, AuditEntry Entry)> _callers = new();
    private readonly Queue<(long Number, AuditEntry Entry)> _strangers = new();
    private long _last;

    /// <param name="loggers">The log, in which its area is <c>audit</c>.</param>
    /// <param name="time">The clock.</param>
    public AuditLog(ILoggerFactory loggers, TimeProvider time)
    {
        _log = loggers.CreateLogger("audit");
        _budget = new LogBudget(time, each: 50, all: 500, (address, held) => LogHeldBack(_log, held, address ?? "other addresses"));
    }

    /// <summary>Notes something; of what strangers have refused to them, so much that nobody can fill the log with it.</summary>
    public void Add(AuditEntry entry)
    {
        if (entry.Actor is null && !_budget.Admit(HostOf(entry.Address))) return;
        entry = entry with { Actor = Short(entry.Actor), Target = Short(entry.Target), Detail = Short(entry.Detail) };
        lock (_lock)
        {
            (Queue<(long Number, AuditEntry Entry)> entries, int most) = entry.Actor is null ? (_strangers, MostOfStrangers) : (_callers, MostOfCallers);
            if (entries.Count == most) entries.Dequeue();
            entries.Enqueue((++_last, entry));
        }

        LogDone(
            _log, entry.Actor ?? "somebody", entry.Role, entry.By, entry.Address, entry.Action, entry.Target ?? "-", entry.Status, entry.RequestId,
            entry.Detail ?? "-");
    }

    /// <summary>What was noted, the newest first.</summary>
    public IReadOnlyList<AuditEntry> ToList()
    {
        lock (_lock) return [.. _callers.Concat(_strangers).OrderByDescending(one => one.Number).Select(one => one.Entry)];
    }

    private static string HostOf(string address) => address.LastIndexOf(':') is > 0 and int colon ? address[..colon] : address;

    private static string? Short(string? text) => text is null || text.Length <= MostCharacters ? text : text[..MostCharacters] + "...";

    [LoggerMessage(
        5400, LogLevel.Information, "{Actor} ({Role}, by {By}) from {Address}: {Action} of {Target}: {Status}; request {RequestId}, {Detail}")]
    private static partial void LogDone(
        ILogger log, string actor, string role, string by, string address, string action, string target, int status, string requestId, string detail);

    [LoggerMessage(5401, LogLevel.Warning, "{Count} more requests from {Address} were refused within 10 s")]
    private static partial void LogHeldBack(ILogger log, long count, string address);
}
