using System.Globalization;

namespace EdgeBroker.Bench;

/// <summary>What a process or thread has used up to now, from the files the kernel shows of it.</summary>
/// <param name="CpuSeconds">User and system time.</param>
/// <param name="WaitSeconds">Time its threads could have run but had no core; 0 where the kernel does not count it.</param>
/// <param name="ResidentBytes">Memory in use now; 0 for a thread.</param>
internal readonly record struct ProcessUsage(double CpuSeconds, double WaitSeconds, long ResidentBytes)
{
    /// <summary>Bytes the process had the kernel write to disks; 0 for a thread, or where the kernel does not say.</summary>
    public long WrittenBytes { get; init; }

    // USER_HZ, which Linux promises to programs on both targets whatever the kernel itself ticks with.
    private const double TicksPerSecond = 100;

    /// <summary>This thread's, to the nanosecond where the kernel counts so.</summary>
    public static ProcessUsage OfThisThread()
    {
        const string Directory = "/proc/thread-self";
        (long ran, long waited) = ScheduledNs(Directory + "/schedstat");
        return ran > 0 ? new ProcessUsage(ran / 1e9, waited / 1e9, 0) : Read(Directory) with { ResidentBytes = 0 };
    }

    /// <summary>A process's, with all its threads.</summary>
    /// <exception cref="BenchException">There is no such process.</exception>
    public static ProcessUsage OfProcess(int pid)
    {
        string directory = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}");
        return Read(directory) with { WrittenBytes = WrittenBytesOf(directory) };
    }

    /// <summary>What was used since an earlier reading; memory as it is now.</summary>
    public ProcessUsage Since(ProcessUsage earlier) =>
        new(CpuSeconds - earlier.CpuSeconds, WaitSeconds - earlier.WaitSeconds, ResidentBytes) { WrittenBytes = WrittenBytes - earlier.WrittenBytes };

    /// <summary>
    /// The seconds of CPU time in the text of a <c>stat</c> file; proc(5). The name in it may hold anything, so fields count from its last bracket.
    /// </summary>
    /// <exception cref="FormatException">It is no such text.</exception>
    public static double CpuSecondsIn(string stat)
    {
        string[] fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length < 13) throw new FormatException("a stat file of the kernel has more fields");
        return (Number(fields[11]) + Number(fields[12])) / TicksPerSecond;
    }

    /// <summary>The resident bytes in the text of a <c>status</c> file; 0 when it does not say.</summary>
    public static long ResidentBytesIn(string status)
    {
        const string Key = "VmRSS:";
        foreach (string line in status.Split('\n'))
        {
            if (line.StartsWith(Key, StringComparison.Ordinal)) return Number(line[Key.Length..].Replace("kB", "", StringComparison.Ordinal).Trim()) * 1024;
        }

        return 0;
    }

    private static ProcessUsage Read(string directory)
    {
        try
        {
            return new ProcessUsage(
                CpuSecondsIn(File.ReadAllText(directory + "/stat")), WaitSecondsOf(directory), ResidentBytesIn(File.ReadAllText(directory + "/status")));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BenchException($"What the broker uses cannot be read from {directory}: {exception.Message}");
        }
    }

    private static long WrittenBytesOf(string directory)
    {
        const string Key = "write_bytes:";
        try
        {
            string? line = Array.Find(File.ReadAllLines(directory + "/io"), one => one.StartsWith(Key, StringComparison.Ordinal));
            return line is null ? 0 : Number(line[Key.Length..].Trim());
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Another user's process.
            return 0;
        }
    }

    private static double WaitSecondsOf(string directory)
    {
        string tasks = directory + "/task";
        if (!Directory.Exists(tasks)) return ScheduledNs(directory + "/schedstat").Waited / 1e9;
        return Directory.GetDirectories(tasks).Sum(task => ScheduledNs(task + "/schedstat").Waited) / 1e9;
    }

    private static (long Ran, long Waited) ScheduledNs(string file)
    {
        try
        {
            return File.ReadAllText(file).Split(' ') is [var ran, var waited, ..] ? (Number(ran), Number(waited)) : default;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A thread that has just ended, or a kernel without the file: the figures only tell how disturbed a run was.
            return default;
        }
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
