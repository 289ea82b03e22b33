using EdgeBroker.Core.Management;

namespace EdgeBroker.Http.Api;

/// <summary>
/// Rates of all sessions, for lists that are ordered by them: what has come between two passes over them. Kept while somebody asks and a minute longer, so the
/// first list is in no order.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class SessionRates(TimeProvider time)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    private Pass? _before;
    private Pass? _last;
    private ITimer? _end;

    /// <summary>Begins a pass over all sessions.</summary>
    public Pass Begin()
    {
        lock (_lock)
        {
            long now = time.GetTimestamp();
            if (_last is { } last && time.GetElapsedTime(last.At, now) >= Shortest) (_before, _last) = (last, null);
            if (_end is null) _end = time.CreateTimer(static rates => ((SessionRates)rates!).Forget(), this, Longest, Timeout.InfiniteTimeSpan);
            else _end.Change(Longest, Timeout.InfiniteTimeSpan);
            return new Pass(now, _before, _before is null ? default : time.GetElapsedTime(_before.At, now));
        }
    }

    /// <summary>Keeps a pass, for the next one to be compared with.</summary>
    public void Keep(Pass pass)
    {
        lock (_lock) _last ??= pass.Kept();
    }

    private void Forget()
    {
        lock (_lock)
        {
            (_before, _last) = (null, null);
            _end?.Dispose();
            _end = null;
        }
    }

    /// <summary>One pass: what each session has had, and what that is a second since the pass before.</summary>
    internal sealed class Pass(long at, Pass? before, TimeSpan elapsed)
    {
        private readonly Dictionary<string, (string? Connection, long Received, long Sent)> _counts = new(StringComparer.Ordinal);

        public long At => at;

        /// <summary>Messages a second from a client; null: not known.</summary>
        public double? In(SessionSummary row) => RateOf(row, counts => counts.Received);

        /// <summary>Messages a second to a client; null: not known.</summary>
        public double? Out(SessionSummary row) => RateOf(row, counts => counts.Sent);

        /// <summary>The same without what it was compared with.</summary>
        public Pass Kept()
        {
            var kept = new Pass(at, null, default);
            foreach ((string clientId, (string? Connection, long Received, long Sent) counts) in _counts) kept._counts.Add(clientId, counts);
            return kept;
        }

        private double? RateOf(SessionSummary row, Func<(string? Connection, long Received, long Sent), long> select)
        {
            if (row.Traffic is not { } traffic) return null;
            (string? Connection, long Received, long Sent) now = (row.Connection, traffic.MessagesReceived, traffic.MessagesSent);
            _counts[row.ClientId] = now;
            if (before is null || !before._counts.TryGetValue(row.ClientId, out var then) || then.Connection != now.Connection) return null;
            return Math.Round((select(now) - select(then)) / elapsed.TotalSeconds, 1);
        }
    }
}
