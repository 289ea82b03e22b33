using System.Globalization;
using EdgeBroker.Core.Limits;

namespace EdgeBroker.Memory;

/// <summary>
/// Reads what memory the process uses, and what the system leaves it: the smallest limit of its control groups (v2 or v1), or what is still available to
/// everyone, if that is less. One thread; several times a second, so it allocates nothing.
/// </summary>
/// <param name="root">Where the system's files are: "/", but for tests.</param>
internal sealed class MemoryGauge(string root) : IDisposable
{
    // v1 writes "no limit" as the largest number of whole pages.
    private const long NoLimitFrom = 1L << 60;

    private readonly byte[] _buffer = new byte[4096];
    private readonly KernelFile _statm = new(Path.Combine(root, "proc/self/statm"));
    private readonly KernelFile _meminfo = new(Path.Combine(root, "proc/meminfo"));
    private readonly KernelFile[] _limits = [.. FindLimits(root)];

    /// <summary>The process by its resident pages, against what it may have.</summary>
    public MemoryReading Read(MemoryLimit limit)
    {
        long residentBytes = ReadResidentBytes();
        if (!limit.IsAutomatic) return new MemoryReading(residentBytes, limit.Bytes);
        var group = new MemoryReading(residentBytes, ReadGroupLimit());
        // Whatever others leave of the machine: it can grow by that much.
        return ReadAvailableBytes() is { } availableBytes
            ? MemoryReading.Tighter(group, new MemoryReading(residentBytes, residentBytes + availableBytes))
            : group;
    }

    /// <summary>The smallest limit of the process's control groups; 0: none.</summary>
    public long ReadGroupLimit()
    {
        long smallest = long.MaxValue;
        foreach (KernelFile file in _limits)
        {
            // It may be raised or lowered at any time; "max" is no number.
            if (ReadNumber(file.Read(_buffer)) is { } bytes and > 0 and < NoLimitFrom) smallest = Math.Min(smallest, bytes);
        }

        return smallest == long.MaxValue ? 0 : smallest;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _statm.Dispose();
        _meminfo.Dispose();
        foreach (KernelFile file in _limits) file.Dispose();
    }

    private long ReadResidentBytes()
    {
        ReadOnlySpan<byte> line = _statm.Read(_buffer);
        return (ReadNumber(line[(line.IndexOf((byte)' ') + 1)..]) ?? 0) * Environment.SystemPageSize;
    }

    private long? ReadAvailableBytes()
    {
        ReadOnlySpan<byte> text = _meminfo.Read(_buffer);
        int at = text.IndexOf("MemAvailable:"u8);
        return at < 0 ? null : ReadNumber(text[(at + "MemAvailable:".Length)..]) * 1024;
    }

    /// <summary>The number a text begins with; null: none.</summary>
    private static long? ReadNumber(ReadOnlySpan<byte> text)
    {
        text = text.TrimStart((byte)' ');
        int end = text.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        if (end >= 0) text = text[..end];
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : null;
    }

    /// <summary>
    /// The files of the process's own group and of all above it. In a container's view of the tree the group may not be there: then the top is the container's.
    /// </summary>
    private static List<KernelFile> FindLimits(string root)
    {
        List<KernelFile> files = [];
        string[] lines = [];
        try
        {
            lines = File.ReadAllLines(Path.Combine(root, "proc/self/cgroup"));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A system without control groups.
        }

        foreach (string line in lines)
        {
            string[] parts = line.Split(':', 3);
            if (parts.Length < 3) continue;
            if (parts[0] == "0" && parts[1].Length == 0) AddUpward(files, Path.Combine(root, "sys/fs/cgroup"), parts[2], "memory.max", "memory.high");
            else if (parts[1].Split(',').Contains("memory")) AddUpward(files, Path.Combine(root, "sys/fs/cgroup/memory"), parts[2], "memory.limit_in_bytes");
        }

        return files;
    }

    private static void AddUpward(List<KernelFile> files, string top, string group, params string[] names)
    {
        // "/../x" is how a group outside the container's own tree looks.
        for (string path = group.Trim('/').Replace("../", "", StringComparison.Ordinal); ; path = Path.GetDirectoryName(path) ?? "")
        {
            foreach (string name in names)
            {
                string file = Path.Combine(top, path, name);
                if (File.Exists(file)) files.Add(new KernelFile(file));
            }

            if (path.Length == 0) return;
        }
    }
}
