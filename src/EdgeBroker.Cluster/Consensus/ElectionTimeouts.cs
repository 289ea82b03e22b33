using EdgeBroker.Cluster.State;

namespace EdgeBroker.Cluster.Consensus;

/// <summary>How long a member hears nothing of a leader before it stands for election: somewhere between the two.</summary>
/// <param name="Lower">Milliseconds at least.</param>
/// <param name="Upper">Milliseconds at most.</param>
internal readonly record struct ElectionTimeouts(int Lower, int Upper)
{
    /// <summary>For disks that flush in a few milliseconds.</summary>
    public static readonly ElectionTimeouts FastDisk = new(300, 600);

    /// <summary>For SD cards: a vote is flushed before it is given, and must not come too late.</summary>
    public static readonly ElectionTimeouts SlowDisk = new(1000, 2000);

    private const int Samples = 20;
    private const int SampleBytes = 4096;
    private static readonly TimeSpan Fast = TimeSpan.FromMilliseconds(5);

    /// <summary>Chooses by the slowest of 20 flushes of 4 KB in a folder.</summary>
    /// <exception cref="IOException">The folder cannot be written to.</exception>
    /// <exception cref="OperationCanceledException">Nobody waits for it any more.</exception>
    public static ElectionTimeouts Measure(string folder, TimeProvider time, CancellationToken cancel)
    {
        string path = Path.Combine(folder, "flush.trial");
        var slowest = TimeSpan.Zero;
        using (FileStream file = File.Create(path, SampleBytes, FileOptions.DeleteOnClose))
        {
            byte[] block = new byte[SampleBytes];
            for (int i = 0; i < Samples; i++)
            {
                cancel.ThrowIfCancellationRequested();
                long began = time.GetTimestamp();
                file.Write(block);
                file.Flush(flushToDisk: true);
                TimeSpan took = time.GetElapsedTime(began);
                if (took > slowest) slowest = took;
            }
        }

        DurableFile.FlushDirectory(folder);
        return For(slowest);
    }

    /// <summary>What suits a disk whose slow flushes take so long.</summary>
    public static ElectionTimeouts For(TimeSpan slowestFlush) => slowestFlush < Fast ? FastDisk : SlowDisk;
}
