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

/// <summary>Keeps the last administrative actions, and writes each to the log. Event ids 5400-5409.</summary>
/// <param name="loggers">The log, in which its area is <c>audit</c>.</param>
public sealed partial class AuditLog(ILoggerFactory loggers)
{
    private const int Most = 1_000;

    private readonly ILogger _log = loggers.CreateLogger("audit");
    private readonly Lock _lock = new();
    private readonly Queue<AuditEntry> _entries = new();

    /// <summary>Notes something.</summary>
    public void Add(AuditEntry entry)
    {
        lock (_lock)
        {
            if (_entries.Count == Most) _entries.Dequeue();
            _entries.Enqueue(entry);
        }

        LogDone(
            _log, entry.Actor ?? "somebody", entry.Role, entry.By, entry.Address, entry.Action, entry.Target ?? "-", entry.Status, entry.RequestId,
            entry.Detail ?? "-");
    }

    /// <summary>What was noted, the newest first.</summary>
    public IReadOnlyList<AuditEntry> ToList()
    {
        lock (_lock) return [.. _entries.Reverse()];
    }

    [LoggerMessage(
        5400, LogLevel.Information, "{Actor} ({Role}, by {By}) from {Address}: {Action} of {Target}: {Status}; request {RequestId}, {Detail}")]
    private static partial void LogDone(
        ILogger log, string actor, string role, string by, string address, string action, string target, int status, string requestId, string detail);
}
