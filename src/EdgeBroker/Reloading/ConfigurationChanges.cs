using EdgeBroker.Configuration;
using EdgeBroker.Configuration.Schema;

namespace EdgeBroker.Reloading;

/// <summary>How a configuration just read differs from the one a broker runs with, but for listeners, and what of it takes a restart.</summary>
/// <param name="Applied">What comes into force.</param>
/// <param name="NeedsRestart">What does not, and why.</param>
/// <param name="IsReviewDue">Whether clients may have lost, or won, rights.</param>
internal sealed record ConfigurationChanges(List<string> Applied, List<string> NeedsRestart, bool IsReviewDue)
{
    /// <summary>Compares: what files hold that are named in it, and key by key what the schema knows.</summary>
    public static ConfigurationChanges Find(BrokerConfiguration running, BrokerConfiguration read)
    {
        var applied = new List<string>();
        var needsRestart = new List<string>();
        AuthChanges.Find(running.Auth, read.Auth, applied);
        bool isReviewDue = applied.Count > 0;
        foreach (KeyChange change in BrokerSchema.File.Compare(running, read))
        {
            (change.Applies.RestartReason is null ? applied : needsRestart).Add(change.Applies.Report(change.Path));
            isReviewDue |= change.Applies.ReviewsClients;
        }

        return new ConfigurationChanges(applied, needsRestart, isReviewDue);
    }

    /// <summary>What is in force after a reload: what was read, but for what takes a restart. So the next reload names it again.</summary>
    public static BrokerConfiguration Merge(BrokerConfiguration running, BrokerConfiguration read) => BrokerSchema.File.KeepUntilRestart(running, read);
}
