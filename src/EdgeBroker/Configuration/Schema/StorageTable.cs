using EdgeBroker.Storage;

namespace EdgeBroker.Configuration.Schema;

/// <summary>The keys of <c>[storage]</c>.</summary>
internal static class StorageTable
{
    private static readonly ChoiceKind<StoreDurability> Durability = Kinds.Choice(
        ("strict", StoreDurability.Strict, "commits whenever a client waits"),
        ("balanced", StoreDurability.Balanced, "does so within a budget, else within 50 ms"),
        ("flash-saver", StoreDurability.FlashSaver, "writes least: a small budget, else within 2 s"),
        ("memory", StoreDurability.Memory, "nothing is stored"));

    private static readonly ChoiceKind<CorruptionPolicy> OnCorruption = Kinds.Choice(
        ("quarantine", CorruptionPolicy.Quarantine, "set a damaged database aside, rescue what is readable, start"),
        ("stop", CorruptionPolicy.Stop, "touch nothing, exit 78"));

    private static readonly Applies AfterRestart = Applies.AfterRestart("the store is open");

    public static readonly TableSchema<StorageOptions> Schema = new TableSchema<StorageOptions>("[storage]")
    {
        Comment = "what outlives the process: sessions, queued and retained messages",
    }
        .Key("durability", Durability, o => o.Durability, (o, v) => o with { Durability = v }, AfterRestart, "all but memory survive a power cut")
        .Key(
            "commits_per_second",
            Kinds.Integer(1, 10_000),
            o => o.CommitsPerSecond,
            (o, v) => o with { CommitsPerSecond = v },
            AfterRestart,
            "budget of balanced in the long run, to spare the flash; 300 s of it at once")
        .Key(
            "max_bytes",
            Kinds.Size(16 * SizeKind.MB, 1_024 * SizeKind.GB),
            o => o.MaxBytes,
            (o, v) => o with { MaxBytes = v },
            AfterRestart,
            "from here on a new message takes an old one's place (queue_overflow), or is refused; also while less than 128MB of the disk are free, of a small "
                + "disk an eighth, which are kept for deleting")
        .Key(
            "on_corruption",
            OnCorruption,
            o => o.OnCorruption,
            (o, v) => o with { OnCorruption = v },
            Applies.AfterRestart("it is asked for when the store is opened"),
            "");
}
