using EdgeBroker.Core;
using EdgeBroker.Core.Messages;

namespace EdgeBroker.Storage.Journal;

/// <summary>
/// The store's age: milliseconds it has existed, the time between two lives of the process included as far as it is known. Every time in the store is such an
/// age, so that no wall clock that jumps (a gateway boots in 1970 and learns the time later) makes anything expire or last for ever: where the wall clock is
/// not to be believed, the time between counts as nothing, and what waits goes on aging while the process runs.
/// </summary>
/// <param name="clock">The broker's clock, at 0 about now.</param>
/// <param name="ageAtStartMs">The age when that clock showed 0.</param>
internal sealed class AgeClock(BrokerClock clock, long ageAtStartMs)
{
    // A clock that shows an earlier year has not been set yet, and two that are further apart than this are not both right.
    private static readonly long EarliestWallMs = new DateTimeOffset(2025, 1, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();
    private static readonly long LongestPauseMs = (long)TimeSpan.FromDays(366).TotalMilliseconds;

    /// <summary>The age now.</summary>
    public long NowMs => ToAge(clock.NowMs);

    /// <summary>The age at which the store starts again, from what it noted last.</summary>
    /// <param name="notedAgeMs">The age then.</param>
    /// <param name="notedWallMs">The wall clock then, Unix milliseconds.</param>
    /// <param name="wallMs">The wall clock now.</param>
    public static long AgeAfterPause(long notedAgeMs, long notedWallMs, long wallMs)
    {
        long pauseMs = wallMs - notedWallMs;
        bool believable = notedWallMs >= EarliestWallMs && pauseMs >= 0 && pauseMs <= LongestPauseMs;
        return notedAgeMs + (believable ? pauseMs : 0);
    }

    /// <summary>The age at a time of the broker's clock; never stays never.</summary>
    public long ToAge(long brokerMs) => brokerMs == Message.Never ? Message.Never : brokerMs + ageAtStartMs;

    /// <summary>The broker's clock at an age; never stays never.</summary>
    public long ToBroker(long ageMs) => ageMs == Message.Never ? Message.Never : ageMs - ageAtStartMs;
}
