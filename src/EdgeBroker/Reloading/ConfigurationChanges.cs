using EdgeBroker.Configuration;

namespace EdgeBroker.Reloading;

/// <summary>How a configuration just read differs from the one a broker runs with, but for listeners, and what of it takes a restart.</summary>
/// <param name="Applied">What comes into force.</param>
/// <param name="NeedsRestart">What does not, and why.</param>
/// <param name="IsReviewDue">Whether clients may have lost, or won, rights.</param>
internal sealed record ConfigurationChanges(List<string> Applied, List<string> NeedsRestart, bool IsReviewDue)
{
    /// <summary>Compares.</summary>
    public static ConfigurationChanges Find(BrokerConfiguration running, BrokerConfiguration read)
    {
        var applied = new List<string>();
        var needsRestart = new List<string>();
        AuthChanges.Find(running.Auth, read.Auth, applied);
        bool isReviewDue = applied.Count > 0;
        MqttChanges.Find(running.Mqtt, read.Mqtt, applied, needsRestart);
        LimitChanges.Find(running.Limits, read.Limits, applied);
        if (running.Log.Level != read.Log.Level) applied.Add("log.level");
        if (running.Log.Format != read.Log.Format) needsRestart.Add("log.format: whoever reads the log expects one form");
        if (running.Node.Name != read.Node.Name) needsRestart.Add("node.name");
        if (running.Node.DataDirectory != read.Node.DataDirectory)
        {
            needsRestart.Add($"node.data_dir: the store in {Printable.Escape(running.Node.DataDirectory)} is open");
        }

        if (running.Storage.Durability != read.Storage.Durability) needsRestart.Add("storage.durability: the store is open");
        if (running.Storage.MaxBytes != read.Storage.MaxBytes) needsRestart.Add("storage.max_bytes: the store is open");
        if (running.Storage.OnCorruption != read.Storage.OnCorruption) needsRestart.Add("storage.on_corruption: it is asked for when the store is opened");
        return new ConfigurationChanges(applied, needsRestart, isReviewDue);
    }

    /// <summary>What is in force after a reload: what was read, but for what takes a restart. So the next reload names it again.</summary>
    public static BrokerConfiguration Merge(BrokerConfiguration running, BrokerConfiguration read) => read with
    {
        Node = running.Node,
        Storage = running.Storage,
        Mqtt = MqttChanges.Merge(running.Mqtt, read.Mqtt),
        Log = read.Log with { Format = running.Log.Format },
    };
}
