using EdgeBroker.Core.Limits;

namespace EdgeBroker.Storage.Journal;

/// <summary>What a durability makes of commits: how long facts may gather, and how many transactions may begin before that time is over.</summary>
/// <param name="Window">No fact waits longer before its transaction begins.</param>
/// <param name="MostFacts">Nor do more facts than this wait.</param>
/// <param name="Budget">Transactions that may begin as soon as somebody waits for one; null: any number.</param>
internal sealed record CommitPolicy(TimeSpan Window, int MostFacts, RateLimit? Budget)
{
    /// <summary>The time whose commits a budget holds at most.</summary>
    public static readonly TimeSpan BudgetTime = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan BalancedWindow = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan FlashSaverWindow = TimeSpan.FromSeconds(2);

    /// <summary>The policy of <c>[storage]</c>.</summary>
    public static CommitPolicy Of(StorageOptions options) => options.Durability switch
    {
        StoreDurability.Strict => new(TimeSpan.FromMilliseconds(5), 256, null),
        // What the window alone would write at most, so that the budget adds nothing to it in the long run.
        StoreDurability.FlashSaver => new(FlashSaverWindow, 8192, new RateLimit(1, FlashSaverWindow, BudgetTime.Ticks / FlashSaverWindow.Ticks)),
        _ => new(Longer(BalancedWindow, TimeSpan.FromSeconds(1.0 / options.CommitsPerSecond)), 512, BudgetOf(options.CommitsPerSecond)),
    };

    private static RateLimit BudgetOf(int perSecond) => new(perSecond, TimeSpan.FromSeconds(1), perSecond * (long)BudgetTime.TotalSeconds);

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
