
namespace EdgeBroker.Http.Api;

/// <summary>
/// Rates of the sessions that are shown: what has come between two looks at a connection. Nothing is sampled while nobody looks, so the first look has none.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class RowRates(TimeProvider time)
{
    private const int Most = 5_000;
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Look> _looks = new(StringComparer.Ordinal);

    /// <summary>A row with its rates, as far as they are known.</summary>
    public SessionRow With(SessionRow row)
    {
        if (row.Traffic is not { } traffic || row.Connection is not { } connection) return row;
        long now = time.GetTimestamp();
        lock (_lock)
        {
            bool isKnown = _looks.TryGetValue(row.ClientId, out Look look) && look.Connection == connection;
            TimeSpan elapsed = isKnown ? time.GetElapsedTime(look.At, now) : default;
            if (isKnown && elapsed < Shortest) return Rated(row, look);
            var next = new Look(connection, now, traffic.MessagesReceived, traffic.MessagesSent, null, null);
            if (isKnown && elapsed <= Longest)
            {
                next = next with
                {
                    In = Rate(traffic.MessagesReceived - look.Received, elapsed),
                    Out = Rate(traffic.MessagesSent - look.Sent, elapsed),
                };
            }

            if (_looks.Count >= Most && !_looks.ContainsKey(row.ClientId)) _looks.Clear();
            _looks[row.ClientId] = next;
            return Rated(row, next);
        }
    }

    private static double Rate(long count, TimeSpan elapsed) => Math.Round(count / elapsed.TotalSeconds, 1);

    private static SessionRow Rated(SessionRow row, Look look) => row with { InPerSecond = look.In, OutPerSecond = look.Out };

    private readonly record struct Look(string Connection, long At, long Received, long Sent, double? In, double? Out);
}
