using EdgeBroker.Core.Metrics;

namespace EdgeBroker.Hosting;

/// <summary>Numbers of the process and of the disk it writes to.</summary>
internal static class ProcessMeters
{
    /// <summary>Registers them.</summary>
    public static void Register(MeterRegistry meters, string dataDirectory)
    {
        meters.Counter(
            "process.cpu.time", MeterUnit.Milliseconds, "processor time of the process", () => (long)Environment.CpuUsage.TotalTime.TotalMilliseconds);
        meters.Gauge("process.memory.usage", MeterUnit.Bytes, "memory of the process that is resident", () => Environment.WorkingSet);
        meters.Gauge("process.open_file_descriptors", "{file}", "open files and sockets", CountFiles);
        meters.Gauge("edgebroker.disk.free", MeterUnit.Bytes, "bytes free where the data is", () => FreeBytes(dataDirectory));
    }

    private static long? CountFiles()
    {
        const string place = "/proc/self/fd";
        try
        {
            return Directory.Exists(place) ? Directory.EnumerateFileSystemEntries(place).LongCount() : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static long? FreeBytes(string directory)
    {
        try
        {
            return new DriveInfo(directory).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }
}
