using System.Runtime.CompilerServices;

namespace EdgeBroker.Core.Limits;

/// <summary>
/// Makes guessing passwords slow: where logins of one user from one network fail faster than the rate allows, the next ones wait before they are looked at,
/// each longer than the one before, one behind the other. Who guesses elsewhere, or at somebody else's, is not concerned. Any thread.
/// </summary>
public sealed class LoginGuard
{
    private const long FirstDelayMs = 1_000;
    private const byte MostStrikes = 5;

    // A network that was made to wait begins anew after so much time without a failure beyond what its bucket takes to fill.
    private const long ForgivenAfterMs = 60_000;

    // Few clients wait longer for an answer, and what waits holds memory: whoever would have to is turned away at once.
    private const long LongestWaitMs = 20_000;

    // Others behind the same address, be it a proxy's or this machine's, are not to wait with a guesser: places are by address and name.
    private readonly Lock _lock = new();
    private readonly NetworkTable _failures = new();
    private readonly BrokerLimits _limits;
    private readonly BrokerClock _clock;

    internal LoginGuard(BrokerLimits limits, BrokerClock clock)
    {
        _limits = limits;
        _clock = clock;
    }

    /// <summary>Asks when a login may be looked at.</summary>
    /// <param name="network">Where it comes from.</param>
    /// <param name="guessedAt">Whose it says it is, as <see cref="Security.IAuthenticator.GuessedAt"/> has it.</param>
    /// <returns>In how many milliseconds, 0: now; null: not at all.</returns>
    public long? AskWaitMs(ClientNetwork network, string guessedAt)
    {
        if (_limits.Current.AuthFailuresPerIp is not { } rate) return 0;
        ClientNetwork who = network.For(guessedAt);
        long nowMs = _clock.NowMs;
        lock (_lock.Alone())
        {
            ref NetworkTable.Entry entry = ref _failures.Find(who);
            if (Unsafe.IsNullRef(ref entry) || entry.Strikes == 0 || IsForgiven(entry, nowMs)) return 0;
            long delayMs = Math.Max(entry.Bucket.RoomAtMs(rate) - nowMs, FirstDelayMs << (entry.Strikes - 1));
            long dueMs = Math.Max(nowMs, entry.LineEndsMs) + delayMs;
            if (dueMs - nowMs > LongestWaitMs) return null;
            entry.LineEndsMs = dueMs;
            return dueMs - nowMs;
        }
    }

    /// <summary>Notes that a login failed.</summary>
    /// <param name="network">Where it came from.</param>
    /// <param name="guessedAt">Whose it said it was.</param>
    public void NoteFailure(ClientNetwork network, string guessedAt)
    {
        if (_limits.Current.AuthFailuresPerIp is not { } rate) return;
        ClientNetwork who = network.For(guessedAt);
        long nowMs = _clock.NowMs;
        lock (_lock.Alone())
        {
            ref NetworkTable.Entry entry = ref _failures.FindOrAdd(who);
            if (IsForgiven(entry, nowMs)) entry.Strikes = 0;
            entry.Bucket.Take(rate, 1, nowMs);
            if (entry.Strikes > 0 || !entry.Bucket.HasRoom(rate, nowMs)) entry.Strikes = (byte)Math.Min(entry.Strikes + 1, MostStrikes);
        }
    }

    internal void Forget()
    {
        lock (_lock.Alone()) _failures.Clear();
    }

    private static bool IsForgiven(in NetworkTable.Entry entry, long nowMs) => (entry.Bucket.FullNs / 1_000_000) + ForgivenAfterMs <= nowMs;
}
